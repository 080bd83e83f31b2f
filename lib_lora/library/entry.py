"""What the index holds of a file to find it by: facets, and all that a search looks through."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..files.text import folded
from .record import Record

_NUMBER = re.compile(r"\d+")
FACET_TAGS = 12  # tags of the training pictures by which a file can be filtered


class Entry(NamedTuple):
    """Texts and numbers only: what a scan holds of ten thousand files must not be many small objects."""

    name: str  # folded
    sorted: str  # the name with its numbers filled up, so that 9 comes before 10
    architecture: str
    family: str
    role: str
    rating: int
    favourite: int
    problem: int
    noted: int
    tags: str
    hay: str


def make_entry(record: Record, label: str, role: str, flaw: str, own: Mapping[str, Any]) -> Entry:
    """Return the entry of a file of which the user noted `own`."""
    name = folded(label.rpartition("/")[2])
    return Entry(
        name,
        _NUMBER.sub(_filled, name),
        record.architecture,
        record.family,
        role,
        record.rating,
        int(record.favourite),
        int(bool(flaw or record.problem)),
        int(bool(record.notes or own.get("notes"))),
        _lines(facet_tags(record, own)),
        haystack(record, label, own),
    )


def facet_tags(record: Record, own: Mapping[str, Any]) -> Iterable[str]:
    """Return the tags by which a file can be filtered, the user's own first."""
    tags = (
        *(own.get("tags") or ()),
        *record.own_tags,
        *record.kinds,
        *[tag for tag, _ in record.tags[:FACET_TAGS]],
    )
    return dict.fromkeys(map(str.casefold, tags))


def haystack(record: Record, label: str, own: Mapping[str, Any]) -> str:
    """Return everything a search looks through, folded, one text a line."""
    said = (own.get("title") or "", *(own.get("trigger_words") or ()), own.get("notes") or "")
    texts = (
        *(label, record.alias, record.title, *record.trigger_words, record.notes, record.description),
        *(*record.own_tags, *record.kinds, *[tag for tag, _ in record.tags], record.base_model),
        *(*said, *(own.get("tags") or ())),
    )
    joined = folded("\n".join(dict.fromkeys(filter(None, texts))))
    # SQLite holds no halves of letters.
    return joined if joined.isascii() else joined.encode("utf-8", "backslashreplace").decode("utf-8")


def _filled(digits: re.Match[str]) -> str:
    return digits[0].zfill(9)


def _lines(words: Iterable[str]) -> str:
    """Return words so that each can be looked for as a whole, with a line break on both sides."""
    return "\n".join(("", *words, ""))
