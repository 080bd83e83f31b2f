"""Hostile text made harmless: metadata and sidecars may hold anything, of any length."""

from __future__ import annotations

import json
import unicodedata

# Marks that turn the direction of writing; with them a name can pretend to be another.
_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")


def clean(text: object, limit: int) -> str:
    """Return `text` as one line of at most `limit` characters without control characters; not text: empty."""
    if not isinstance(text, str):
        return ""
    if len(text) <= limit and text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(_harmless(text[: limit * 4], " ").split())[:limit].rstrip()


def clean_lines(text: object, limit: int) -> str:
    """Return `text` with its line breaks, at most `limit` characters, without control characters."""
    if not isinstance(text, str):
        return ""
    return _harmless(text[: limit * 4].replace("\r\n", "\n").replace("\r", "\n"), "\n")[:limit].strip()


def parse_json(text: str, limit: int) -> object:
    """Return the JSON value in `text`, or None where it is too long, malformed or a nesting bomb."""
    if len(text) > limit:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _harmless(text: str, line_break: str) -> str:
    def kept(character: str) -> str:
        if character in "\n\t":
            return line_break if character == "\n" else " "
        if character in _TURNING or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            return ""
        return character

    return "".join(map(kept, text))
