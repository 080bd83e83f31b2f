"""Walking the root folders: what lies in each of them, and which folders are as they were.

Every real folder is entered once, whatever links lead where. Names that begin with a dot are passed over, as
in the WebUI's folder view. Nothing is raised.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from stat import S_ISDIR
from types import MappingProxyType
from typing import NamedTuple

from ..files.companions import companion_suffixes
from ..files.previews import PICTURE_SUFFIXES
from ..files.text import readable
from .network_file import NetworkFile

SUFFIXES = (".safetensors", ".pt", ".ckpt")  # the last two are listed to say why they cannot be used
Entries = list[os.DirEntry[str]]


def _by_last_part(suffixes: Iterable[str]) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return endings by their last part, each with `*` where it follows the whole file name."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for suffix in suffixes:
        ending = suffix.lstrip("*")
        last = ending[ending.rfind(".") :]
        found[last] = (*found.get(last, ()), (ending, suffix[: -len(ending)]))
    return MappingProxyType(found)


_BESIDE = _by_last_part((*companion_suffixes(), *PICTURE_SUFFIXES))


class Layout(NamedTuple):
    """The names in a folder, and which of them are networks and what belongs to each, by their places."""

    names: list[str]
    groups: tuple[tuple[int, tuple[int, ...]], ...]


class Mark(NamedTuple):
    """An entry of a folder as it was: a network, or what belongs to one, or any other."""

    name: str
    mtime_ns: int  # -1 for any other
    size: int
    mode: int  # for any other: whether it is a folder


class Folder(NamedTuple):
    """A folder without trouble: while its entries are as they were, so are its files."""

    root: Path
    layout: Layout
    marks: list[Mark]
    files: list[NetworkFile]


def walk(
    root: Path, visited: set[str], problems: list[str], known: Mapping[str, Folder]
) -> Iterator[tuple[str, Entries | None]]:
    """Yield `root` and the folders below it, each real folder once, links followed, with their entries.

    None stands for the entries of a folder that is as it is known.
    """
    if not os.path.isdir(root):  # noqa: PTH112  Path.is_dir raises where a folder above may not be entered
        problems.append(absence(root))
        return
    waiting = [str(root)]
    while waiting:
        folder = waiting.pop()
        real = os.path.realpath(folder)
        if real not in visited:
            visited.add(real)
            before = known.get(folder)
            below = _unchanged(folder, before.marks) if before is not None and before.root == root else None
            if below is None:
                entries = _entries(folder, problems)
                yield folder, entries
                waiting += [entry.path for entry in shown(entries) if is_folder(entry)]
            else:
                yield folder, None
                waiting += below


def absence(root: Path) -> str:
    """Say that a folder which somebody named is not there."""
    return f"The folder {readable(root)} does not exist. Create it, or change the setting."


def _entries(folder: str, problems: list[str]) -> Entries:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        problems.append(f"The folder {readable(folder)} cannot be read: {error.strerror}.")
        return []


def shown(entries: Entries) -> Entries:
    """Return the entries that are not hidden."""
    return [entry for entry in entries if entry.name[0] != "."]


def _unchanged(folder: str, marks: list[Mark]) -> list[str] | None:
    """Return the folders in a folder whose entries are as they were, else None; asked of every entry."""
    below = []
    try:
        with os.scandir(folder) as entries:
            for entry, (name, mtime_ns, size, mode) in zip(entries, marks, strict=True):
                if entry.name != name:
                    return None
                if mtime_ns == -1:
                    if entry.is_dir() != mode:
                        return None
                    if mode and name[0] != ".":
                        below.append(entry.path)
                else:
                    status = entry.stat()
                    if status.st_mtime_ns != mtime_ns or status.st_size != size or status.st_mode != mode:
                        return None
    except (OSError, ValueError):  # gone, or more or fewer than there were
        return None
    return below


def mark(layout: Layout, entries: Entries) -> list[Mark]:
    """Return what `_unchanged` compares, nothing where it could not tell: a folder called like a file."""
    watched = {layout.names[place] for network, beside in layout.groups for place in (network, *beside)}
    marks = []
    try:
        for entry in entries:
            if entry.name in watched:
                status = entry.stat()
                if S_ISDIR(status.st_mode):
                    return []
                marks.append(Mark(entry.name, status.st_mtime_ns, status.st_size, status.st_mode))
            else:
                marks.append(Mark(entry.name, -1, 0, entry.is_dir()))
    except OSError:
        return []
    return marks


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether it is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False


def group(known: Layout | None, entries: Entries) -> Layout:
    """Return what belongs together in a folder; the known answer while the names are the same.

    What belongs to no network by its letters belongs to one in other letters' size, as Windows takes it.
    """
    names = [entry.name for entry in entries]
    if known is not None and known.names == names:
        return known
    owners: dict[str, list[int]] = {}
    groups: dict[int, list[int]] = {}
    for place, name in enumerate(names):
        if name.lower().endswith(SUFFIXES):
            groups[place] = []
            owners.setdefault(os.path.splitext(name)[0], []).append(place)  # noqa: PTH122
            owners.setdefault(f"{name}*", []).append(place)
    folded: dict[str, list[int]] = {}
    for name, places in owners.items():
        folded.setdefault(name.lower(), []).extend(places)
    for place, name in enumerate(names):
        lower = name.lower()
        if place in groups:
            continue
        for ending, whole in _BESIDE.get(lower[lower.rfind(".") :], ()):
            if lower.endswith(ending):
                owner = name[: -len(ending)] + whole
                for network in owners.get(owner, folded.get(owner.lower(), [])):
                    if place not in groups[network]:
                        groups[network].append(place)
    return Layout(names, tuple((place, tuple(own)) for place, own in groups.items()))
