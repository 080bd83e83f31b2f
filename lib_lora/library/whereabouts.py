"""Whether a noted file is still where it was, and under which other path it is listed now."""

from __future__ import annotations

import contextlib
import os
import unicodedata
from collections.abc import Iterable

from .network_file import NetworkFile


def is_gone(path: str) -> bool:
    """Tell whether there is surely no such file.

    A drive that does not answer tells nothing, nor does a link to a drive that is away.
    """
    try:
        os.stat(path)  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        return not _leads_nowhere(path)
    except ValueError:
        return True
    except OSError:
        return False
    return False


def _leads_nowhere(path: str) -> bool:
    """Tell whether the way to a file that is not there ends at a link."""
    while not os.path.lexists(path) and path != os.path.dirname(path):  # noqa: PTH120
        path = os.path.dirname(path)  # noqa: PTH120
    return os.path.islink(path) and not os.path.exists(path)  # noqa: PTH110, PTH114


class Listed:
    """The files of a list, to be asked for one that is still where it was, but is listed as another.

    That is so when a folder is now reached through a link, or when only capitals or accents of a name were
    written anew on a disk that takes both for one, as those of Windows and macOS do.
    """

    def __init__(self, files: Iterable[NetworkFile]) -> None:
        self._files: dict[tuple[str, int], list[NetworkFile]] = {}
        for file in files:
            name = os.path.basename(file.place)  # noqa: PTH119  a path of each of thousands would stay in memory
            self._files.setdefault((_folded(name), file.size), []).append(file)

    def same(self, path: str, name: str, size: int) -> NetworkFile | None:
        """Return the file that is the one at `path`, None where there is none or several are."""
        found = [file for file in self._files.get((_folded(name), size), ()) if _is_one(path, file.place)]
        return found[0] if len(found) == 1 else None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _is_one(path: str, other: str) -> bool:
    with contextlib.suppress(OSError, ValueError):
        here, there = os.stat(path), os.stat(other)  # noqa: PTH116
        # What has several names of equal right is several files to the user.
        return os.path.samestat(here, there) and here.st_nlink == 1
    return False
