"""What the library's routes need of the rest of the house, and how its errors become answers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.responses import JSONResponse

from ..errors import AmbiguousNetworkError, LoraStackError, NetworkNotFoundError
from ..library.catalogue import Catalogue
from ..library.library import Library
from .bodies import TextRoute
from .guards import harden

_STATUS: tuple[tuple[type[LoraStackError], int], ...] = (
    (NetworkNotFoundError, 404),
    (AmbiguousNetworkError, 409),
)


@dataclass(frozen=True)
class LibraryPorts:
    """What the routes ask others.

    library: scanned at least once. watch: the same without waiting for a scan. checkpoint: the loaded model's
    architecture, empty for unknown. strengths: ‖ΔW‖ per block, None where that cannot be computed. closing:
    whether the server waits for its last answers to end.
    """

    library: Callable[[], Library]
    watch: Callable[[], Library]
    checkpoint: Callable[[], str] = lambda: ""
    strengths: Callable[[Path], dict[str, Any]] | None = None
    closing: Callable[[], bool] = lambda: False

    def catalogue(self) -> Catalogue:
        """Return the library as the page sees it now."""
        return Catalogue(self.library(), self.checkpoint())


class LibraryRoute(TextRoute):
    """A route whose answers are hardened, and whose errors of ours are told as `{"detail": …}`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the framework's own handler."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except LoraStackError as error:
                status = next((code for kind, code in _STATUS if isinstance(error, kind)), error.status_code)
                response = JSONResponse({"detail": str(error), "error": type(error).__name__}, status)
            except HTTPException as error:  # answered here, so that it is hardened too
                response = JSONResponse({"detail": error.detail}, error.status_code, error.headers)
            for name, value in harden().items():
                response.headers.setdefault(name, value)
            return response

        return answer
