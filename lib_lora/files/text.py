"""Hostile text made harmless: metadata and sidecars may hold anything, of any length."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Sequence

from . import quick_json

# Control characters, line separators, halves of surrogate pairs, and marks that turn the direction of
# writing, with which a name can pretend to be another. Tabs and line breaks are dealt with apart.
_HARMFUL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def clean(text: object, limit: int) -> str:
    """Return `text` as one line of at most `limit` characters without control characters; not text: empty."""
    if not isinstance(text, str):
        return ""
    if len(text) <= limit and text.isprintable() and "  " not in text:  # nothing printable is harmful
        return text.strip()
    return " ".join(_harmless(text[: limit * 4], " ").split())[:limit].rstrip()


def clean_words(words: Sequence[str], limit: int) -> list[str]:
    """Return every word as `clean` does; what is harmless already is looked at all at once."""
    joined = "|".join(words)
    if joined.isprintable() and "  " not in joined and (not words or len(max(words, key=len)) <= limit):
        return [word.strip() for word in words]
    return [clean(word, limit) for word in words]


def clean_lines(text: object, limit: int) -> str:
    """Return `text` with its line breaks, at most `limit` characters, without control characters."""
    if not isinstance(text, str):
        return ""
    if len(text) <= limit and text.isprintable():
        return text.strip()
    return _harmless(text[: limit * 4].replace("\r\n", "\n").replace("\r", "\n"), "\n")[:limit].strip()


def readable(path: object) -> str:
    """Return a path as text; what no text can hold, in names of another alphabet's bytes, becomes a mark."""
    return os.fsencode(str(path)).decode("utf-8", "replace")


def folded(text: str) -> str:
    """Return `text` as it is searched for: without regard to case, to wide and narrow letters, and to whether
    an accent is a letter's own or follows it, as in names from a Mac."""
    return text.casefold() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def parse_json(text: str, limit: int, exact: bool = False) -> object:
    """Return the JSON value in `text`, or None where it is too long, malformed or a nesting bomb.

    exact: whether whole numbers beyond 64 bits matter.
    """
    if len(text) > limit:
        return None
    try:
        return json.loads(text) if exact else quick_json.loads(text)
    except (ValueError, RecursionError):
        return None


def _harmless(text: str, line_break: str) -> str:
    return _HARMFUL.sub("", text).replace("\t", " ").replace("\n", line_break)
