"""Hashes computed so far, remembered as long as a file keeps its size and time. Safe to use from threads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock

from ..errors import FileError
from ..files.disk import reasons
from ..files.hashes import AUTOV2, FULL, LEGACY, file_sha256, legacy, payload_sha256
from .network_file import NetworkFile

PAYLOAD, WHOLE, OLD = "payload", "whole", "old"
_MAKERS: tuple[tuple[str, Callable[[Path], str]], ...] = (
    (PAYLOAD, payload_sha256),
    (WHOLE, file_sha256),
    (OLD, legacy),
)


class KnownHashes:
    """A memory of hashes by path, size and time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[tuple[str, Path, int, int], str] = {}

    def known(self, file: NetworkFile, kind: str = PAYLOAD) -> str:
        """Return a hash computed before, or an empty text."""
        with self._lock:
            return self._known.get((kind, file.path, file.size, file.mtime_ns), "")

    def compute(self, file: NetworkFile, kind: str = PAYLOAD) -> str:
        """Return a hash of the file as it is now, computing it the first time; raises FileError."""
        with reasons(file.path):
            status = file.path.stat()
        key = (kind, file.path, status.st_size, status.st_mtime_ns)
        with self._lock:
            digest = self._known.get(key, "")
        if not digest:
            digest = dict(_MAKERS)[kind](file.path)
            with self._lock:
                self._known[key] = digest
        return digest

    def claims(self, file: NetworkFile, wanted: str) -> bool:
        """Return whether `wanted` is a hash known of the file, computed before or declared by the file."""
        declared = file.words.declared_legacy if len(wanted) == LEGACY else file.words.declared_hash
        return any(
            known.startswith(wanted) for known in (declared, *(self.known(file, k) for k in kinds(wanted)))
        )

    def matches(self, file: NetworkFile, wanted: str) -> bool:
        """Return whether `wanted` is a hash of the file, computed now if need be."""
        if file.flaw:
            return False
        try:
            return any(self.compute(file, kind).startswith(wanted) for kind in kinds(wanted))
        except FileError:
            return False


def kinds(wanted: str) -> tuple[str, ...]:
    """Return which hashes a text of that length can be."""
    if len(wanted) == LEGACY:
        return (OLD,)
    if len(wanted) == AUTOV2:
        return (WHOLE,)
    return (PAYLOAD, WHOLE) if len(wanted) == FULL else (PAYLOAD,)
