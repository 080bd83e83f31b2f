"""The page's questions to the server, all below `./lora-stack/`.

GET    advice, blocks, report               what a role means; parts of a model; how the last picture was made
POST   check                                what is wrong with a stack, row by row
GET    networks, facets, network, siblings  files by words and filters; counts; one file (library_routes)
GET    preview, strengths, compare          pictures; strength per block; two files beside one another
GET    status, events                       how far long work is; the same as server-sent events (events)
PATCH  network                              what the user notes of a file (library_writes)
POST   metadata, metadata/copy, used        writes into files, on request; notes a use
POST   hash, refresh      DELETE hash       long work

No path ever comes from a request: a file is named by its id or label and looked up in the library. Every
request passes `guards`; what changes something must come from the WebUI's own page and carry the header
`X-LoRA-Stack`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from fastapi import APIRouter, Body, Depends, FastAPI, Query

from ..library.library import Library
from ..stack.advice import ROLES
from ..stack.block_files import describe_own
from ..stack.blocks import describe_blocks
from .address import PREFIX
from .checks import FitOf, check_stack, unknown
from .events import add_event_routes
from .guards import require_same_origin
from .library_routes import add_library_routes
from .library_writes import add_library_writes
from .ports import LibraryPorts, LibraryRoute

STACK_LIMIT = 1_000_000  # characters of a stack text


class ReportSource(Protocol):
    """Who remembers what a tab's last picture was made with: `serial`, `age`, `ok`, `line`, `entries`."""

    def last(self, tab: str) -> dict[str, Any] | None: ...


def add_routes(
    app: FastAPI,
    library: Callable[[], Library],
    reports: ReportSource,
    guard: Sequence[Any] = (),
    fit: FitOf = unknown,
    ports: LibraryPorts | None = None,
    presets: Callable[[], Mapping[str, str]] = dict,
    preset_problems: Callable[[], Sequence[str]] = tuple,
) -> None:
    """Answer the page on `app`; a second call on the same app replaces the answers of the first.

    `library` is asked at every request, because settings may change the folders. `guard` holds FastAPI
    dependencies that every request must pass. `fit` tells how a file meets the loaded checkpoint; `presets`
    are the user's own, of blocks, `preset_problems` what is wrong with their files.
    """
    app.router.routes[:] = [route for route in app.router.routes if not _is_ours(route)]
    ports = ports or LibraryPorts(library, library)
    router = APIRouter(
        prefix=PREFIX, dependencies=[*guard, Depends(require_same_origin)], route_class=LibraryRoute
    )

    @router.get("/advice")
    def advice() -> list[dict[str, Any]]:
        return [asdict(role) for role in ROLES]

    @router.get("/blocks")
    def blocks() -> dict[str, Any]:
        told = describe_blocks()
        told["presets"] += describe_own(presets())
        return told | {"problems": list(preset_problems())}

    @router.get("/report")
    def report(tab: str = Query(max_length=40)) -> dict[str, Any]:
        return reports.last(tab) or {"serial": 0}

    @router.post("/check")
    def check(stack: str = Body(embed=True, max_length=STACK_LIMIT)) -> dict[str, Any]:
        return check_stack(stack, library(), fit, presets())

    add_library_routes(router, ports)
    add_library_writes(router, ports)
    add_event_routes(router, ports)
    app.include_router(router)


def _is_ours(route: Any) -> bool:
    return str(getattr(route, "path", "")).startswith(f"{PREFIX}/")
