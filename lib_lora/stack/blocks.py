"""Block weights: which parts of the UNet a row acts in, and how strongly there.

    OUTD                                   a preset by name
    1,0,0,0,1,1,1,0,0,0,0,0,0,0,0,0,0      one number a block: 17 or 26 (SD1, SD2), 12 or 20 (SDXL)
    OUTD;IN05-OUT05:attn:0                 then rules `blocks:elements:number`, the last that fits counts

Names, layouts and presets are those of LoRA Block Weight (hako-mikan). BASE is the text encoder, and the
UNet's embeddings of time and size. A block that a short layout does not name is 0, as there; the report says
when a file has weights in such blocks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..errors import EntryValueError, nearest

BASE = "BASE"
FACTOR_LIMIT = 100.0  # as for a weight: beyond it is a slip
RULE_LIMIT = 100


def _run(part: str, first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{part}{n:02d}" for n in range(first, last + 1))


SD1_BLOCKS = (BASE, *_run("IN", 0, 11), "M00", *_run("OUT", 0, 11))
SDXL_BLOCKS = (BASE, *_run("IN", 0, 8), "M00", *_run("OUT", 0, 8))


def model_blocks(architecture: str) -> tuple[str, ...]:
    """Return the blocks of a kind of model; SDXL's UNet is one step shallower, its refiner's is not."""
    return SDXL_BLOCKS if architecture == "sdxl" else SD1_BLOCKS


@dataclass(frozen=True)
class Layout:
    """How many numbers a vector has, and the block that each is for."""

    model: tuple[str, ...]
    blocks: tuple[str, ...]


LAYOUTS: tuple[Layout, ...] = (
    Layout(SD1_BLOCKS, (BASE, "IN01", "IN02", "IN04", "IN05", "IN07", "IN08", "M00", *_run("OUT", 3, 11))),
    Layout(SD1_BLOCKS, SD1_BLOCKS),
    Layout(SDXL_BLOCKS, (BASE, "IN04", "IN05", "IN07", "IN08", "M00", *_run("OUT", 0, 5))),
    Layout(SDXL_BLOCKS, SDXL_BLOCKS),
)


@dataclass(frozen=True)
class Preset:
    """A name for a set of blocks that are 1, by model; the others are 0. `sdxl` has our own choice."""

    name: str
    doc: str
    sd1: tuple[str, ...]
    sdxl: tuple[str, ...]

    def blocks(self, model: Sequence[str]) -> tuple[str, ...]:
        """The blocks that are 1 for this kind of model."""
        return self.sdxl if tuple(model) == SDXL_BLOCKS else self.sd1


_IN_SD1 = ("IN01", "IN02", "IN04", "IN05", "IN07", "IN08")
PRESETS: tuple[Preset, ...] = (
    Preset("ALL", "everywhere", SD1_BLOCKS, SDXL_BLOCKS),
    Preset("NONE", "nowhere", (), ()),
    Preset("INS", "layout and pose, coarse", (BASE, *_IN_SD1[:3]), (BASE, "IN04", "IN05")),
    Preset("IND", "subject, deep in", (BASE, *_IN_SD1[3:]), (BASE, "IN07", "IN08")),
    Preset("INALL", "the whole way in", (BASE, *_IN_SD1), (BASE, "IN04", "IN05", "IN07", "IN08")),
    Preset(
        "MIDD",
        "what the picture is of",
        (BASE, *_IN_SD1[3:], "M00", *_run("OUT", 3, 6)),
        (BASE, "IN07", "IN08", "M00", *_run("OUT", 0, 2)),
    ),
    Preset("OUTD", "subject and clothes, deep out", (BASE, *_run("OUT", 3, 6)), (BASE, *_run("OUT", 0, 2))),
    Preset("OUTS", "colours, strokes, surface", (BASE, *_run("OUT", 7, 11)), (BASE, *_run("OUT", 3, 5))),
    Preset("OUTALL", "the whole way out", (BASE, *_run("OUT", 3, 11)), (BASE, *_run("OUT", 0, 5))),
)
ELEMENT_PRESETS: Mapping[str, str] = MappingProxyType(
    {
        "ATTNDEEPON": "IN05-OUT05:attn:1",
        "ATTNDEEPOFF": "IN05-OUT05:attn:0",
        "PROJDEEPOFF": "IN05-OUT05:proj:0",
    }
)


@dataclass(frozen=True)
class Rule:
    """One line `blocks:elements:number`; an empty set of blocks or elements means all of them."""

    blocks: frozenset[str]
    blocks_not: bool
    elements: tuple[str, ...]
    elements_not: bool
    factor: float

    def fits(self, block: str, name: str) -> bool:
        """Whether a weight of this block and name is meant."""
        flat = name.replace(".", "_")
        return _member(block in self.blocks, bool(self.blocks), self.blocks_not) and _member(
            any(element in flat for element in self.elements), bool(self.elements), self.elements_not
        )


@dataclass(frozen=True)
class Blocks:
    """A factor for every block, and the rules that overrule it. `missing`: blocks without a number."""

    factors: tuple[tuple[str, float], ...]
    rules: tuple[Rule, ...]
    missing: frozenset[str]

    @property
    def last(self) -> str:
        """The last block on the way out."""
        return self.factors[-1][0]

    def factor(self, block: str, name: str) -> float:
        """How strongly the row acts on the weight `name`, which lies in `block`."""
        found = next((number for known, number in self.factors if known == block), 0.0)
        for rule in self.rules:
            if rule.fits(block, name):
                found = rule.factor
        return found


def describe_blocks() -> dict[str, Any]:
    """What the panel draws: the blocks of the short layouts, and the numbers of every preset."""
    short = {"sd1": LAYOUTS[0], "sdxl": LAYOUTS[2]}
    presets = [
        {"name": preset.name, "doc": preset.doc}
        | {
            kind: [int(block in preset.blocks(layout.model)) for block in layout.blocks]
            for kind, layout in short.items()
        }
        for preset in PRESETS
    ]
    return {"layouts": {kind: list(layout.blocks) for kind, layout in short.items()}, "presets": presets}


def read_blocks(text: str, model: Sequence[str]) -> Blocks:
    """Read the `blocks` field for a model with these blocks (SD1_BLOCKS or SDXL_BLOCKS).

    Raises EntryValueError: unknown preset, a count of numbers no layout has, or a rule that does not parse.
    """
    first, *rest = (part.strip() for part in text.split(";"))
    if ":" in first or first.upper() in ELEMENT_PRESETS:
        first, rest = "", [first, *rest]
    if len(rest) > RULE_LIMIT:
        raise EntryValueError(f"blocks has {len(rest)} rules; the most is {RULE_LIMIT}.")
    factors, missing = _vector(first, model) if first else (dict.fromkeys(model, 1.0), frozenset())
    return Blocks(tuple(factors.items()), tuple(_rule(part, model) for part in rest if part), missing)


def _vector(text: str, model: Sequence[str]) -> tuple[dict[str, float], frozenset[str]]:
    if "," not in text:
        known = {preset.name: preset for preset in PRESETS}
        preset = known.get(text.upper())
        if preset is None:
            raise EntryValueError(
                f"blocks: there is no preset '{text[:40]}'.{nearest(text, known)} "
                f"There are {', '.join(known)}, or write one number for each block."
            )
        chosen = preset.blocks(model)
        return {block: float(block in chosen) for block in model}, frozenset()
    numbers = [_number(part.strip()) for part in text.split(",")]
    fitting = [layout for layout in LAYOUTS if layout.model == tuple(model)]
    for layout in fitting:
        if len(numbers) == len(layout.blocks):
            given = dict(zip(layout.blocks, numbers, strict=True))
            return {block: given.get(block, 0.0) for block in model}, frozenset(model) - given.keys()
    counts = " or ".join(str(len(layout.blocks)) for layout in fitting)
    others = {len(layout.blocks) for layout in LAYOUTS} - {len(layout.blocks) for layout in fitting}
    hint = " That many are for another kind of checkpoint." if len(numbers) in others else ""
    raise EntryValueError(
        f"blocks has {len(numbers)} numbers; this checkpoint takes {counts}, separated by commas.{hint}"
    )


def _number(text: str) -> float:
    if re.fullmatch(r"[RUX]|X[+-][\d.]+", text, re.IGNORECASE):
        raise EntryValueError(
            f"blocks: '{text}' stands for a number that is drawn anew for each picture, "
            "and such a picture could not be made again. Write the number."
        )
    try:
        value = float(text)
    except ValueError:
        raise EntryValueError(f"blocks: '{text[:40]}' is not a number such as 0.5.") from None
    if not abs(value) <= FACTOR_LIMIT:
        raise EntryValueError(f"blocks: {text[:40]} must be from -{FACTOR_LIMIT:g} to {FACTOR_LIMIT:g}.")
    return value


def _rule(text: str, model: Sequence[str]) -> Rule:
    text = ELEMENT_PRESETS.get(text.upper(), text)
    parts = text.split(":")
    if len(parts) != 3:
        raise EntryValueError(
            f"blocks: '{text[:60]}' is no rule. Write blocks:elements:number, such as IN05-OUT05:attn:0."
            + nearest(text, ELEMENT_PRESETS, 1)
        )
    wanted, blocks_not = _negated(parts[0])
    elements, elements_not = _negated(parts[1])
    chosen = frozenset(block for token in wanted for block in _blocks(token, model))
    return Rule(chosen, blocks_not, tuple(elements), elements_not, _number(parts[2].strip()))


def _negated(text: str) -> tuple[list[str], bool]:
    tokens = text.split()
    return (tokens[1:], True) if tokens and tokens[0].upper() == "NOT" else (tokens, False)


def _blocks(token: str, model: Sequence[str]) -> Sequence[str]:
    first, sign, last = token.upper().partition("-")
    ends = [first, last] if sign else [first, first]
    for end in ends:
        if end not in model:
            raise EntryValueError(
                f"blocks: this checkpoint has no block '{end[:20]}'.{nearest(end, model)} "
                f"They are {model[0]}, {model[1]} to {model[-1]}."
            )
    a, b = (list(model).index(end) for end in ends)
    return model[min(a, b) : max(a, b) + 1]


def _member(inside: bool, given: bool, negated: bool) -> bool:
    return (inside != negated) if given else True


def is_number(text: str) -> bool:
    """Whether a text is a number as Python reads it, NaN and infinity too."""
    try:
        float(text)
    except ValueError:
        return False
    return True
