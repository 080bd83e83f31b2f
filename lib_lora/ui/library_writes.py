"""The library's requests that change something: notes, metadata in files, hashing, looking again."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Body

from ..errors import FieldValueError
from ..library.catalogue import Catalogue
from ..library.comparing import copy_metadata, edit
from ..library.fields import FIELDS, check
from ..library.network_file import NetworkFile
from .ports import LibraryPorts

FILES_LIMIT = 20_000  # files named in one request
Document = dict[str, Any]
BODY: Any = Body()


def add_library_writes(router: APIRouter, ports: LibraryPorts) -> None:
    """Add the routes that change something."""

    @router.patch("/network")
    def note(body: Document = BODY) -> Document:
        catalogue = ports.catalogue()
        file = _one(catalogue, body)
        unknown = set(body) - {*FIELDS, "id", "label", "sidecar"}
        fields = {name: body[name] for name in body if name in FIELDS or name in unknown}
        return catalogue.note(file, fields, _flag(body, "sidecar", False))

    @router.post("/metadata")
    def write_metadata(body: Document = BODY) -> Document:
        catalogue = ports.catalogue()
        fields = body.get("fields")
        if not isinstance(fields, dict):
            raise FieldValueError("'fields' must be an object: the metadata's keys and their new texts.")
        return edit(catalogue, _one(catalogue, body), fields, _flag(body, "backup", True))

    @router.post("/metadata/copy")
    def copy(body: Document = BODY) -> Document:
        catalogue = ports.catalogue()
        source = _named(catalogue, body.get("from"))
        keys = body.get("fields")
        return copy_metadata(
            catalogue,
            source,
            [_named(catalogue, name) for name in _list(body, "to")],
            _flag(body, "only_same_session", True),
            _flag(body, "only_without", True),
            keys if isinstance(keys, list) else None,
        )

    @router.post("/used")
    def used(body: Document = BODY) -> Document:
        catalogue = ports.catalogue()
        files = _several(catalogue, body)
        weights = body.get("weights")
        listed = weights if isinstance(weights, list) and len(weights) == len(files) else [None] * len(files)
        catalogue.library.use(files, [check("weight", weight) for weight in listed])
        return {}

    @router.post("/hash")
    def hash_files(body: Document = BODY) -> Document:
        catalogue = ports.catalogue()
        everything = _flag(body, "all", False)
        files = list(catalogue.library.files()) if everything else _several(catalogue, body)
        catalogue.library.hashing.start(files, first=not everything)
        return catalogue.library.hashing.status()

    @router.delete("/hash")
    def stop_hashing() -> Document:
        hashing = ports.watch().hashing
        hashing.cancel()
        return hashing.status()

    @router.post("/refresh")
    def refresh() -> Document:
        library = ports.library()
        library.scan()
        told = library.scanning.status()
        found = {name: told[name] for name in ("added", "changed", "removed")}
        return {"total": len(library.files()), **found, "problems": list(library.problems())}


def _one(catalogue: Catalogue, body: Document) -> NetworkFile:
    key, label = body.get("id", ""), body.get("label", "")
    if not isinstance(key, str) or not isinstance(label, str):
        raise FieldValueError("'id' and 'label' must be text.")
    if not key and not label:
        raise FieldValueError("Name the file by its 'id' or its 'label'.")
    return catalogue.get(key, label)


def _named(catalogue: Catalogue, name: object) -> NetworkFile:
    if not isinstance(name, str):
        raise FieldValueError("Files are named by their id or label, as text.")
    return catalogue.library.get(name) or catalogue.get("", name)


def _several(catalogue: Catalogue, body: Document) -> list[NetworkFile]:
    return [_named(catalogue, name) for name in _list(body, "ids" if "ids" in body else "labels")]


def _list(body: Document, name: str) -> list[Any]:
    listed = body.get(name)
    if not isinstance(listed, list) or len(listed) > FILES_LIMIT:
        raise FieldValueError(f"'{name}' must be a list of at most {FILES_LIMIT} files.")
    return listed


def _flag(body: Document, name: str, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise FieldValueError(f"'{name}' must be true or false.")
    return value
