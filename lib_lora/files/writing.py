"""Writing that leaves either the old file or the new one, whatever happens: power cut, full disk, kill -9."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ..errors import NotWrittenError

PARTIAL = ".partial"
LEFT_ALONE = 3600.0  # seconds after which nobody writes on at a half-written file


def write_atomically(path: Path, write: Callable[[BinaryIO], object], durable: bool = True) -> None:
    """Let `write` fill a new file beside `path` and put it in its place, with its permissions.

    durable: wait until the disk has it, so that a power cut right after cannot take it back.

    Raises NotWrittenError, and leaves what was there, where the disk is full or the folder read-only.
    """
    path = Path(os.path.realpath(path))  # a link stays a link
    name = ""
    try:
        handle, name = tempfile.mkstemp(prefix=_beginning(path), suffix=PARTIAL, dir=path.parent)
        os.close(handle)
        with Path(name).open("wb") as file:
            write(file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        with contextlib.suppress(OSError):
            Path(name).chmod(_mode(path))
        os.replace(name, path)  # noqa: PTH105
        name = ""
    except OSError as error:
        raise NotWrittenError(
            f"{path.name} could not be written: {error.strerror or error}. Nothing was changed. "
            f"{_way_out(error)}"
        ) from error
    finally:
        if name:
            with contextlib.suppress(OSError):
                Path(name).unlink()
    if durable:
        _sync_folder(path.parent)


def sweep(path: Path) -> None:
    """Remove what processes that were killed left half-written of the file at `path`; never raises."""
    path = Path(os.path.realpath(path))
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if (
                entry.name.startswith(_beginning(path))
                and entry.name.endswith(PARTIAL)
                and entry.stat().st_mtime < time.time() - LEFT_ALONE
            ):
                Path(entry.path).unlink(missing_ok=True)


def _mode(path: Path) -> int:
    """Return the permissions of a file, of a new one those of its folder: whoever lists it may read it."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return path.parent.stat().st_mode & 0o666


def _way_out(error: OSError) -> str:
    if error.errno == errno.ENAMETOOLONG:
        return "Give the file a shorter name."
    return "Look whether the disk is full or the folder is read-only."


def _beginning(path: Path) -> str:
    return f".{path.name[:50]}."  # four bytes a letter at most, of the 255 that a name may have


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable, where the system lets folders be opened."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
