"""The page's question how far the files of a stack pull the same way; who measures it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Body, FastAPI

from .address import PREFIX
from .bodies import TextRoute
from .routes import STACK_LIMIT


def add_interference_route(
    app: FastAPI, measure: Callable[[str], dict[str, Any]], guard: Sequence[Any] = ()
) -> None:
    """Answer `POST /lora-stack/interference {stack}` on `app` by `measure(stack text)`.

    The answer: `rows` names the files, `matrix` holds cosines from -1 to 1 or None, `left_out` counts changes
    that only the checkpoint could tell. `guard` holds FastAPI dependencies that every request must pass.
    """
    router = APIRouter(prefix=PREFIX, dependencies=list(guard), route_class=TextRoute)

    @router.post("/interference")
    def interference(stack: str = Body(embed=True, max_length=STACK_LIMIT)) -> dict[str, Any]:
        return measure(stack)

    app.include_router(router)
