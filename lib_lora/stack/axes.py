"""Axes of a comparison grid: the values as people write them, and what each makes of a stack.

    0.5, 0.8            of the only row
    2: 0-1 [5], None    of row 2; a target holds until the next one. None is the stack without that row
    style: 0.3, 0.5     of every row of that role; all: of every row that is on

Ranges are the WebUI's: `0-1 (+0.25)` by step, `0-1 [5]` by count. A value with commas stands in quotes, its
target inside them: `"2: box:0,0,0.5,1", "2: everywhere"`.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from ..errors import EntryValueError, nearest
from .advice import ROLES, find_role
from .axis_fields import (
    BLOCKS,
    LEAVE_OUT,
    NETWORK,
    ON,
    PASSES,
    REGION,
    ROLE,
    SCHEDULE,
    TE,
    TE_SCHEDULE,
    UNET,
    WEIGHT,
)
from .block_files import written_out
from .blocks import SD1_BLOCKS, SDXL_BLOCKS, is_number, read_blocks
from .entry import DECIMALS, Entry, row_title, shown
from .passes import read_passes
from .region import read_region
from .schedule import read_schedule, read_text_schedule
from .stack import Stack

NUMBERS = (WEIGHT, TE, UNET)
TEXTS = (REGION, PASSES, SCHEDULE, TE_SCHEDULE, BLOCKS, ROLE)
EVERYTHING = ("everywhere", "always", "all")  # of a text: the field left empty
EACH = "each"  # of LEAVE_OUT: nothing left out, then every row that is on
ALL = "all"
NO_PRESETS: Mapping[str, str] = MappingProxyType({})
VALUES_LIMIT = 100  # of one range: more is a slip, not a grid

_TARGET = re.compile(r"(?:row\s*)?(\d{1,4})|([a-z]+)", re.IGNORECASE)
_NUMBER = r"([+-]?\d+(?:\.\d+)?)"
_RANGE = re.compile(rf"{_NUMBER}\s*-\s*{_NUMBER}\s*(?:\(\s*{_NUMBER}\s*\)|\[\s*(\d+)\s*\])?")
_ON = ("on", "true", "yes", "1")
_OFF = ("off", "false", "no", "0")


@dataclass(frozen=True)
class Value:
    """One value of an axis: what is changed, in which rows, to what; None takes the rows out."""

    field: str
    target: str  # a row's number from 1, a role, ALL, or empty for the only row
    value: float | str | bool | None

    def __str__(self) -> str:
        written = ("on" if self.value else "off") if isinstance(self.value, bool) else self.value
        return f"{self.target}: {written}" if self.target else str(written)


def read_values(field: str, text: str, target: str = "") -> list[Value]:
    """Return the values of an axis; `target` is that of values which name none. Raises EntryValueError."""
    found: list[Value] = []
    for item in next(csv.reader([",".join(text.splitlines())], skipinitialspace=True), []):
        if not item.strip():
            continue
        named, rest = _split_target(item.strip())
        target = named or target
        found += [Value(field, target, value) for value in _read(field, rest)]
    return found


def expand(stack: Stack, values: Iterable[Value]) -> list[Value]:
    """Return the values with `each` written out for a stack."""
    found: list[Value] = []
    for value in values:
        if value.field == LEAVE_OUT and value.value == EACH:
            rows = (str(row) for row, entry in enumerate(stack.entries, 1) if entry.on)
            found += [Value(LEAVE_OUT, "", None), *(Value(LEAVE_OUT, "", row) for row in rows)]
        else:
            found.append(value)
    return found


def edit(stack: Stack, value: Value, presets: Mapping[str, str] = NO_PRESETS) -> Stack:
    """Return the stack that one cell of the grid is drawn with; raises EntryValueError.

    presets: the user's own, of blocks, which a row may name.
    """
    if value.field == LEAVE_OUT:
        target = "" if value.value in (None, EACH) else str(value.value)
        rows = _rows(stack, target) if target else ()
        changes: dict[int, Entry] = {row: replace(stack.entries[row], on=False) for row in rows}
    else:
        changes = {row: _changed(stack.entries[row], value, presets) for row in _rows(stack, value.target)}
    return replace(stack, entries=tuple(changes.get(row, entry) for row, entry in enumerate(stack.entries)))


def legend(stack: Stack, value: Value) -> str:
    """Return what stands beside the grid: `ghibli: 0.5`, `without ghibli`."""
    leaves_out = value.field == LEAVE_OUT
    if leaves_out and value.value in (None, EACH):
        return "all"
    rows = _rows(stack, str(value.value) if leaves_out else value.target)
    names = " + ".join(stack.entries[row].network.rpartition("/")[2] for row in rows)
    if leaves_out or value.value is None or value.value is False:
        return f"without {names}"
    if value.field in TEXTS:
        return f"{names}: {value.value}"
    part = {TE: " text encoder", UNET: " UNet"}.get(value.field, "")
    if value.field == NETWORK:
        return str(value.value).rpartition("/")[2]
    return f"with {names}" if value.field == ON else f"{names}{part}: {value.value:g}"


def bare_legend(value: Value) -> str:
    """Return the same where no stack tells the rows' names: `row 2: 0.5`, `without row 2`."""
    leaves_out = value.field == LEAVE_OUT
    if leaves_out and value.value in (None, EACH):
        return "all"
    target = str(value.value) if leaves_out else value.target
    row = f"row {target}" if target.isdigit() else target or "row"
    if leaves_out or value.value is None or value.value is False:
        return f"without {row}"
    if value.field == ON:
        return f"with {row}"
    part = {TE: " text encoder", UNET: " UNet"}.get(value.field, "")
    return f"{row}{part}: {value.value:g}" if value.field in NUMBERS else f"{row}: {value.value}"


