"""A demo page asked for pictures of the smallest size: enough to tell stacks apart, and drawn at once."""

from __future__ import annotations

from typing import Any

from tests.integration.server import Answer, Server

SIZE = {"width": 64, "height": 64, "steps": 2}


class SmallServer(Server):
    """Draws small pictures unless asked for others."""

    def draw(self, stack: Any = None, enabled: bool = True, route: str = "txt2img", **request: Any) -> Answer:
        """Ask for one picture, with a stack or without."""
        return super().draw(stack, enabled, route, **{**SIZE, **request})
