"""Files opened before they are read, so that a disk brings many of their headers at once.

A disk that is asked for one header after the other takes three times as long as for all of them side by side.
Nothing happens where the headers are in memory already, or where the system knows no such hints.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from .disk import PREFIX

MANY = 32  # files worth asking for at once
ENDING = ".safetensors"  # of what is read from the open file; all else would stay open until the end
FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe must not hang
LARGEST = 4 * 1024 * 1024  # bytes of a header asked for ahead; longer ones are read when their turn comes
_PAGE = 4096  # bytes; what is read of a file at least
_POSSIBLE = hasattr(os, "posix_fadvise") and hasattr(os, "RWF_NOWAIT")


class Ahead:
    """Files that are open because somebody will read them next; `close` gives back those nobody took."""

    def __init__(self) -> None:
        self._files: dict[str, int] = {}

    def begin(self, paths: Iterable[str]) -> bool:
        """Have the headers of files brought; return whether it was tried.

        Only the first file is looked at where that one is in memory.
        """
        if not _POSSIBLE:
            return False
        begun: list[int] = []
        for path in paths:
            if path in self._files or not path.endswith(ENDING):
                continue
            with contextlib.suppress(OSError, ValueError):
                file = self._files[path] = os.open(path, FLAGS)
                if not begun and _is_in_memory(file):
                    return False
                begun.append(file)
                os.posix_fadvise(file, 0, _PAGE, os.POSIX_FADV_WILLNEED)
        for file in begun:
            with contextlib.suppress(OSError):
                end = PREFIX + int.from_bytes(os.pread(file, PREFIX, 0), "little")
                if _PAGE < end <= LARGEST:
                    os.posix_fadvise(file, _PAGE, end - _PAGE, os.POSIX_FADV_WILLNEED)
        return True

    def bring(self, paths: Iterable[str]) -> None:
        """Have the beginnings of small files brought, which are opened again when they are read."""
        for path in paths:
            with contextlib.suppress(OSError, ValueError):
                file = os.open(path, FLAGS)
                try:
                    os.posix_fadvise(file, 0, _PAGE, os.POSIX_FADV_WILLNEED)
                finally:
                    os.close(file)

    def take(self, path: str) -> int:
        """Return the open file at `path`, opened now if it is not. Raises OSError, ValueError."""
        file = self._files.pop(path, None)
        return os.open(path, FLAGS) if file is None else file

    def close(self) -> None:
        """Close what nobody took."""
        while self._files:
            os.close(self._files.popitem()[1])


def _is_in_memory(file: int) -> bool:
    """Tell whether the beginning can be read without waiting for a disk; no where the system cannot tell."""
    try:
        return os.preadv(file, [bytearray(PREFIX)], 0, os.RWF_NOWAIT) == PREFIX
    except OSError:
        return False
