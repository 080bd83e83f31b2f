"""What the index keeps of a file: all that lists, search and filters show, as one JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..files import quick_json
from ..files.hashes import is_junk
from ..files.metadata import NetworkFacts, read_words
from ..files.previews import has_inside
from ..files.sidecars import Sidecar
from ..files.structure import family_text, rank_text
from ..files.text import clean

DESCRIPTION = 1_000  # characters kept for lists
SESSION = 80


class Record(NamedTuple):
    """Facts of one file, capped and harmless; `problem` says why it cannot be used."""

    title: str = ""
    alias: str = ""
    description: str = ""
    base_model: str = ""
    session: str = ""
    trigger_words: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    tags: tuple[tuple[str, int], ...] = ()
    declared_hash: str = ""
    declared_legacy: str = ""
    architecture: str = ""
    note: str = ""
    families: tuple[str, ...] = ()
    ranks: tuple[int, ...] = ()
    parts: tuple[str, ...] = ()
    problem: str = ""
    rating: int = 0  # 0..5, from AddNet's 0..10
    picture_inside: bool = False
    negative: str = ""
    weight: float | None = None
    strength_min: float | None = None
    strength_max: float | None = None
    notes: str = ""
    favourite: bool = False
    own_tags: tuple[str, ...] = ()
    claimed: str = ""  # sha256 of the whole file, as a sidecar says
    sidecar_problem: str = ""

    def to_json(self) -> str:
        """Return the record as a JSON list."""
        return quick_json.dumps(self)

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Return the record in a text that `to_json` wrote."""
        values: list[Any] = [_frozen(value) for value in json.loads(text)]
        return cls(*values)

    @property
    def family(self) -> str:
        """The families in one text."""
        return family_text(self.families)

    @property
    def rank(self) -> str:
        """The ranks in one text."""
        return rank_text(self.ranks)


def make_record(metadata: Mapping[str, str], facts: NetworkFacts | None, sidecar: Sidecar) -> Record:
    """Join what the file and what lies beside it say; the user's own words go first.

    `facts` is None for a file that cannot be read.
    """
    words = facts.words if facts else read_words({})
    said = sidecar.activation_text
    own = tuple(word.strip() for word in said.split(",") if word.strip()) if said else ()
    return Record(
        title=words.title or sidecar.title,
        alias=words.alias,
        description=(sidecar.description or words.description)[:DESCRIPTION],
        base_model=sidecar.base_model or words.base_model,
        session=clean(metadata.get("ss_session_id"), SESSION),
        trigger_words=own or sidecar.trained_words or words.trigger_words,
        kinds=words.kinds,
        tags=words.tags,
        declared_hash=words.declared_hash,
        declared_legacy=words.declared_legacy,
        architecture=facts.architecture if facts else "",
        note=facts.note if facts else "",
        families=facts.families if facts else (),
        ranks=facts.ranks if facts else (),
        parts=facts.parts if facts else (),
        problem=facts.problem if facts else "",
        rating=_stars(metadata.get("ssmd_rating", "")),
        picture_inside=has_inside(metadata),
        negative=sidecar.negative_text,
        weight=sidecar.preferred_weight,
        strength_min=sidecar.strength_min,
        strength_max=sidecar.strength_max,
        notes=sidecar.notes,
        favourite=sidecar.favourite,
        own_tags=sidecar.tags,
        claimed="" if is_junk(sidecar.sha256) else sidecar.sha256,
        sidecar_problem=sidecar.problem,
    )


def _stars(text: str) -> int:
    return min(5, (int(text) + 1) // 2) if text.isascii() and text.isdecimal() and len(text) < 4 else 0


def _frozen(value: object) -> object:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
