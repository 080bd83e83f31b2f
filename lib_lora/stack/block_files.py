"""Presets that the user keeps in LoRA Block Weight's files, by name.

    lbwpresets.txt     MYFACE:1,0,0,0,1,1,1,1,1,1,1,1,0,0,0,0,0
    elempresets.txt    HANDS:IN05-OUT05:attn:0.5          (several rules: commas after the first)

As there, lines with `#` or without `:` are remarks, and so are lists without any number. A preset is written
out where it is used, so that a picture's parameters need no file; one that cannot be read is told of with its
name, and stops the row that uses it.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import EntryValueError
from .blocks import ELEMENT_PRESETS, LAYOUTS, PRESETS, is_number, read_blocks

FLUX_COUNT = 61  # a layout of a kind of checkpoint that no row fits
OURS = frozenset({preset.name for preset in PRESETS} | set(ELEMENT_PRESETS))
DRAWN = (("sd1", LAYOUTS[0]), ("sdxl", LAYOUTS[2]))
"""The layouts that the panel draws."""

CHARACTER_LIMIT = 1_000_000  # of one file: more is no list of presets


def read_presets(text: str) -> dict[str, str]:
    """Return the vectors of a `lbwpresets.txt` by name, as they are written in a row; names in capitals."""
    found: dict[str, str] = {}
    for line in text[:CHARACTER_LIMIT].splitlines():
        name, colon, rest = line.partition(":")
        numbers = [part.strip() for part in rest.split(",")]
        listed = len(numbers) not in (1, FLUX_COUNT) and any(map(is_number, numbers))
        if colon and "#" not in line and name.strip() and listed:
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
    parts = [part.strip() for part in blocks.split(";")]
    return ";".join(part if part.upper() in OURS else own.get(part.upper(), part) for part in parts)


def describe_own(own: Mapping[str, str]) -> list[dict[str, object]]:
    """What the panel lists: each preset, the kinds of model it fits, its numbers where they are drawn.

    `problem` says why one fits none. A name of ours is left out: ours is used.
    """
    return [_described(name, text) for name, text in own.items() if name not in OURS]


def _described(name: str, text: str) -> dict[str, object]:
    told: dict[str, object] = {"name": name, "doc": "", "own": True, "problem": "", "sd1": None, "sdxl": None}
    fits, problems = [], []
    for kind, layout in DRAWN:
        try:
            read = read_blocks(text, layout.model)
        except EntryValueError as error:
            problems.append(str(error))
            continue
        fits.append(kind)
        if not read.rules and text.count(",") + 1 == len(layout.blocks):
            factors = dict(read.factors)
            told[kind] = [factors[block] for block in layout.blocks]
    return told | {"fits": fits, "problem": "" if fits else problems[0]}
