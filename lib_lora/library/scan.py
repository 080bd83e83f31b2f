"""Every network below the root folders, and what it says of itself; nothing is raised, nothing is hashed.

A file is read again only when it or something beside it changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from stat import S_ISDIR

from ..files.glance import Glancer
from .network_file import Beside, NetworkFile
from .readers import AT_LEAST, Readers
from .reading import Found, label_of
from .walk import Entries, Folder, Layout, group, is_folder, mark, shown, walk

Progress = Callable[[int, int], None]
Early = Callable[[Sequence[NetworkFile]], None]
EARLY = (0.35, 0.7, 0.92)  # how much is read when it is told of; the rest at the end


@dataclass(frozen=True)
class Scan:
    """What a walk found: files by label, and folders that could not be read, in words."""

    files: tuple[NetworkFile, ...] = ()
    problems: tuple[str, ...] = ()
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    folders: Mapping[str, Folder] = field(default_factory=dict)

    @cached_property
    def by_path(self) -> Mapping[str, NetworkFile]:
        """The files by their paths."""
        return {file.place: file for file in self.files}


def scan(
    roots: Sequence[Path],
    previous: Scan,
    progress: Progress = lambda done, of: None,
    early: Early = lambda files: None,
) -> Scan:
    """Return all networks below `roots`, keeping the files of `previous` that did not change.

    `progress` hears how many of the files that have to be read are read; `early`, where these are many, of
    all files in parts, most of them before the last is read.
    """
    problems: list[str] = []
    layouts: dict[str, Layout] = {}
    folders: dict[str, Folder] = {}
    known = previous.by_path
    files: list[NetworkFile] = []
    kept = 0
    new: list[Found] = []
    visited: set[str] = set()
    glancer = Glancer()
    with Readers() as readers, closing(glancer.ahead):
        for root in roots:
            for folder, everything in walk(root, visited, problems, previous.folders):
                if everything is None:  # as it was
                    folders[folder] = before = previous.folders[folder]
                    layouts[folder] = before.layout
                    files += before.files
                    kept += len(before.files)
                    continue
                entries = shown(everything)
                layout = group(previous.layouts.get(folder), entries)
                layouts[folder] = layout
                readers.expect(len(new) + (0 if known else len(layout.groups)))
                here: list[NetworkFile] = []
                waiting = len(new)
                for place, beside in layout.groups:
                    file = known.get(entries[place].path)
                    if file is not None and _is_same(file, entries, place, beside):
                        same = file.root is root or file.root == root
                        kept += same
                        here.append(file if same else _moved(file, root))
                    elif (found := _found(root, entries, place, beside)) is not None:
                        new.append(found)
                files += here
                readers.expect(len(new))
                quiet = waiting == len(new) and not any(file.flaw for file in here)
                if quiet and (marks := mark(layout, everything)):
                    folders[folder] = Folder(root, layout, marks, here)
        tell = [int(part * len(new)) for part in EARLY] if len(new) >= AT_LEAST else []
        told_of = 0
        for done, (found, told) in enumerate(readers.read(glancer, new)):
            progress(done, len(new))
            file = told.file(found)
            old = known.get(found.path)
            files.append(old if old is not None and old.flaw and old.is_like(file) else file)
            if done in tell:
                early(files[told_of:])
                told_of = len(files)
        if told_of:
            early(files[told_of:])
    if new:
        progress(len(new), len(new))
    if kept == len(files) == len(previous.files):  # no path is visited twice
        same_list = replace(previous, problems=tuple(problems), layouts=layouts, folders=folders)
        vars(same_list)["by_path"] = known
        return same_list
    files.sort(key=lambda file: (file.label.casefold(), file.place))
    return Scan(tuple(files), tuple(problems), layouts, folders)


def _found(root: Path, entries: Entries, place: int, beside: tuple[int, ...]) -> Found | None:
    """Return a network with what lies beside it; None for a folder, and for what vanished since."""
    entry = entries[place]
    if is_folder(entry):
        return None
    size, mtime_ns = _status(entry)
    if size < 0 and not entry.is_symlink():
        return None
    around = tuple([Beside(entries[other].name, *_status(entries[other])) for other in beside])
    return Found(root, entry.path, max(size, 0), max(mtime_ns, 0), around)


def _is_same(file: NetworkFile, entries: Entries, place: int, beside: tuple[int, ...]) -> bool:
    """Tell whether a file and all that lies beside it are as they were; it is asked for every file."""
    if file.flaw or len(beside) != len(file.beside):
        return False  # what was in trouble is tried again
    try:
        status = entries[place].stat()
        if status.st_mtime_ns != file.mtime_ns or status.st_size != file.size or S_ISDIR(status.st_mode):
            return False
        for other, (name, size, mtime_ns) in zip(beside, file.beside, strict=True):
            entry = entries[other]
            status = entry.stat()
            if status.st_mtime_ns != mtime_ns or status.st_size != size or entry.name != name:
                return False
    except OSError:
        return False
    return True


def _moved(file: NetworkFile, root: Path) -> NetworkFile:
    label, flaw = label_of(file.place, root)
    return replace(file, root=root, label=label, flaw=flaw)


def _status(entry: os.DirEntry[str]) -> tuple[int, int]:
    """Return size and mtime_ns, or -1 for both where the file is gone or a link leads nowhere."""
    try:
        status = entry.stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns
