"""Regions: where in the picture a row acts.

    inpaint            inside the mask that the picture is inpainted with, as the WebUI prepared it
    box:0.5,0,0.5,1    a rectangle: left, top, width, height in fractions of the picture
    mask:left          a mask of the stack by its name; white acts, black does not, grey by halves
    not:2              wherever row 2 does not

`feather` softens the edge of the first three over that fraction of the picture's shorter side, half of it on
either side; `not` has the softness of the row it names, so that the two add up to one everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from ..errors import EntryValueError, nearest
from .entry import DECIMALS, Entry, row_title, shown
from .masks import Masks

INPAINT, BOX, MASK, NOT = "inpaint", "box", "mask", "not"
KINDS = (INPAINT, BOX, MASK, NOT)
FEATHER_LIMIT = 0.5
EXAMPLES = "Write inpaint, box:0,0,0.5,1 (left, top, width, height), mask:name or not:2"

NO_NAMES: Mapping[str, str] = MappingProxyType({})

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Region:
    """One region; `box` of a BOX, `name` of a MASK, `row` (from 1) of a NOT."""

    kind: str
    box: Box = (0.0, 0.0, 1.0, 1.0)
    name: str = ""
    row: int = 0
    feather: float = 0.0

    def __str__(self) -> str:
        """The text of the field."""
        if self.kind == BOX:
            numbers = (f"{number:.{DECIMALS}f}".rstrip("0").rstrip(".") for number in self.box)
            return f"{BOX}:{','.join(numbers)}"
        return {MASK: f"{MASK}:{self.name}", NOT: f"{NOT}:{self.row}"}.get(self.kind, self.kind)


def read_region(text: str, feather: float = 0.0) -> Region | None:
    """Read the two fields of a row, None for the whole picture; raises EntryValueError naming the field."""
    kind, colon, rest = text.strip().partition(":")
    kind, rest = kind.strip().lower(), rest.strip()
    if not kind and not colon:
        return None
    if kind == INPAINT and not rest:
        return Region(INPAINT, feather=feather)
    if kind == BOX and rest:
        return Region(BOX, box=_box(text, rest), feather=feather)
    if kind == MASK and rest:
        return Region(MASK, name=rest, feather=feather)
    if kind == NOT and rest.isdecimal() and int(rest[:9]) >= 1:
        if feather:
            raise EntryValueError(
                f"feather: {text} has the softness of row {rest}. Set feather there, not here."
            )
        return Region(NOT, row=int(rest[:9]))
    hint = "" if kind in KINDS else nearest(kind, KINDS, 1)
    raise EntryValueError(f"region {shown(text)} is no region.{hint} {EXAMPLES}.")


def read_regions(entries: Sequence[Entry], masks: Masks) -> tuple[Region | None, ...]:
    """Read the regions of all rows together, those that are off too: others may name them.

    Raises EntryValueError naming the row: what `read_region` refuses, a mask or a row that is not there, rows
    that name each other in a circle, and the rest of a row that acts everywhere. What is wrong with a row
    that is off matters only to the rows that name it.
    """
    found, wrong = _read_all(entries, masks)
    for index, entry in enumerate(entries):
        if entry.on and (problem := _problem(index, found, wrong)):
            raise EntryValueError(f"{row_title(index, entry.network)}: {problem}")
    return found


def region_problems(entries: Sequence[Entry], masks: Masks) -> tuple[str, ...]:
    """Return what is wrong with the region of each row, on or off, empty where it can act."""
    found, wrong = _read_all(entries, masks)
    return tuple(_problem(index, found, wrong) for index in range(len(entries)))


def moved(entry: Entry, rows: int, masks: Mapping[str, str] = NO_NAMES) -> Entry:
    """Return a row as it is written so many rows further down: the row that its `not` names moves too.

    masks: new names of masks by their old ones.
    """
    try:
        region = read_region(entry.region, entry.feather)
    except EntryValueError:
        return entry
    if region is not None and region.kind == NOT:
        return replace(entry, region=str(replace(region, row=region.row + rows)))
    if region is not None and region.name in masks:
        return replace(entry, region=str(replace(region, name=masks[region.name])))
    return entry


def _read_all(
    entries: Sequence[Entry], masks: Masks
) -> tuple[tuple[Region | None, ...], dict[int, EntryValueError]]:
    """Return the region of every row, and what is wrong with those that cannot be read, by index."""
    found: list[Region | None] = []
    wrong: dict[int, EntryValueError] = {}
    for index, entry in enumerate(entries):
        region = None
        try:
            region = read_region(entry.region, entry.feather)
            _check_mask(region, masks)
        except EntryValueError as error:
            region, wrong[index] = None, error
        found.append(region)
    return tuple(found), wrong


def _problem(index: int, regions: Sequence[Region | None], wrong: Mapping[int, EntryValueError]) -> str:
    """Return what is wrong with a row or with a row that its `not` leads to, empty where nothing is."""
    if index in wrong:
        return str(wrong[index])
    here, region, seen = index, regions[index], {index}
    if region is None:
        return ""
    while region.kind == NOT:
        if region.row > len(regions):
            rows = "1 row" if len(regions) == 1 else f"{len(regions)} rows"
            return f"region not:{region.row}: the stack has {rows}."
        here = region.row - 1
        if here in seen:
            return f"region not:{region.row} leads back to this row, so it is nowhere defined."
        if here in wrong:
            return f"region not:{here + 1} cannot be told: row {here + 1}: {wrong[here]}"
        named = regions[here]
        if named is None:
            return (
                f"region not:{here + 1} is nowhere, because row {here + 1} acts in the whole picture. "
                f"Give row {here + 1} a region, or clear this one."
            )
        seen.add(here)
        region = named
    return ""


def _check_mask(region: Region | None, masks: Masks) -> None:
    if region is not None and region.kind == MASK:
        names = [name for name, _ in masks]
        if region.name not in names:
            known = f" There are {', '.join(names[:8])}." if names else " The stack has no masks."
            hint = nearest(region.name, names, 1) or known
            raise EntryValueError(f"region: there is no mask called {shown(region.name)}.{hint}")


def _box(text: str, rest: str) -> Box:
    try:
        x, y, width, height = (float(part) for part in rest.split(","))
    except ValueError:
        raise EntryValueError(
            f"region {shown(text)}: a box has four numbers: left, top, width, height, in fractions of the "
            "picture. The left half is box:0,0,0.5,1."
        ) from None
    if not all(math.isfinite(number) for number in (x, y, width, height)):
        raise EntryValueError(f"region {shown(text)}: a number of the box is not finite.")
    x, y, width, height = (round(number, DECIMALS) + 0.0 for number in (x, y, width, height))
    if width <= 0 or height <= 0:
        raise EntryValueError(f"region {shown(text)}: the box has no area. Width and height must be above 0.")
    slack = 10**-DECIMALS * 1.5
    if x < 0 or y < 0 or x + width > 1 + slack or y + height > 1 + slack:
        pixels = " Fractions are wanted, not pixels." if max(x, y, width, height) > 2 else ""
        raise EntryValueError(
            f"region {shown(text)}: the box lies outside the picture, which goes from 0 to 1.{pixels}"
        )
    return x, y, min(width, 1 - x), min(height, 1 - y)
