"""One file of the library: where it is, and what a scan learned of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import FileError
from ..files.architecture import LABELS
from ..files.hashes import short
from ..files.header import read_header
from ..files.metadata import NetworkFacts, facts
from ..files.previews import PICTURE_SUFFIXES
from .entry import Entry, make_entry
from .identity import identity
from .record import Record
from .roles import guess_role, role_of_folder


class Beside(NamedTuple):
    """A sidecar or a picture beside a network."""

    name: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, eq=False)
class NetworkFile:
    """A file in a root folder. `label` is its path below the root without suffix: `styles/ghibli`.

    `place` is its whole path as a text: a scan of thousands has no use for more.
    `flaw` is why it could not be read. `text` is the record as JSON, which is decoded when somebody asks.
    """

    label: str
    place: str
    root: Path
    size: int
    mtime_ns: int
    beside: tuple[Beside, ...] = ()
    alias: str = ""  # the name the trainer gave it (`ss_output_name`)
    declared_hash: str = ""
    declared_legacy: str = ""
    fingerprint: str = field(default="", repr=False)
    flaw: str = ""
    text: str = field(default="", repr=False)

    @cached_property
    def path(self) -> Path:
        """Where it is."""
        return Path(self.place)

    @cached_property
    def id(self) -> str:
        """Opaque text that names this file and no other, as long as it stays where it is."""
        return identity(self.place)

    @cached_property
    def record(self) -> Record:
        """What the scan learned."""
        return Record.from_json(self.text) if self.text else Record()

    @cached_property
    def entry(self) -> Entry:
        """What the index holds of it where the user noted nothing."""
        return self.entry_with({})

    def entry_with(self, own: Mapping[str, Any]) -> Entry:
        """Return what the index holds of it where the user noted `own`."""
        return make_entry(self.record, self.label, self.role, self.flaw, own)

    def settle(self, entry: Entry) -> None:
        """Keep an entry that is made already until `release`."""
        vars(self)["entry"] = entry

    def release(self) -> None:
        """Keep the record as text only, which takes a tenth of the memory."""
        vars(self).pop("record", None)
        vars(self).pop("entry", None)

    @property
    def name(self) -> str:
        """The file's name without folder and suffix."""
        return self.label.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The folder below the root, empty for the root itself."""
        return self.label.rpartition("/")[0]

    def is_like(self, other: NetworkFile) -> bool:
        """Tell whether nothing is known of the other that is not known of this one."""
        return all(
            getattr(self, name) == getattr(other, name)
            for name in ("root", "size", "mtime_ns", "beside", "flaw", "text")
        )

    @cached_property
    def facts(self) -> NetworkFacts | None:
        """What names, shapes and metadata tell, read anew; None for a file that cannot be read."""
        try:
            return None if self.flaw else facts(read_header(self.path))
        except FileError:
            return None

    @property
    def problem(self) -> str:
        """Why it cannot be used, in words; empty when nothing is wrong."""
        return self.flaw or self.record.problem

    @cached_property
    def role(self) -> str:
        """The kind of network it seems to be, or empty: by its tags, then its folders, the nearest first."""
        return guess_role(self.record.kinds) or role_of_folder(self.folder, self.root.name)

    @property
    def trigger_words(self) -> tuple[str, ...]:
        """Words that call it up: the user's own, else those of a site or in the file."""
        return self.record.trigger_words

    @cached_property
    def pictures(self) -> tuple[Path, ...]:
        """The pictures beside it, the best naming first."""
        stem, whole = os.path.splitext(self.path.name)[0], self.path.name  # noqa: PTH122
        order = [whole + s[1:] if s.startswith("*") else stem + s for s in PICTURE_SUFFIXES]
        present = {beside.name.lower(): beside.name for beside in self.beside}
        found = dict.fromkeys(present[name.lower()] for name in order if name.lower() in present)
        return tuple(self.path.with_name(name) for name in found)

    @property
    def preview(self) -> Path | None:
        """The best picture beside it."""
        return self.pictures[0] if self.pictures else None

    @property
    def has_preview(self) -> bool:
        """Tell whether there is a picture beside it or inside."""
        return bool(self.pictures) or self.record.picture_inside

    @property
    def picture_version(self) -> str:
        """A text that changes with any of its pictures, empty where there is none."""
        if not self.has_preview:
            return ""
        names = {picture.name for picture in self.pictures}
        times = sum(other.mtime_ns for other in self.beside if other.name in names)
        return f"{times + (self.mtime_ns if self.record.picture_inside else 0):x}"

    def summary(self, known_hash: str = "") -> dict[str, object]:
        """Return what the page shows, as JSON values; `known_hash` is the computed one where there is one."""
        known = self.record
        claimed = short(self.declared_hash)
        return {
            "id": self.id,
            "label": self.label,
            "folder": self.folder,
            "name": self.name,
            "title": known.title,
            "alias": self.alias,
            "hash": known_hash or claimed,
            "hash_note": f"The file itself says {claimed}."
            if known_hash and claimed not in ("", known_hash)
            else "",
            "size": self.size,
            "mtime": self.mtime_ns / 1e9,
            "architecture": known.architecture,
            "architecture_label": LABELS.get(known.architecture, ""),
            "architecture_note": known.note,
            "family": known.family,
            "rank": known.rank,
            "parts": list(known.parts),
            "base_model": known.base_model,
            "trigger_words": list(known.trigger_words),
            "negative": known.negative,
            "preview": self.has_preview,
            "preview_version": self.picture_version,
            "preferred_weight": known.weight,
            "strength_min": known.strength_min,
            "strength_max": known.strength_max,
            "notes": known.notes,
            "description": known.description[:500],
            "role": self.role,
            "problem": self.problem,
        }
