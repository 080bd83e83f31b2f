"""A stack, the opened networks and a model's shapes become one plan: what changes each weight, how strongly.

    plan = make_plan(stack, networks, view)      # networks: one for every active row, in the stack's order

Pure: the same values give the same plan, whatever was applied before. Here the user's number meets the
block, the schedule and the part, and is multiplied for the only time; behind this line there are strengths
only.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from lib_lora.adapters import Adapter, Factors, truncate, truncation_notes
from lib_lora.errors import EntryValueError, LoraStackError
from lib_lora.keys.blocks import block_of
from lib_lora.keys.places import acts_nowhere
from lib_lora.network import Fit, Network, Vectors, check_fit
from lib_lora.stack.blocks import Blocks, model_blocks, read_blocks
from lib_lora.stack.entry import Entry, row_title
from lib_lora.stack.prompt import DYN
from lib_lora.stack.region import Region, read_regions
from lib_lora.stack.schedule import CONSTANT, Moment, Schedule, read_schedule
from lib_lora.stack.serialization import require_implemented
from lib_lora.stack.side import read_side
from lib_lora.stack.stack import Stack

Shape = tuple[int, ...]
UNET_PART = "unet"
"""All other parts are text encoders."""


class ModelFacts(Protocol):
    """What a plan needs to know of a model."""

    @property
    def architecture(self) -> str:
        """Name of its architecture."""

    @property
    def key(self) -> Hashable:
        """Identity of the loaded checkpoint."""

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """Shape of every weight by canonical name."""


@dataclass(frozen=True, eq=False)
class Contribution:
    """One network's change to one weight; `factors` where it is of low rank, for the weight's own shape.

    strength: at the moment meant; while sampling, `at` gives the contribution of each step. region: where in
    the picture, None everywhere. side: for which prompt, empty for both.
    """

    network: Hashable
    adapter: Adapter
    factors: Factors | None
    strength: float
    schedule: Schedule = CONSTANT
    region: Region | None = None
    side: str = ""

    @property
    def key(self) -> Hashable:
        """Equal for equal changes of the same weight."""
        return self.network, self.strength

    def at(self, moment: Moment) -> Contribution:
        """Return the change as it is at a moment of sampling."""
        if self.schedule.constant:
            return self
        return replace(self, strength=self.strength * self.schedule.factor(moment), schedule=CONSTANT)


@dataclass(frozen=True)
class PlannedEntry:
    """One active row, how well its file fits, how many weights it changes, when and where.

    `row` counts from 1.
    """

    row: int
    entry: Entry
    fit: Fit
    notes: tuple[str, ...]
    acting: int
    schedule: Schedule
    region: Region | None = None


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that is to be applied to one model.

    model: key of the model it was made for. changes: canonical name → contributions in the order of
    application. te_key: equal for plans under which prompts are encoded equally, `()` when they are encoded
    as without us. embeddings: those packed into the files of active rows; they have no strength.
    """

    model: Hashable
    changes: Mapping[str, tuple[Contribution, ...]]
    entries: tuple[PlannedEntry, ...]
    te_key: tuple[Hashable, ...]
    embeddings: Mapping[str, Vectors] = field(default_factory=dict)

    def part(self, name: str) -> dict[str, tuple[Contribution, ...]]:
        """Return the changes of one part of the model."""
        return self._parts.get(name, {})

    @cached_property
    def _parts(self) -> dict[str, dict[str, tuple[Contribution, ...]]]:
        parts: dict[str, dict[str, tuple[Contribution, ...]]] = {}
        for weight, found in self.changes.items():
            parts.setdefault(weight.partition(".")[0], {})[weight] = found
        return parts


