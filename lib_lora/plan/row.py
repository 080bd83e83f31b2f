"""What one row comes to for one model: how its file fits, and its change to every weight, part by part.

Moving a slider leaves almost all of it as it was: where the file fits and how much of it each block takes
are kept from the plan before, and so are the changes of a part whose number did not move.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from lib_lora.adapters import Adapter, Factors, truncate, truncation_notes
from lib_lora.errors import EntryValueError
from lib_lora.keys.blocks import block_of
from lib_lora.keys.places import acts_nowhere
from lib_lora.network import Fit, Network, check_fit
from lib_lora.plan.contribution import UNET_PART, Contribution, in_text_encoder, part_of
from lib_lora.stack.blocks import Blocks, model_blocks, read_blocks
from lib_lora.stack.entry import Entry
from lib_lora.stack.prompt import DYN
from lib_lora.stack.region import Region
from lib_lora.stack.schedule import Schedule, read_schedule, read_text_schedule
from lib_lora.stack.side import read_side

Shape = tuple[int, ...]
Changes = Mapping[str, Contribution]
"""One row's change to each weight of a part, by canonical name."""

SPOKEN = "its text encoder weight changes over the steps"
UNSPOKEN = "it has no weights in the text encoder that act, so 'te_schedule' changes nothing"


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


class Share(NamedTuple):
    """A weight that a row changes, and how much of the row's number its block takes."""

    name: str
    adapter: Adapter
    factors: Factors | None
    factor: float


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
class PlannedRow:
    """One row for one model.

    schedule: of the UNet; spoken: of the text encoders. shares: what it can change, by part; changes: what it
    changes at its numbers.
    """

    entry: Entry
    network: Network
    model: Hashable
    key: Hashable
    fit: Fit
    notes: tuple[str, ...]
    schedule: Schedule
    spoken: Schedule
    region: Region | None
    side: str
    shares: Mapping[str, Sequence[Share]]
    changes: Mapping[str, Changes]

    @property
    def acting(self) -> int:
        """How many weights it changes."""
        return sum(len(found) for found in self.changes.values())

    def serves(self, entry: Entry, network: Network, region: Region | None, model: Hashable) -> bool:
        """Tell whether only the numbers for the parts can be others in a row of another plan."""
        return (
            self.network is network
            and self.model == model
            and self.region == region
            and _settings(self.entry) == _settings(entry)
        )

    def moved(self, entry: Entry) -> PlannedRow:
        """Return the same row with other numbers for its parts."""
        numbers = {part: _number(entry, part) for part in self.shares}
        changes = {
            part: self.changes[part] if numbers[part] == _number(self.entry, part) else self._changes(part, n)
            for part, n in numbers.items()
        }
        return replace(self, entry=entry, changes=changes)

    def _changes(self, part: str, number: float) -> Changes:
        """Return the change of every weight of a part at the row's number for it; 0 changes nothing."""
        # Words have no place, and what is said of them is said before the first step.
        schedule, region = (self.schedule, self.region) if part == UNET_PART else (self.spoken, None)
        key, side = self.key, self.side
        return {
            name: Contribution(key, adapter, factors, strength, schedule, region, side)
            for name, adapter, factors, factor in self.shares[part]
            if (strength := number * factor) != 0
        }


def plan_row(entry: Entry, region: Region | None, network: Network, model: ModelFacts) -> PlannedRow:
    """Plan one row; raises `EntryValueError` and `NetworkMismatchError` without the row's name."""
    shapes = model.shapes
    fit = check_fit(network, shapes, model.architecture)
    kept = kept_ranks(entry)
    blocks = read_blocks(entry.blocks, model_blocks(model.architecture))
    schedule = read_schedule(entry.schedule, entry.start, entry.stop)
    spoken = read_text_schedule(entry.te_schedule, schedule)
    side = read_side(entry.side)
    notes = network.notes
    if kept is not None:
        notes += truncation_notes([network.adapters[name] for name in fit.matched], kept)
    notes += _left_out(fit, blocks)
    placeless = () if region is None else tuple(name for name in fit.matched if acts_nowhere(name))
    if placeless:
        notes += (f"{len(placeless)} weights of time and size are off: they have no place in a region",)
    shares: dict[str, list[Share]] = {}
    for name in fit.matched:
        adapter = network.adapters[name] if kept is None else truncate(network.adapters[name], kept)
        if name in placeless or (adapter.rank == 0 and adapter.bias() is None):
            continue
        factor = blocks.factor(block_of(name, blocks.last), name)
        if factor != 0:
            share = Share(name, adapter, adapter.factors(shapes[name]), factor)
            shares.setdefault(part_of(name), []).append(share)
    if not spoken.constant:
        spoken_of = any(part != UNET_PART for part in shares)
        notes += (SPOKEN if spoken_of else UNSPOKEN,)
    key = network.key if kept is None else (network.key, kept)
    row = PlannedRow(entry, network, model.key, key, fit, notes, schedule, spoken, region, side, shares, {})
    return replace(row, changes={part: row._changes(part, _number(entry, part)) for part in shares})


def kept_ranks(entry: Entry) -> int | None:
    """Return how many ranks of a DyLoRA a row keeps (`dyn` of a prompt's tag), None for all of them."""
    kept = dict(entry.extra).get(DYN)
    if kept is None:
        return None
    if not isinstance(kept, int) or isinstance(kept, bool) or kept < 1:
        raise EntryValueError(f"dyn must be a whole number from 1, not {kept!r}.")
    return kept


def _number(entry: Entry, part: str) -> float:
    """Return a row's number for a part of the model."""
    return entry.te_weight if in_text_encoder(f"{part}.") else entry.unet_weight


def _settings(entry: Entry) -> Hashable:
    """Return everything of a row that its plan depends on besides the numbers for the parts."""
    times = entry.schedule, entry.te_schedule, entry.start, entry.stop
    return entry.blocks, times, entry.side, kept_ranks(entry)


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
