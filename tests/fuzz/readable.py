"""What every error of ours must be: one line that a person reads, with a way out."""

from __future__ import annotations

import unicodedata

from lib_lora.errors import LoraStackError

LONGEST = 1_000  # characters; more is no message any more
WAYS_OUT = (
    "Download",
    "Give",
    "Load",
    "Look",
    "Move",
    "Point",
    "Refresh",
    "Remove",
    "Run",
    "Try",
    "Unpack",
    "Use",
    "Wait",
    "download it again",
    "remove the row",
)


def check_readable(error: LoraStackError) -> None:
    """Fail unless the message is one harmless line of sane length that says what to do."""
    text = str(error)
    assert 0 < len(text) <= LONGEST, f"{len(text)} characters: {text[:200]!r}"
    assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text), repr(text)
    assert text.endswith("."), text
    assert any(way in text for way in WAYS_OUT), f"no way out: {text}"
