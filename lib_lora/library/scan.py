"""Walking the root folders: every network below them once, whatever links lead where, and nothing raised.

A file is read again only when it, its sidecar or its preview changed. Names that begin with a dot are passed
over, as in the WebUI's folder view.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileError
from ..files.header import read_metadata
from ..files.metadata import read_words
from ..files.sidecars import PREVIEW_SUFFIXES, Sidecar, find_preview, read_sidecar
from .network_file import NetworkFile, Stamp

SUFFIXES = (".safetensors", ".pt", ".ckpt")  # the last two are listed to say why they cannot be used
_SIDECARS = (".json", ".txt")


@dataclass(frozen=True)
class Scan:
    """What a walk found: files by label, and folders that could not be read, in words."""

    files: tuple[NetworkFile, ...] = ()
    problems: tuple[str, ...] = ()


def scan(roots: Sequence[Path], previous: Sequence[NetworkFile]) -> Scan:
    """Return all networks below `roots`, keeping the files of `previous` that did not change."""
    problems: list[str] = []
    visited: set[str] = set()
    known = {file.stamp: file for file in previous if not file.flaw}
    found = [
        _network_file(root, entry, siblings, known)
        for root in roots
        for siblings in _walk(root, visited, problems)
        for entry in siblings.values()
        if entry.name.lower().endswith(SUFFIXES) and not _is_folder(entry)
    ]
    files = sorted((file for file in found if file), key=lambda file: (file.label.casefold(), str(file.path)))
    return Scan(tuple(files), tuple(problems))


def _walk(root: Path, visited: set[str], problems: list[str]) -> Iterator[dict[str, os.DirEntry[str]]]:
    """Yield the entries of `root` and of the folders below it, each real folder once, links followed."""
    if not os.path.isdir(root):  # noqa: PTH112  Path.is_dir raises where a folder above may not be entered
        problems.append(f"The folder {root} does not exist. Create it, or change the setting.")
        return
    waiting = [str(root)]
    while waiting:
        folder = waiting.pop()
        real = os.path.realpath(folder)
        if real not in visited:
            visited.add(real)
            entries = _entries(folder, problems)
            yield entries
            waiting += [entry.path for entry in entries.values() if _is_folder(entry)]


def _entries(folder: str, problems: list[str]) -> dict[str, os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry for entry in entries if not entry.name.startswith(".")}
    except OSError as error:
        problems.append(f"The folder {folder} cannot be read: {error.strerror}.")
        return {}


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False


def _network_file(
    root: Path,
    entry: os.DirEntry[str],
    siblings: Mapping[str, os.DirEntry[str]],
    known: Mapping[Stamp | None, NetworkFile],
) -> NetworkFile | None:
    """Return the file, the known one where nothing changed; None when it vanished since."""
    size, mtime_ns = _status(entry)
    if size < 0 and not entry.is_symlink():
        return None
    stem = os.path.splitext(entry.name)[0]  # noqa: PTH122  thousands of times: a Path is ten times slower
    sidecars = tuple((name, *_status(siblings[name])) for s in _SIDECARS if (name := stem + s) in siblings)
    pictures = tuple(name for s in PREVIEW_SUFFIXES if (name := stem + s) in siblings)
    stamp = Stamp(root, entry.path, size, mtime_ns, sidecars, pictures)
    return known.get(stamp) or _read(stamp)


def _read(stamp: Stamp) -> NetworkFile:
    path = Path(stamp.path)
    label, flaw = _label(path.relative_to(stamp.root).with_suffix(""))
    metadata: dict[str, str] = {}
    try:
        metadata = read_metadata(path)
    except FileError as error:
        flaw = flaw or str(error)
    return NetworkFile(
        label=label,
        path=path,
        root=stamp.root,
        size=max(stamp.size, 0),
        mtime_ns=max(stamp.mtime_ns, 0),
        words=read_words(metadata),
        sidecar=read_sidecar(path) if stamp.sidecars else Sidecar(),
        preview=find_preview(path) if stamp.pictures else None,
        flaw=flaw,
        stamp=stamp,
    )


def _label(relative: Path) -> tuple[str, str]:
    """Return the label and what is wrong with the name: a name that is no text cannot travel in a stack."""
    label = relative.as_posix()
    try:
        label.encode("utf-8")
    except UnicodeEncodeError:
        readable = os.fsencode(label).decode("utf-8", "replace")
        return readable, "The file's name is not valid text. Rename the file."
    return label, ""


def _status(entry: os.DirEntry[str]) -> tuple[int, int]:
    """Return size and mtime_ns, or -1 for both where the file is gone or a link leads nowhere."""
    try:
        status = entry.stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns
