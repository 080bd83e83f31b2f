"""Presets that the user keeps in LoRA Block Weight's files, by name.

    lbwpresets.txt     MYFACE:1,0,0,0,1,1,1,1,1,1,1,1,0,0,0,0,0
    elempresets.txt    HANDS:IN05-OUT05:attn:0.5          (several rules: commas after the first)

As there, other lines are remarks: with `#`, without `:`, or with a count of numbers that no layout has. A
preset is written out where it is used, so that a picture's parameters need no file.
"""

from __future__ import annotations

from collections.abc import Mapping

from .blocks import ELEMENT_PRESETS, LAYOUTS, PRESETS

COUNTS = frozenset(len(layout.blocks) for layout in LAYOUTS)
CHARACTER_LIMIT = 1_000_000  # of one file: more is no list of presets


def read_presets(text: str) -> dict[str, str]:
    """Return the vectors of a `lbwpresets.txt` by name, as they are written in a row; names in capitals."""
    found: dict[str, str] = {}
    for line in text[:CHARACTER_LIMIT].splitlines():
        name, colon, rest = line.partition(":")
        numbers = [part.strip() for part in rest.split(",")]
        if colon and "#" not in line and name.strip() and len(numbers) in COUNTS:
            found[name.strip().upper()] = ",".join(numbers)
    return found


def read_element_presets(text: str) -> dict[str, str]:
    """Return the rules of an `elempresets.txt` by name, as they are written in a row."""
    found: dict[str, str] = {}
    for line in text[:CHARACTER_LIMIT].splitlines():
        name, colon, rest = line.partition(":")
        rules = [part.strip() for part in rest.split(",") if part.strip()]
        if colon and "#" not in line and name.strip() and rules and all(r.count(":") == 2 for r in rules):
            found[name.strip().upper()] = ";".join(rules)
    return found


def written_out(blocks: str, own: Mapping[str, str]) -> str:
    """Return the `blocks` field with the user's presets in their own words; ours go before his."""
    ours = {preset.name for preset in PRESETS} | set(ELEMENT_PRESETS)
    parts = [part.strip() for part in blocks.split(";")]
    return ";".join(part if part.upper() in ours else own.get(part.upper(), part) for part in parts)
