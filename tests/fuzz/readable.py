"""What every error of ours must be: one line that a person reads, with a way out."""

from __future__ import annotations

import re

from lib_lora.errors import LoraStackError

LONGEST = 1_000  # characters; more is no message any more
_UNREADABLE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
WAYS_OUT = (
    "Download",
    "Give",
    "Load",
    "Look",
    "Move",
    "Point",
    "Put",
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
    assert not _UNREADABLE.search(text), repr(text)
    assert text.endswith("."), text
    assert any(way in text for way in WAYS_OUT), f"no way out: {text}"
