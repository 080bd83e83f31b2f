"""Runs inside a run: ADetailer draws faces anew with an object of its own, which our script never sees.

It is a part of the same picture, so it is drawn with the same rows. The tags of its prompt are its own: they
have been read for it like any other prompt's.
"""

from __future__ import annotations

from typing import Any

from lib_lora.hosts.passes import is_inner
from lib_lora.hosts.sources import Parts, inherit, parts_of


class Outer:
    """Remembers what the run being drawn asks for, and gives it to the runs inside it."""

    def __init__(self) -> None:
        self._parts = Parts()

    def meet(self, p: Any) -> None:
        """Look at an object that is about to use the model; safe to call again and again."""
        if is_inner(p):
            inherit(p, self._parts)
        else:
            self._parts = parts_of(p)
