"""Passes: in which runs of one picture a row acts, and how strongly in each.

    base,hires             in these two, with the row's weight
    base,hires:0.5         in the second with a weight of its own
    base,hires:0.5/0.2     the UNet's and the text encoder's
                           nothing: in all of them

A weight of its own stands in the place of the row's `weight` and `unet` in that pass; the text encoder has it
too unless the row has a `te`, or the pass names one after the `/`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..errors import EntryValueError, nearest
from .entry import DECIMALS, WEIGHT_LIMIT, Entry, row_title, shown
from .stack import Stack

BASE, HIRES, REFINER, DETAILER = "base", "hires", "refiner", "detailer"
PASSES = (BASE, HIRES, REFINER, DETAILER)
"""The first run; the second at a larger size; the last steps with another checkpoint; faces drawn anew."""

EXAMPLE = "base,hires:0.5"


@dataclass(frozen=True)
class Pass:
    """One pass that a row acts in; weights of None are the row's own."""

    name: str
    unet: float | None = None
    te: float | None = None

    def __str__(self) -> str:
        """The text of one item."""
        numbers = [_shortest(number) for number in (self.unet, self.te) if number is not None]
        return ":".join((self.name, *(["/".join(numbers)] if numbers else [])))


def read_passes(text: str) -> tuple[Pass, ...]:
    """Read the field, empty for all passes; raises EntryValueError naming the field."""
    found: dict[str, Pass] = {}
    for item in (part.strip() for part in text.replace(";", ",").split(",")):
        if not item:
            continue
        name, colon, numbers = item.partition(":")
        name = name.strip().lower()
        if name not in PASSES:
            hint = f"{nearest(name, PASSES, 1)} They are {', '.join(PASSES)}."
            raise EntryValueError(f"passes: there is no pass {shown(name)}.{hint}")
        if name in found:
            raise EntryValueError(f"passes names {name} twice.")
        unet, slash, te = numbers.partition("/")
        found[name] = Pass(name, _number(item, unet) if colon else None, _number(item, te) if slash else None)
    return tuple(found.values())


def write_passes(passes: Iterable[Pass]) -> str:
    """Return the text of the field."""
    return ",".join(str(item) for item in passes)


def in_pass(entry: Entry, name: str) -> Entry:
    """Return the row as it is worn in one pass: off where it does not act, with the pass's weights else."""
    passes = read_passes(entry.passes)
    if not passes or not entry.on:
        return entry
    own = next((item for item in passes if item.name == name), None)
    if own is None:
        return replace(entry, on=False)
    if own.unet is None:
        return entry
    te = entry.te if own.te is None else own.te
    return replace(entry, weight=own.unet, unet=None, te=te)


def worn_in(stack: Stack, name: str) -> Stack:
    """Return the stack as it is worn in one pass; itself where no row tells passes apart.

    Raises EntryValueError naming the row.
    """
    if not any(entry.passes and entry.on for entry in stack.entries):
        return stack
    worn = []
    for index, entry in enumerate(stack.entries):
        try:
            worn.append(in_pass(entry, name))
        except EntryValueError as error:
            raise EntryValueError(f"{row_title(index, entry.network)}: {error}") from None
    return replace(stack, entries=tuple(worn))


def _number(item: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise EntryValueError(f"passes: {shown(item)} has no weight such as in {EXAMPLE}.")
    if abs(value) > WEIGHT_LIMIT:
        raise EntryValueError(
            f"passes: {shown(item)}: a weight goes from -{WEIGHT_LIMIT:g} to {WEIGHT_LIMIT:g}."
        )
    return round(value, DECIMALS) + 0.0


def _shortest(number: float) -> str:
    return f"{number:.{DECIMALS}f}".rstrip("0").rstrip(".")
