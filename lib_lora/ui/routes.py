"""The panel's questions to the server. Only `refresh` changes anything: what is known of files.

No path ever comes from a request: a preview is named by its file's label and looked up in the library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from fastapi import APIRouter, Body, FastAPI, HTTPException, Query
from fastapi.responses import FileResponse

from ..library.network_file import NetworkFile
from ..stack.advice import ROLES
from ..stack.blocks import describe_blocks
from .checks import Finder, FitOf, check_stack, unknown

PREFIX = "/lora-stack"
PAGE_LIMIT = 500  # files in one answer
QUERY_LIMIT = 500  # characters of a search
LABEL_LIMIT = 1000  # characters of a file's label
STACK_LIMIT = 1_000_000  # characters of a stack text
PREVIEW_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".png": "image/png",
        ".jpg": "image/jpeg",
        ".jpeg": "image/jpeg",
        ".webp": "image/webp",
        ".gif": "image/gif",
    }
)
PREVIEW_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "private, max-age=600",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
)


class NetworkLibrary(Finder, Protocol):
    """The files one has."""

    def scan(self) -> None: ...
    def files(self) -> Sequence[NetworkFile]: ...
    def search(self, text: str) -> Sequence[NetworkFile]: ...


class ReportSource(Protocol):
    """Who remembers what the last picture of a tab was made with: `serial`, `ok`, `line`, `entries`."""

    def last(self, tab: str) -> dict[str, Any] | None: ...


def add_routes(
    app: FastAPI,
    library: Callable[[], NetworkLibrary],
    reports: ReportSource,
    guard: Sequence[Any] = (),
    fit: FitOf = unknown,
) -> None:
    """Answer the panel on `app`; a second call on the same app replaces the answers of the first.

    `library` is asked at every request, because settings may change the folders. `guard` holds FastAPI
    dependencies that every request must pass. `fit` tells how a file meets the loaded checkpoint.
    """
    app.router.routes[:] = [route for route in app.router.routes if not _is_ours(route)]
    router = APIRouter(prefix=PREFIX, dependencies=list(guard))

    @router.get("/networks")
    def networks(
        q: str = Query("", max_length=QUERY_LIMIT),
        offset: int = Query(0, ge=0),
        limit: int = Query(50, ge=1, le=PAGE_LIMIT),
    ) -> dict[str, Any]:
        known = library()
        found = known.search(q) if q.strip() else known.files()
        items = [known.summary(file) for file in found[offset : offset + limit]]
        return {"total": len(found), "offset": offset, "items": items}

    @router.post("/refresh")
    def refresh() -> dict[str, int]:
        known = library()
        known.scan()
        return {"total": len(known.files())}

    @router.get("/advice")
    def advice() -> list[dict[str, Any]]:
        return [asdict(role) for role in ROLES]

    @router.get("/blocks")
    def blocks() -> dict[str, Any]:
        return describe_blocks()

    @router.get("/preview")
    def preview(label: str = Query(max_length=LABEL_LIMIT)) -> FileResponse:
        image = next(
            (file.preview for file in library().files() if file.label == label and file.preview), None
        )
        return _image(image)

    @router.get("/report")
    def report(tab: str = Query(max_length=40)) -> dict[str, Any]:
        return reports.last(tab) or {"serial": 0}

    @router.post("/check")
    def check(stack: str = Body(embed=True, max_length=STACK_LIMIT)) -> dict[str, Any]:
        return check_stack(stack, library(), fit)

    app.include_router(router)


def _is_ours(route: Any) -> bool:
    return str(getattr(route, "path", "")).startswith(f"{PREFIX}/")


def _image(path: Path | None) -> FileResponse:
    if path is None or path.suffix.lower() not in PREVIEW_TYPES or not path.is_file():
        raise HTTPException(404, "This LoRA has no preview picture.")
    return FileResponse(path, media_type=PREVIEW_TYPES[path.suffix.lower()], headers=dict(PREVIEW_HEADERS))
