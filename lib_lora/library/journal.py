"""What the user noted, once more as plain lines of JSON beside the database: the copy that survives it.

Every line is one whole change. A line that a power cut left half is passed over, and with it nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..files.writing import write_atomically

NAME = "mine.jsonl"
LINE_LIMIT = 1_000_000  # characters


class Journal:
    """The file of lines; None as folder keeps none."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / NAME if folder else None

    def append(self, *changes: Mapping[str, Any]) -> int:
        """Add changes for good; return the file's length in bytes. Raises OSError, adding nothing."""
        if self._path is None:
            return 0
        lines = "".join(json.dumps(change, ensure_ascii=False) + "\n" for change in changes).encode()
        with self._path.open("ab") as file:
            before = file.tell()
            try:
                if before and not self._ends_well(before):
                    file.write(b"\n")  # another process was killed in the middle of a line
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    file.truncate(before)
                raise
            return file.tell()

    def take_back(self, size: int) -> None:
        """Remove everything after the first `size` bytes: what could not be done after all."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                os.truncate(self._path, size)

    def read(self, start: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the changes from byte `start` on, the oldest first."""
        if self._path is None or not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(start)
            for line in file:
                try:
                    change = json.loads(line) if len(line) <= LINE_LIMIT else None
                except (ValueError, RecursionError):
                    continue
                if isinstance(change, dict):
                    yield change

    def size(self) -> int:
        """Return the length in bytes."""
        try:
            return self._path.stat().st_size if self._path else 0
        except OSError:
            return 0

    def replace(self, changes: Iterable[Mapping[str, Any]]) -> int:
        """Write `changes` in place of all lines; return the new length. Raises NotWrittenError."""
        if self._path is None:
            return 0
        write_atomically(
            self._path,
            lambda file: file.writelines(
                json.dumps(change, ensure_ascii=False).encode() + b"\n" for change in changes
            ),
        )
        return self.size()

    def _ends_well(self, length: int) -> bool:
        assert self._path is not None
        with self._path.open("rb") as file:
            file.seek(length - 1)
            return file.read(1) == b"\n"
