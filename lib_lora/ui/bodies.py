"""Requests that hold half a character, such as half an emoji: JSON can spell it, no answer can repeat it."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

HALF = "The text holds half a character. Type it again."


class TextRoute(APIRoute):
    """A route that says so, where the framework would fail at its own answer."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the framework's own handler."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except UnicodeEncodeError:
                pass
            except RequestValidationError as error:
                if _is_text(error.errors()):
                    raise
            except HTTPException as error:
                if _is_text(error.detail):
                    raise
            return JSONResponse({"detail": HALF}, 422)

        return answer


def _is_text(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True
