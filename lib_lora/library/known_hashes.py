"""Hashes computed so far, remembered as long as a file keeps its size and time. Safe to use from threads."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from ..errors import FileError
from ..files.disk import reasons
from ..files.hashes import AUTOV2, FULL, LEGACY, file_sha256, hash_all, legacy, payload_sha256
from .database import Database
from .network_file import NetworkFile
from .notes import stored

PAYLOAD, WHOLE, OLD = "payload", "whole", "old"
_MAKERS: tuple[tuple[str, Callable[[Path], str]], ...] = (
    (PAYLOAD, payload_sha256),
    (WHOLE, file_sha256),
    (OLD, legacy),
)
Key = tuple[str, str, int, int]  # kind, path, size, mtime_ns


class KnownHashes:
    """A memory of hashes by path, size and time, kept in the user's database: they took hours to compute."""

    def __init__(self, database: Database) -> None:
        self._lock = Lock()
        self._database = database
        self._known: dict[Key, str] | None = None  # read when first asked for

    def known(self, file: NetworkFile, kind: str = PAYLOAD) -> str:
        """Return a hash computed before, or an empty text."""
        return self._table().get((kind, stored(file.place), file.size, file.mtime_ns), "")

    def is_known(self, file: NetworkFile, kind: str = PAYLOAD) -> bool:
        """Tell whether a hash was computed before; a small file's old hash is an empty text."""
        return (kind, stored(file.place), file.size, file.mtime_ns) in self._table()

    def are_of(self, file: NetworkFile) -> bool:
        """Tell whether the file still is the one that was listed."""
        try:
            return _now(file) == (file.size, file.mtime_ns)
        except FileError:
            return False

    def compute(self, file: NetworkFile, kind: str = PAYLOAD) -> str:
        """Return a hash of the file as it is now, computing it the first time; raises FileError."""
        size, mtime_ns = _now(file)
        key = (kind, stored(file.place), size, mtime_ns)
        digest = self._table().get(key)
        if digest is None:
            digest = dict(_MAKERS)[kind](file.path)
            self._keep({key: digest})
        return digest

    def compute_all(self, file: NetworkFile, read: Callable[[int], bool]) -> bool:
        """Compute all hashes in one reading; `read` hears of bytes read and says whether to go on.

        Returns whether it came to the end. Raises FileError.
        """
        size, mtime_ns = _now(file)
        digests = hash_all(file.path, read)
        if digests is None:
            return False
        path = stored(file.place)
        self._keep(
            {
                (kind, path, size, mtime_ns): digest
                for kind, digest in zip((PAYLOAD, WHOLE, OLD), digests, strict=True)
            }
        )
        return True

    def claims(self, file: NetworkFile, wanted: str) -> bool:
        """Return whether `wanted` is a hash known of the file, computed before or declared by the file."""
        declared = file.declared_legacy if len(wanted) == LEGACY else file.declared_hash
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

    def _table(self) -> dict[Key, str]:
        with self._lock:
            if self._known is None:
                self._known = {}
                with contextlib.suppress(sqlite3.Error), self._database.reading() as connection:
                    rows = connection.execute("SELECT kind, path, size, mtime_ns, digest FROM mine.hashes")
                    self._known = {
                        (kind, path, size, mtime): digest for kind, path, size, mtime, digest in rows
                    }
            return self._known

    def _keep(self, digests: dict[Key, str]) -> None:
        self._table().update(digests)
        with contextlib.suppress(sqlite3.Error), self._database.writing() as connection:
            # What cannot be kept is computed again another day.
            connection.executemany(
                "INSERT OR REPLACE INTO mine.hashes (kind, path, size, mtime_ns, digest) "
                "VALUES (?, ?, ?, ?, ?)",
                [(*key, digest) for key, digest in digests.items()],
            )


def _now(file: NetworkFile) -> tuple[int, int]:
    with reasons(file.path):
        status = file.path.stat()
    return status.st_size, status.st_mtime_ns


def kinds(wanted: str) -> tuple[str, ...]:
    """Return which hashes a text of that length can be."""
    if len(wanted) == LEGACY:
        return (OLD,)
    if len(wanted) == AUTOV2:
        return (WHOLE,)
    return (PAYLOAD, WHOLE) if len(wanted) == FULL else (PAYLOAD,)
