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
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import EntryValueError, nearest
from .entry import DECIMALS, Entry, row_title, shown
from .masks import Masks

INPAINT, BOX, MASK, NOT = "inpaint", "box", "mask", "not"
KINDS = (INPAINT, BOX, MASK, NOT)
FEATHER_LIMIT = 0.5
EXAMPLES = "Write inpaint, box:0,0,0.5,1 (left, top, width, height), mask:name or not:2"

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
    found: list[Region | None] = []
    wrong: dict[int, EntryValueError] = {}
    for index, entry in enumerate(entries):
        try:
            found.append(read_region(entry.region, entry.feather))
            _check_mask(found[-1], masks)
        except EntryValueError as error:
            found = [*found[:index], None]
            wrong[index] = error
    for index, entry in enumerate(entries):
        if entry.on:
            try:
                _follow(index, found, wrong)
            except EntryValueError as error:
                raise EntryValueError(f"{row_title(index, entry.network)}: {error}") from None
    return tuple(found)


def moved(entry: Entry, rows: int) -> Entry:
    """Return a row as it is written so many rows further down: the row that its `not` names moves too."""
    try:
        region = read_region(entry.region, entry.feather)
    except EntryValueError:
        return entry
    if region is None or region.kind != NOT:
        return entry
    return replace(entry, region=str(replace(region, row=region.row + rows)))


def _follow(index: int, regions: Sequence[Region | None], wrong: dict[int, EntryValueError]) -> None:
    """Check the row and every row its `not` leads to."""
    seen = [index]
    while True:
        here = seen[-1]
        if here in wrong:
            raise (
                wrong[here]
                if here == index
                else EntryValueError(f"region not:{here + 1} cannot be told: row {here + 1}: {wrong[here]}")
            )
        region = regions[here]
        if region is None:
            if here == index:
                return
            raise EntryValueError(
                f"region not:{here + 1} is nowhere, because row {here + 1} acts in the whole picture. "
                f"Give row {here + 1} a region, or clear this one."
            )
        if region.kind != NOT:
            return
        if region.row > len(regions):
            rows = "1 row" if len(regions) == 1 else f"{len(regions)} rows"
            raise EntryValueError(f"region not:{region.row}: the stack has {rows}.")
        if region.row - 1 in seen:
            raise EntryValueError(
                f"region not:{region.row} leads back to this row, so it is nowhere defined."
            )
        seen.append(region.row - 1)


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
