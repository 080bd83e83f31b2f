"""Routes that are made when the page asks its first question: a WebUI's start does not wait for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from .address import PREFIX

PATH = f"{PREFIX}/{{rest:path}}"


class Deferred:
    """Answers everything below `PREFIX` by an application of its own, which `add` fills once."""

    def __init__(self, add: Callable[[FastAPI], None]) -> None:
        self._add = add
        self._app: FastAPI | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request; whoever calls leaves path and root path as they came."""
        if self._app is None:
            app = FastAPI(openapi_url=None)
            self._add(app)
            self._app = app
        await self._app(scope, receive, send)


def defer_routes(app: FastAPI, add: Callable[[FastAPI], None]) -> None:
    """Let `add(application)` make our routes at the first question; a second call replaces the first."""
    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", None) != PATH]
    answer: Any = Deferred(add)  # an application, which the framework takes as it is
    app.router.add_route(PATH, answer, include_in_schema=False)
