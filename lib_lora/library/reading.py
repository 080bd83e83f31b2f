"""Reading one found file: all that a scan keeps of it; nothing is raised, whatever the file is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import FileError
from ..files.ahead import Ahead
from ..files.companions import read_joined, texts_beside
from ..files.glance import Glancer
from ..files.metadata import join_facts, read_words
from ..files.text import readable
from .entry import Entry, make_entry
from .network_file import Beside, NetworkFile
from .record import make_record
from .roles import guess_role, role_of_folder


class Found(NamedTuple):
    """A network that a walk met, and what lies beside it."""

    root: Path
    path: str
    size: int
    mtime_ns: int
    beside: tuple[Beside, ...]

    @property
    def names(self) -> list[str]:
        """The names of what lies beside it."""
        return [other.name for other in self.beside]


class Told(NamedTuple):
    """What was read of a found file, as texts and numbers that another process can send."""

    label: str
    alias: str
    declared_hash: str
    declared_legacy: str
    fingerprint: str
    flaw: str
    text: str
    entry: Entry

    def file(self, found: Found) -> NetworkFile:
        """Return the file that was read."""
        file = NetworkFile(
            label=self.label,
            place=found.path,
            root=found.root,
            size=found.size,
            mtime_ns=found.mtime_ns,
            beside=found.beside,
            alias=self.alias,
            declared_hash=self.declared_hash,
            declared_legacy=self.declared_legacy,
            fingerprint=self.fingerprint,
            flaw=self.flaw,
            text=self.text,
        )
        file.settle(self.entry)
        return file


def announce(ahead: Ahead, files: Iterable[tuple[str, Sequence[str]]]) -> None:
    """Ask the disk for files that will be read next, given as paths and names of what lies beside."""
    listed = list(files)
    if ahead.begin(path for path, _ in listed):
        for path, beside in listed:
            ahead.bring(texts_beside(path, beside))


def read_file(glancer: Glancer, root: Path, path: str, beside: Sequence[str]) -> Told:
    """Read what a file below `root` and what lies beside it, by names, say."""
    label, flaw = label_of(path, root)
    metadata: dict[str, str] = {}
    fingerprint, facts = "", None
    try:
        metadata, structure, fingerprint = glancer.read(path)
    except FileError as error:
        flaw = flaw or str(error)
    else:
        facts = join_facts(metadata, structure, read_words(metadata, with_training=False), False)
    record = make_record(metadata, facts, read_joined(path, beside))
    role = guess_role(record.kinds) or role_of_folder(label.rpartition("/")[0], root.name)
    return Told(
        label,
        record.alias,
        record.declared_hash,
        record.declared_legacy,
        fingerprint,
        flaw,
        record.to_json(),
        make_entry(record, label, role, flaw, {}),
    )


def label_of(path: str, root: Path) -> tuple[str, str]:
    """Return the label and what is wrong with the name: a name that is no text cannot travel in a stack."""
    below = path[len(str(root)) :].lstrip(os.sep)
    label = below[: below.rindex(".")].replace(os.sep, "/")
    try:
        label.encode("utf-8")
    except UnicodeEncodeError:
        return readable(label), "The file's name is not valid text. Rename the file."
    return label, ""
