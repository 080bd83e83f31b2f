"""One row of a stack: which network, how strong, where and when.

The declarations of `Entry` are the field table: type, default, bounds and documentation stand in one
line each. Reading, writing and checking are driven by `FIELDS`, made from them.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from ..errors import EntryValueError
from .frozen import checked_text, freeze

WEIGHT_LIMIT = 100.0  # a weight beyond this is a slip of the finger (1e9), never a wish
TEXT_LIMIT = 1000  # characters in one text field
DECIMALS = 6  # finer differences of a weight cannot be seen; a slider's 0.30000000000000004 is 0.3


class Field(NamedTuple):
    """One line of the field table."""

    name: str
    kind: str  # "text", "number" or "switch"
    default: object
    doc: str
    low: float = -math.inf
    high: float = math.inf
    required: bool = False

    def read(self, value: object) -> object:
        """Return `value` in this field's type; raises EntryValueError without the row's name."""
        if self.kind == "switch":
            return self._switch(value)
        if self.kind == "text":
            return self._text(value)
        return None if value is None and self.default is None else self._number(value)

    def _switch(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise EntryValueError(f"{self.name} must be true or false, not {shown(value)}.")
        return value

    def _text(self, value: object) -> str:
        if not isinstance(value, str):
            raise EntryValueError(f'{self.name} must be text in "quotes", not {shown(value)}.')
        if len(value) > TEXT_LIMIT:
            raise EntryValueError(f"{self.name} is {len(value)} characters long; the most is {TEXT_LIMIT}.")
        if self.required and not value.strip():
            raise EntryValueError(f"{self.name} is empty. Pick a file, or remove the row.")
        try:
            return checked_text(value)
        except ValueError as error:
            raise EntryValueError(f"{self.name} {error}. Rename the file, or type the name again.") from None

    def _number(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            quotes = " Write it without quotes." if isinstance(value, str) else ""
            raise EntryValueError(f"{self.name} must be a number such as 0.8, not {shown(value)}.{quotes}")
        if not self.low <= value <= self.high:  # NaN fails too
            bounds = f"{self.low:g} to {self.high:g}" if self.high < math.inf else f"{self.low:g} and above"
            raise EntryValueError(f"{self.name} must be from {bounds}, not {shown(value)}.")
        if not math.isfinite(value):
            raise EntryValueError(f"{self.name} must be a finite number, not {shown(value)}.")
        return round(float(value), DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0


def _text(doc: str, **facts: Any) -> Any:
    return field(default="", metadata={"kind": "text", "doc": doc, **facts})


def _number(default: float | None, doc: str, **facts: Any) -> Any:
    return field(default=default, metadata={"kind": "number", "doc": doc, **facts})


def _weight(default: float | None, doc: str) -> Any:
    return _number(default, doc, low=-WEIGHT_LIMIT, high=WEIGHT_LIMIT)


def _switch(default: bool, doc: str) -> Any:
    return field(default=default, metadata={"kind": "switch", "doc": doc})


@dataclass(frozen=True)
class Entry:
    """One row. Every value is checked on construction; raises EntryValueError naming the field."""

    network: str = _text("label of the file, path-like below its folder: styles/ghibli", required=True)
    hash: str = _text(
        "first 12 hex digits of the payload's sha256; finds a renamed file, decides between equals"
    )
    weight: float = _weight(1.0, "strength of the whole network; 0 is not the same as off")
    te: float | None = _weight(None, "strength in the text encoder, when it differs from weight")
    unet: float | None = _weight(None, "strength in the UNet, when it differs from weight")
    on: bool = _switch(True, "whether the row acts")
    role: str = _text("kind of network: character, beautifier, style, concept, clothing, object; advice only")
    schedule: str = _text("strength over the steps of sampling: 0@0,1@0.5")
    te_schedule: str = _text("strength in the text encoder over the steps: nothing, a curve, or same")
    start: str = _text("when the network begins to act: fraction, step or sigma")
    stop: str = _text("when the network ceases to act: fraction, step or sigma")
    blocks: str = _text("parts of the UNet it acts in: a preset, one number a block, rules")
    region: str = _text("where in the picture: inpaint, box:x,y,w,h, mask:name, not:row")
    feather: float = _number(
        0.0, "softness of the region's edge, part of the shorter side", low=0.0, high=0.5
    )
    passes: str = _text("in which passes, with which weight: base,hires:0.5,refiner,detailer")
    side: str = _text("for which prompt: positive, negative, or nothing for both")
    extra: tuple[tuple[str, object], ...] = ()  # fields of a later version: kept and written back

    def __post_init__(self) -> None:
        for known in FIELDS:
            object.__setattr__(self, known.name, known.read(getattr(self, known.name)))
        object.__setattr__(self, "extra", _checked_extra(self.extra))

    @property
    def unet_weight(self) -> float:
        """Strength in the UNet."""
        return self.weight if self.unet is None else self.unet

    @property
    def te_weight(self) -> float:
        """Strength in the text encoder."""
        return self.weight if self.te is None else self.te


FIELDS: tuple[Field, ...] = tuple(
    Field(name=declared.name, default=declared.default, **declared.metadata)
    for declared in fields(Entry)
    if declared.metadata
)
FIELD_NAMES: tuple[str, ...] = tuple(known.name for known in FIELDS)


def row_title(index: int, network: str = "") -> str:
    """Return how messages name the row at `index` (from 0): `row 2 (styles/ghibli)`."""
    return f"row {index + 1} ({network[:80]})" if network.strip() else f"row {index + 1}"


def shown(value: object) -> str:
    """Return `value` as the user wrote it, at most 40 characters."""
    if isinstance(value, float):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, repr(value).replace("nan", "NaN"))
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**18:
        return "a number of more than 18 digits"
    try:
        text = json.dumps(value, ensure_ascii=True)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= 40 else text[:39] + "…"


def _checked_extra(extra: tuple[tuple[str, object], ...]) -> tuple[tuple[str, object], ...]:
    names = [name for name, _ in extra]
    for name in names:
        if not isinstance(name, str):
            raise EntryValueError(f"{shown(name)} is not the name of a field.")
        if name in FIELD_NAMES or names.count(name) > 1:
            raise EntryValueError(f"'{name}' is given twice.")
    try:
        return tuple((checked_text(name), freeze(value, 1)) for name, value in extra)
    except ValueError as error:
        raise EntryValueError(f"an unknown field {error}.") from None
