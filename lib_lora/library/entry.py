"""What the index holds of a file to find it by: facets, and all that a search looks through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..files.text import folded

if TYPE_CHECKING:
    from .network_file import NetworkFile

FACET_TAGS = 12  # tags of the training pictures by which a file can be filtered


class Entry(NamedTuple):
    """Texts and numbers only: what a scan holds of ten thousand files must not be many small objects."""

    architecture: str
    family: str
    role: str
    rating: int
    favourite: int
    problem: int
    noted: int
    tags: str
    hay: str


def make_entry(file: NetworkFile, own: Mapping[str, Any]) -> Entry:
    """Return the entry of a file of which the user noted `own`."""
    record = file.record
    return Entry(
        record.architecture,
        record.family,
        file.role,
        record.rating,
        int(record.favourite),
        int(bool(file.problem)),
        int(bool(record.notes or own.get("notes"))),
        _lines(facet_tags(file, own)),
        haystack(file, own),
    )


def facet_tags(file: NetworkFile, own: Mapping[str, Any]) -> Iterable[str]:
    """Return the tags by which a file can be filtered, the user's own first."""
    record = file.record
    tags = (
        *(own.get("tags") or ()),
        *record.own_tags,
        *record.kinds,
        *[tag for tag, _ in record.tags[:FACET_TAGS]],
    )
    return dict.fromkeys([tag.casefold() for tag in tags])


def haystack(file: NetworkFile, own: Mapping[str, Any]) -> str:
    """Return everything a search looks through, folded, one text a line."""
    record = file.record
    said = (own.get("title") or "", *(own.get("trigger_words") or ()), own.get("notes") or "")
    texts = (
        *(file.label, record.alias, record.title, *record.trigger_words, record.notes, record.description),
        *(*record.own_tags, *record.kinds, *[tag for tag, _ in record.tags], record.base_model),
        *(*said, *(own.get("tags") or ())),
    )
    joined = folded("\n".join(dict.fromkeys([text for text in texts if text])))
    return joined.encode("utf-8", "backslashreplace").decode("utf-8")  # SQLite holds no halves of letters


def _lines(words: Iterable[str]) -> str:
    """Return words so that each can be looked for as a whole, with a line break on both sides."""
    return "\n".join(("", *words, ""))
