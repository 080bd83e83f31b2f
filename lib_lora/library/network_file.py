"""One file of the library: what a scan learns of it, and what is read only when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ..errors import FileError
from ..files.architecture import LABELS
from ..files.hashes import short
from ..files.header import read_header
from ..files.metadata import NetworkFacts, Words, facts
from ..files.sidecars import Sidecar
from .roles import guess_role


class Stamp(NamedTuple):
    """What a folder's listing tells of a file; while that stays equal, a rescan does not read it again."""

    root: Path
    path: str
    size: int
    mtime_ns: int
    sidecars: tuple[tuple[str, int, int], ...]  # (name, size, mtime_ns)
    pictures: tuple[str, ...]


@dataclass(frozen=True)
class NetworkFile:
    """A file in a root folder. `label` is its path below the root without suffix: `styles/ghibli`.

    `flaw` is what the scan saw to be wrong; `problem` looks deeper, into the whole header.
    """

    label: str
    path: Path
    root: Path
    size: int
    mtime_ns: int
    words: Words = field(repr=False)
    sidecar: Sidecar = field(default=Sidecar(), repr=False)
    preview: Path | None = None
    flaw: str = ""
    stamp: Stamp | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The file's name without folder and suffix."""
        return self.label.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The folder below the root, empty for the root itself."""
        return self.label.rpartition("/")[0]

    @property
    def alias(self) -> str:
        """The name the trainer gave it (`ss_output_name`)."""
        return self.words.alias

    @property
    def facts(self) -> NetworkFacts | None:
        """What names, shapes and metadata tell; None for a file that cannot be read."""
        return self._deep[0]

    @property
    def problem(self) -> str:
        """Why it cannot be used, in words; empty when nothing is wrong."""
        return self.flaw or self._deep[1]

    @cached_property
    def _deep(self) -> tuple[NetworkFacts | None, str]:
        if self.flaw:
            return None, self.flaw
        try:
            known = facts(read_header(self.path))
        except FileError as error:
            return None, str(error)
        return known, known.problem

    @cached_property
    def role(self) -> str:
        """The kind of network it seems to be, or empty: by its tags, then its folders, the nearest first."""
        return guess_role((*self.words.kinds, *reversed(self.folder.split("/")), self.root.name))

    @property
    def trigger_words(self) -> tuple[str, ...]:
        """Words that call it up: the user's own, else those in the file."""
        own = tuple(word.strip() for word in self.sidecar.activation_text.split(",") if word.strip())
        return own or self.words.trigger_words

    @cached_property
    def haystack(self) -> str:
        """Everything a search looks through, in lower case."""
        texts = (self.label, self.alias, self.words.title, *self.trigger_words, self.sidecar.notes)
        return "\n".join(texts).casefold()

    def summary(self, known_hash: str = "") -> dict[str, object]:
        """Return what the page shows, as JSON values; `known_hash` is the computed one where there is one."""
        known = self.facts
        claimed = short(self.words.declared_hash)
        return {
            "label": self.label,
            "folder": self.folder,
            "name": self.name,
            "title": self.words.title,
            "alias": self.alias,
            "hash": known_hash or claimed,
            "hash_note": f"The file itself says {claimed}."
            if known_hash and claimed not in ("", known_hash)
            else "",
            "size": self.size,
            "mtime": self.mtime_ns / 1e9,
            "architecture": known.architecture if known else "",
            "architecture_label": LABELS.get(known.architecture, "") if known else "",
            "architecture_note": known.note if known else "",
            "family": known.family if known else "",
            "rank": known.rank if known else "",
            "parts": list(known.parts) if known else [],
            "trigger_words": list(self.trigger_words),
            "preview": self.preview is not None,
            "preferred_weight": self.sidecar.preferred_weight,
            "notes": self.sidecar.notes,
            "description": self.sidecar.description or self.words.description,
            "role": self.role,
            "problem": self.problem,
        }