def make_plan(stack: Stack, networks: Sequence[Network], model: ModelFacts) -> Plan:
    """Make the plan of a stack's active rows; errors name the row.

    Raises `EntryValueError` for what a field cannot be, and `NetworkMismatchError` where a file does not fit
    the model. A strength of 0 changes nothing, so it is left out.
    """
    require_implemented(stack)
    rows = [(index, entry) for index, entry in enumerate(stack.entries) if entry.on]
    if len(rows) != len(networks):
        raise ValueError(f"{len(rows)} active rows, but {len(networks)} networks")
    regions = read_regions(stack.entries, stack.masks)
    shapes = model.shapes
    changes: dict[str, list[Contribution]] = {}
    entries: list[PlannedEntry] = []
    embeddings: dict[str, Vectors] = {}
    bundles: list[Hashable] = []
    for (index, entry), network in zip(rows, networks, strict=True):
        try:
            fit = check_fit(network, shapes, model.architecture)
            kept = kept_ranks(entry)
            blocks = read_blocks(entry.blocks, model_blocks(model.architecture))
            schedule = read_schedule(entry.schedule, entry.start, entry.stop)
            side = read_side(entry.side)
        except LoraStackError as error:
            raise type(error)(f"{row_title(index, entry.network)}: {error}") from error
        notes = network.notes
        if kept is not None:
            notes += truncation_notes([network.adapters[name] for name in fit.matched], kept)
        notes += _left_out(fit, blocks)
        taken = [name for name in network.embeddings if name in embeddings]
        notes += tuple(f"its embedding '{name}' is also in a row above, which is used" for name in taken)
        if network.embeddings:
            embeddings = {**network.embeddings, **embeddings}
            bundles.append(("embeddings", network.key))
        region = regions[index]
        placeless = () if region is None else tuple(name for name in fit.matched if acts_nowhere(name))
        if placeless:
            notes += (f"{len(placeless)} weights of time and size are off: they have no place in a region",)
        acting = 0
        key = network.key if kept is None else (network.key, kept)
        for name in fit.matched:
            strength = strength_of(entry, name, blocks)
            adapter = network.adapters[name] if kept is None else truncate(network.adapters[name], kept)
            if strength != 0 and (adapter.rank != 0 or adapter.bias() is not None) and name not in placeless:
                factors = adapter.factors(shapes[name])
                # The text encoder is asked before the first step, of words that have no place.
                when, where = (CONSTANT, None) if in_text_encoder(name) else (schedule, region)
                change = Contribution(key, adapter, factors, strength, when, where, side)
                changes.setdefault(name, []).append(change)
                acting += 1
        entries.append(PlannedEntry(index + 1, entry, fit, notes, acting, schedule, region))
    ordered = {name: _ordered(found) for name, found in changes.items()}
    te_key = (*_te_key(ordered), *bundles)
    return Plan(model.key, ordered, tuple(entries), te_key, embeddings)


def strength_of(entry: Entry, name: str, blocks: Blocks) -> float:
    """Return how strongly a row changes one weight: its number for the part, times the block's."""
    weight = entry.te_weight if in_text_encoder(name) else entry.unet_weight
    return weight * blocks.factor(block_of(name, blocks.last), name)


def in_text_encoder(name: str) -> bool:
    """Tell whether a weight is of a text encoder."""
    return not name.startswith(f"{UNET_PART}.")


def _left_out(fit: Fit, blocks: Blocks) -> tuple[str, ...]:
    """Say when a short list of numbers leaves out blocks that the file has weights in."""
    found = [block for name in fit.matched if (block := block_of(name, blocks.last)) in blocks.missing]
    if not found:
        return ()
    names = ", ".join(sorted(set(found), key=lambda block: (block.startswith("OUT"), block)))
    return (
        f"{len(found)} weights in {names} are off: the short list of block numbers has none for them. "
        f"Write {len(blocks.factors)} numbers to use them.",
    )


def kept_ranks(entry: Entry) -> int | None:
    """Return how many ranks of a DyLoRA a row keeps (`dyn` of a prompt's tag), None for all of them."""
    kept = dict(entry.extra).get(DYN)
    if kept is None:
        return None
    if not isinstance(kept, int) or isinstance(kept, bool) or kept < 1:
        raise EntryValueError(f"dyn must be a whole number from 1, not {kept!r}.")
    return kept


def _ordered(found: list[Contribution]) -> tuple[Contribution, ...]:
    """Low-rank changes first, in an order that does not depend on the rows', then the others in the rows'
    order.

    Sums of low-rank changes are the same in any order but for rounding, so this makes them the same to the
    last bit.
    """
    low_rank = [change for change in found if change.factors is not None]
    others = [change for change in found if change.factors is None]
    return (*sorted(low_rank, key=lambda change: repr(change.key)), *others)


def _te_key(changes: Mapping[str, tuple[Contribution, ...]]) -> tuple[Hashable, ...]:
    text = (found for name, found in changes.items() if in_text_encoder(name))
    return tuple(sorted({tuple((change.key, change.side) for change in found) for found in text}, key=repr))
