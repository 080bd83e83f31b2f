"""The rows' changes brought together: for every weight of the model, what changes it and in which order."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lib_lora.errors import LoraStackError
from lib_lora.network import Network, Vectors
from lib_lora.plan.contribution import UNET_PART, Contribution, part_of
from lib_lora.plan.row import Changes, ModelFacts, PlannedEntry, PlannedRow, plan_row
from lib_lora.stack.entry import Entry, row_title
from lib_lora.stack.region import Region, read_regions
from lib_lora.stack.schedule import Schedule
from lib_lora.stack.serialization import require_implemented
from lib_lora.stack.stack import Stack

Ordered = Mapping[str, tuple[Contribution, ...]]
"""All changes to each weight, in the order of application."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that is to be applied to one model.

    model: key of the model it was made for. changes: canonical name → contributions in the order of
    application. te_key: equal for plans under which prompts are encoded equally, `()` when they are encoded
    as without us. embeddings: those packed into the files of active rows; they have no strength. rows: what
    the plan was made of.
    """

    model: Hashable
    changes: Ordered
    entries: tuple[PlannedEntry, ...]
    te_key: tuple[Hashable, ...]
    embeddings: Mapping[str, Vectors] = field(default_factory=dict)
    rows: tuple[PlannedRow, ...] = ()

    def part(self, name: str) -> Ordered:
        """Return the changes of one part of the model; the same object as long as nothing changed there."""
        return self.parts.get(name, {})

    @cached_property
    def schedules(self) -> tuple[Schedule, ...]:
        """When rows act in the UNet, each once; none where all always do."""
        return tuple(dict.fromkeys(row.schedule for row in self.entries if not row.schedule.constant))

    @cached_property
    def text_schedules(self) -> tuple[Schedule, ...]:
        """The curves of text encoder weights, each once; none where all are constant."""
        texts = (
            found for part, changes in self.parts.items() if part != UNET_PART for found in changes.values()
        )
        curves = (change.schedule for found in texts for change in found if not change.schedule.constant)
        return tuple(dict.fromkeys(curves))

    @cached_property
    def parts(self) -> Mapping[str, Ordered]:
        """The changes of each part of the model."""
        parts: dict[str, dict[str, tuple[Contribution, ...]]] = {}
        for weight, found in self.changes.items():
            parts.setdefault(part_of(weight), {})[weight] = found
        return parts


def make_plan(
    stack: Stack, networks: Sequence[Network], model: ModelFacts, before: Plan | None = None
) -> Plan:
    """Make the plan of a stack's active rows; errors name the row.

    before: any other plan; what is the same in both is not made again but shared, which changes nothing else.
    Raises `EntryValueError` for what a field cannot be, and `NetworkMismatchError` where a file does not fit
    the model. A strength of 0 changes nothing, so it is left out.
    """
    require_implemented(stack)
    active = [(index, entry) for index, entry in enumerate(stack.entries) if entry.on]
    if len(active) != len(networks):
        raise ValueError(f"{len(active)} active rows, but {len(networks)} networks")
    regions = read_regions(stack.entries, stack.masks)
    known = () if before is None else before.rows
    rows: list[PlannedRow] = []
    entries: list[PlannedEntry] = []
    embeddings: dict[str, Vectors] = {}
    bundles: list[Hashable] = []
    for (index, entry), network in zip(active, networks, strict=True):
        try:
            nearest = known[len(rows) : len(rows) + 1]
            row = _row(entry, regions[index], network, model, (*nearest, *known))
        except LoraStackError as error:
            raise type(error)(f"{row_title(index, entry.network)}: {error}") from error
        taken = [name for name in network.embeddings if name in embeddings]
        notes = row.notes
        notes += tuple(f"its embedding '{name}' is also in a row above, which is used" for name in taken)
        if network.embeddings:
            embeddings = {**network.embeddings, **embeddings}
            bundles.append(("embeddings", network.key))
        rows.append(row)
        entries.append(PlannedEntry(index + 1, entry, row.fit, notes, row.acting, row.schedule, row.region))
    parts = _parts(rows, before)
    te_key = (*_te_key(parts), *bundles)
    changes = {name: found for part in parts.values() for name, found in part.items()}
    plan = Plan(model.key, changes, tuple(entries), te_key, embeddings, tuple(rows))
    vars(plan)["parts"] = parts  # as they are known already, and shared with the plan before
    return plan


def _row(
    entry: Entry,
    region: Region | None,
    network: Network,
    model: ModelFacts,
    known: Sequence[PlannedRow],
) -> PlannedRow:
    """Return a row's plan, made from one of the known rows where that is possible."""
    for row in known:
        if row.serves(entry, network, region, model.key):
            return row.moved(entry)
    return plan_row(entry, region, network, model)


def _parts(rows: Sequence[PlannedRow], before: Plan | None) -> dict[str, Ordered]:
    """Bring all rows' changes together, part by part; a part in which nothing changed is the one before."""
    parts: dict[str, Ordered] = {}
    for part in dict.fromkeys(part for row in rows for part in row.changes):
        found = [row.changes.get(part, {}) for row in rows]
        earlier = None if before is None else [row.changes.get(part, {}) for row in before.rows]
        if before is not None and earlier is not None and _same(found, earlier):
            joined = before.part(part)
        else:
            joined = _ordered([row.key for row in rows], found)
        if joined:
            parts[part] = joined
    return parts


def _same(found: Sequence[Changes], earlier: Sequence[Changes]) -> bool:
    """Tell whether the same rows bring the same changes; rows without any do not count."""
    ours, theirs = ([changes for changes in side if changes] for side in (found, earlier))
    return len(ours) == len(theirs) and all(one is other for one, other in zip(ours, theirs, strict=True))


def _ordered(keys: Sequence[Hashable], rows: Sequence[Changes]) -> Ordered:
    """Low-rank changes first, in an order that does not depend on the rows', then the others in the rows'
    order.

    Sums of low-rank changes are the same in any order but for rounding, so this makes them the same to the
    last bit.
    """
    told = [repr(key) for key in keys]
    low_rank: dict[str, list[Contribution]] = {}
    others: dict[str, list[Contribution]] = {}
    for index in sorted(range(len(rows)), key=told.__getitem__):
        for name, change in rows[index].items():
            if change.factors is not None:
                low_rank.setdefault(name, []).append(change)
            else:
                others.setdefault(name, [])
    if len(set(told)) < len(told):  # a file in two rows: their numbers decide
        for found in low_rank.values():
            found.sort(key=lambda change: repr(change.key))
    if others:
        for row in rows:
            for name in others.keys() & row.keys():
                if row[name].factors is None:
                    others[name].append(row[name])
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: (*low_rank.get(name, ()), *others.get(name, ())) for name in names}


def _te_key(parts: Mapping[str, Ordered]) -> tuple[Hashable, ...]:
    """Tell which text encoder weights are changed alike; rules on elements leave some as they are."""
    told: dict[Hashable, list[str]] = {}
    for part, changes in parts.items():
        for name, found in changes.items() if part != UNET_PART else ():
            told.setdefault(tuple((one.key, one.side, one.schedule) for one in found), []).append(name)
    return tuple((alike, frozenset(told[alike])) for alike in sorted(told, key=repr))
