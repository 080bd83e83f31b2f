"""The library's answers that change nothing: pages of files, facets, one file, its pictures and strengths."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

from fastapi import APIRouter, HTTPException, Query, Request, Response

from ..library.comparing import compare, siblings
from ..library.details import details
from ..library.network_file import NetworkFile
from ..library.query import SORTS
from ..library.query import Query as Question
from .ports import LibraryPorts
from .thumbnails import Thumbnails, nearest_size

PAGE_LIMIT = 500  # files in one answer
QUERY_LIMIT = 500  # characters of a search
LABEL_LIMIT = 1000  # characters of a file's label or of a filter
YEAR = 31_536_000  # seconds
STRENGTHS_KEPT = 200  # files


def question(
    q: str = Query("", max_length=QUERY_LIMIT),
    folder: str | None = Query(None, max_length=LABEL_LIMIT),
    root: int | None = Query(None, ge=0),
    family: str | None = Query(None, max_length=LABEL_LIMIT),
    architecture: str | None = Query(None, max_length=LABEL_LIMIT),
    role: str | None = Query(None, max_length=LABEL_LIMIT),
    tag: str = Query("", max_length=LABEL_LIMIT),
    favourite: bool = False,
    recent: bool = False,
    fits: bool = False,
    sort: str = Query("", max_length=20),
    descending: bool | None = None,
) -> Question:
    """Return the filters of a request; an empty family, architecture or role asks for files without one."""
    if sort and sort not in SORTS:
        raise HTTPException(422, f"'sort' must be one of {', '.join(SORTS)}.")
    return Question(
        q, folder, root, family, architecture, role, tag, favourite, recent, fits, sort, descending
    )


def add_library_routes(router: APIRouter, ports: LibraryPorts) -> None:
    """Add the routes that read."""
    from fastapi import Depends

    asked = Depends(question)
    thumbnails = _Shared(ports)
    strengths_of = _Strengths(ports)

    @router.get("/networks")
    def networks(
        asked: Question = asked,
        offset: int = Query(0, ge=0, le=10_000_000),
        limit: int = Query(50, ge=1, le=PAGE_LIMIT),
    ) -> dict[str, Any]:
        return ports.catalogue().page(asked, offset, limit)

    @router.get("/facets")
    def facets(asked: Question = asked) -> dict[str, Any]:
        return ports.catalogue().facets(asked)

    @router.get("/network")
    def network(
        id: str = Query("", max_length=40), label: str = Query("", max_length=LABEL_LIMIT)
    ) -> dict[str, Any]:
        catalogue = ports.catalogue()
        return details(catalogue, catalogue.get(id, label))

    @router.get("/siblings")
    def related(
        id: str = Query("", max_length=40), label: str = Query("", max_length=LABEL_LIMIT)
    ) -> dict[str, Any]:
        catalogue = ports.catalogue()
        return {"items": [catalogue.card(file) for file in siblings(catalogue, catalogue.get(id, label))]}

    @router.get("/compare")
    def compared(
        a: str = Query(max_length=LABEL_LIMIT), b: str = Query(max_length=LABEL_LIMIT)
    ) -> dict[str, Any]:
        catalogue = ports.catalogue()

        def named(name: str) -> NetworkFile:
            return catalogue.library.get(name) or catalogue.get("", name)

        return compare(catalogue, named(a), named(b))

    @router.get("/strengths")
    def strengths(
        id: str = Query("", max_length=40), label: str = Query("", max_length=LABEL_LIMIT)
    ) -> dict[str, Any]:
        return strengths_of(ports.catalogue().get(id, label))

    @router.get("/preview")
    def preview(
        request: Request,
        id: str = Query("", max_length=40),
        label: str = Query("", max_length=LABEL_LIMIT),
        size: int | None = Query(None, ge=1, le=4096),
        index: int = Query(0, ge=0, le=100),
        v: str = Query("", max_length=80),
    ) -> Response:
        file = _file_or_none(ports, id, label)
        picture = file and thumbnails.get().get(file, index, nearest_size(size) if size else None)
        if not picture:
            raise HTTPException(404, "This LoRA has no preview picture.")
        tag = f'"{picture.version}"'
        headers = {"ETag": tag, "Cache-Control": f"private, max-age={YEAR if v else 600}"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(picture.content, media_type=picture.type, headers=headers)


def _file_or_none(ports: LibraryPorts, id: str, label: str) -> NetworkFile | None:
    """Return the file, of several with one label the first that has a picture."""
    library = ports.library()
    if id:
        return library.get(id)
    found = [file for file in library.files() if file.label == label]
    return next((file for file in found if file.has_preview), None)


class _Shared:
    """The small pictures of one data folder, made when first asked for."""

    def __init__(self, ports: LibraryPorts) -> None:
        self._ports = ports
        self._made: Thumbnails | None = None

    def get(self) -> Thumbnails:
        if self._made is None:
            self._made = Thumbnails(self._ports.library().database.folder)
        return self._made


class _Strengths:
    """Strength per block, remembered while a file keeps its size and time."""

    def __init__(self, ports: LibraryPorts) -> None:
        self._ports = ports
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, int, int], dict[str, Any]] = OrderedDict()

    def __call__(self, file: NetworkFile) -> dict[str, Any]:
        key = (file.id, file.size, file.mtime_ns)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        if self._ports.strengths is None:
            raise HTTPException(501, "Strengths cannot be computed here: PyTorch is missing.")
        told = self._ports.strengths(file.path)
        norms = told["norms"]
        answer = {
            "blocks": [{"name": name, "part": _part(name), "norm": norm} for name, norm in norms.items()],
            "largest": max((norm for norm in norms.values() if norm is not None), default=0.0),
            "faults": [str(fault)[:300] for fault in told["faults"][:20]],
            "not_finite": len(told["not_finite"]),
            "all_zero": len(told["all_zero"]),
        }
        with self._lock:
            self._known[key] = answer
            while len(self._known) > STRENGTHS_KEPT:
                self._known.popitem(last=False)
        return answer


def _part(block: str) -> str:
    if block.startswith(("te", "encoder")):
        return "text encoder"
    return "other" if block == "other" else "unet"
