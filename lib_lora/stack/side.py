"""Sides: whether a row acts for the prompt, for the negative prompt, or (nothing given) for both.

Every step of sampling asks the UNet twice: what the prompt wants, and what the negative prompt wants, from
which guidance leads away.
"""

from __future__ import annotations

from ..errors import EntryValueError, nearest
from .entry import shown

POSITIVE, NEGATIVE = "positive", "negative"
SIDES = (POSITIVE, NEGATIVE)


def read_side(text: str) -> str:
    """Return one of `SIDES`, or empty text for both; raises EntryValueError naming the field."""
    side = text.strip().lower()
    if side in ("", "both"):
        return ""
    if side not in SIDES:
        raise EntryValueError(
            f"side {shown(text)} is no side of the prompt.{nearest(side, SIDES, 1)} "
            f"Write {POSITIVE} or {NEGATIVE}, or nothing for both."
        )
    return side