def _split_target(item: str) -> tuple[str, str]:
    before, colon, after = item.partition(":")
    match = _TARGET.fullmatch(before.strip())
    if colon and match:
        if match[1]:
            return match[1], after.strip()
        word = match[2].lower()
        if word == ALL or any(word == role.name for role in ROLES):
            return word, after.strip()
    return "", item


def _read(field: str, text: str) -> Iterator[float | str | bool | None]:
    if text.lower() == "none":
        yield None
    elif field in NUMBERS or field == LEAVE_OUT:
        yield from _read_numbers(field, text)
    elif field == ON:
        if text.lower() not in (*_ON, *_OFF):
            raise EntryValueError(f"Write on or off, not {shown(text)}.")
        yield text.lower() in _ON
    else:
        yield text


def _read_numbers(field: str, text: str) -> Iterator[float | str]:
    leaves_out = field == LEAVE_OUT
    if leaves_out and (text.lower() in (EACH, ALL) or _split_target(f"{text}:")[0]):
        yield EACH if text.lower() in (EACH, ALL) else _split_target(f"{text}:")[0]
        return
    for number in _range(text):
        yield str(int(number)) if leaves_out else number


def _range(text: str) -> list[float]:
    match = _RANGE.fullmatch(text)
    if match is None:
        if not is_number(text) or not math.isfinite(float(text)):
            raise EntryValueError(
                f"{shown(text)} is no number. Write 0.5, a range such as 0-1 [5] or 0-1 (+0.25), or None."
            )
        return [round(float(text), DECIMALS)]
    first, last = float(match[1]), float(match[2])
    if match[4]:
        count = int(match[4])
        step = (last - first) / (count - 1) if count > 1 else 0.0
    else:
        step = float(match[3] or (1 if last >= first else -1))
        count = int((last - first) / step + 1e-9) + 1 if step else 0
    if not 1 <= count <= VALUES_LIMIT:
        raise EntryValueError(
            f"The range {shown(text)} has {max(count, 0)} values; from 1 to {VALUES_LIMIT}."
        )
    return [round(first + index * step, DECIMALS) for index in range(count)]


def _rows(stack: Stack, target: str) -> tuple[int, ...]:
    """Return the rows (from 0) that a target means; raises EntryValueError."""
    entries = stack.entries
    active = tuple(row for row, entry in enumerate(entries) if entry.on)
    if not entries:
        raise EntryValueError("The stack is empty. Add rows in the panel, then choose what the axis changes.")
    if target.isdigit():
        if not 1 <= int(target) <= len(entries):
            raise EntryValueError(f"There is no row {target}: the stack has {_count(len(entries))}.")
        return (int(target) - 1,)
    if target == ALL:
        return active
    if target:
        if rows := tuple(row for row in active if entries[row].role == target):
            return rows
        listed = ", ".join(f"{row_title(row, entries[row].network)}" for row in active)
        raise EntryValueError(f"No row that is on has the role '{target}': {listed or 'all are off'}.")
    if len(active) == 1 or len(entries) == 1:
        return active or (0,)
    raise EntryValueError(
        f"The stack has {_count(len(entries))}. Write which one before the value: 2: 0.5, or its role: "
        "style: 0.5, or all: 0.5."
    )


def _count(rows: int) -> str:
    return f"{rows} row" if rows == 1 else f"{rows} rows"


def _changed(entry: Entry, value: Value, presets: Mapping[str, str]) -> Entry:
    if value.value is None:
        return replace(entry, on=False)
    if value.field == ON:
        return replace(entry, on=bool(value.value))
    if value.field == NETWORK:
        return replace(entry, network=str(value.value), hash="", on=True)
    if value.field in TEXTS:
        return _said(entry, value.field, str(value.value), presets)
    number = float(value.value)
    if value.field == WEIGHT:
        # The one number of the row: parts with their own would not follow it.
        return replace(entry, weight=number, te=None, unet=None, on=True)
    return replace(entry, te=number, on=True) if value.field == TE else replace(entry, unet=number, on=True)


def _said(entry: Entry, field: str, text: str, presets: Mapping[str, str]) -> Entry:
    """Return the row with one of its texts changed; raises EntryValueError for one that cannot be."""
    if field == ROLE:
        role = find_role(text.lower())
        if role is None:
            names = [known.name for known in ROLES]
            hint = nearest(text, names, 1)
            raise EntryValueError(f"There is no role {shown(text)}.{hint} They are {', '.join(names)}.")
        # A role alone changes no picture; its usual weight does.
        return replace(entry, role=role.name, weight=role.default, te=None, unet=None, on=True)
    if text.lower() in EVERYTHING:
        text = ""
    if field == REGION:
        read_region(text, entry.feather)
    elif field == PASSES:
        read_passes(text)
    elif field == SCHEDULE:
        read_schedule(text, entry.start, entry.stop)
    elif field == TE_SCHEDULE:
        read_text_schedule(text, read_schedule(entry.schedule, entry.start, entry.stop))
    else:
        _check_blocks(written_out(text, presets))
    return replace(entry, **{field: text}, on=True)  # type: ignore[arg-type]


def _check_blocks(text: str) -> None:
    """Accept what some kind of checkpoint can read; which one is loaded is not known here."""
    try:
        read_blocks(text, SD1_BLOCKS)
    except EntryValueError as error:
        try:
            read_blocks(text, SDXL_BLOCKS)
        except EntryValueError:
            raise error from None
