"""What a picture's request comes to in one pass: which rows are worn, how strongly, and where they act.

Two passes that come to the same are equal, so that nothing is exchanged between them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from lib_lora.engine.masks import Mask
from lib_lora.engine.view import ModelView
from lib_lora.errors import NetworkMismatchError
from lib_lora.hosts.passes import pass_of
from lib_lora.hosts.regions import Places, picture_of
from lib_lora.hosts.request import Request, named
from lib_lora.network import NetworkCache, check_fit
from lib_lora.plan import Plan, make_plan
from lib_lora.stack.entry import row_title
from lib_lora.stack.passes import REFINER, worn_in
from lib_lora.stack.region import Region, read_regions
from lib_lora.stack.stack import Stack

KEPT = 8
"""Plans and passes remembered: a few pictures with a few passes each."""

NOWHERE: Mapping[Region, Mask] = MappingProxyType({})


@dataclass(frozen=True)
class Wear:
    """One request in one pass; equal where the same is worn in the same places.

    stack: the request's, with the rows that are not worn switched off. notes: why.
    """

    request: Request
    stack: Stack
    masks: Mapping[Region, Mask] = field(default_factory=lambda: NOWHERE)
    pass_name: str = field(default="", compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Wear) and (
            self is other
            or (self.request is other.request and self.stack == other.stack and self.masks == other.masks)
        )

    def __hash__(self) -> int:
        return hash((id(self.request), len(self.masks)))


@dataclass(frozen=True, eq=False)
class Fitted:
    """The plan of a wear for one model, and which rows were left out because they are for another."""

    wear: Wear
    plan: Plan
    notes: tuple[str, ...] = ()


class Wardrobe:
    """Makes wears and plans, and remembers the last ones."""

    def __init__(self, networks: NetworkCache) -> None:
        self._networks = networks
        # By identity; what the identity is of is kept beside it, so that it is never used twice.
        self._wears: OrderedDict[Hashable, tuple[Request, Any, Wear]] = OrderedDict()
        self._plans: OrderedDict[tuple[Wear, Hashable], Fitted] = OrderedDict()

    def wear(self, p: Any, request: Request, hires: bool = False) -> Wear:
        """Return what `p` wears now; raises what is wrong with a row, naming it."""
        name, inside = pass_of(p, hires), getattr(p, "nmask", None)
        aimed = any(entry.on and (entry.region or entry.passes) for entry in request.stack.entries)
        key: Hashable = id(request), name == REFINER
        if aimed:
            key = id(request), name, id(inside), picture_of(p, name).key
        found: Wear = _remembered(self._wears, key, lambda: (request, inside, _wear(p, request, name)))[2]
        return found

    def fitted(self, wear: Wear, view: ModelView) -> Fitted:
        """Return the plan for a model."""
        found: Fitted = _remembered(self._plans, (wear, view.key), lambda: self._fit(wear, view))
        return found

    def forget(self) -> None:
        """Drop the plans: a checkpoint was loaded, changed or replaced."""
        self._plans.clear()

    def _last(self, view: ModelView) -> Plan | None:
        """Return the plan made last for a model."""
        plans = (fitted.plan for (_, key), fitted in reversed(self._plans.items()) if key == view.key)
        return next(plans, None)

    def _fit(self, wear: Wear, view: ModelView) -> Fitted:
        entries, networks = list(wear.stack.entries), []
        notes: list[str] = []
        files = iter(wear.request.files)
        for index, asked in enumerate(wear.request.stack.entries):
            if not asked.on:
                continue
            file = next(files)
            if not entries[index].on:
                continue
            try:
                with named(index, asked):
                    network = self._networks.open(file.path, view.architecture)
                if wear.pass_name == REFINER and not asked.passes:
                    check_fit(network, view.shapes, view.architecture)
                networks.append(network)
            except NetworkMismatchError:
                if wear.pass_name != REFINER or asked.passes:
                    raise
                # Nobody asked for it there: a refiner is of another kind as a rule.
                entries[index] = replace(entries[index], on=False)
                notes.append(
                    f"{row_title(index, asked.network)} does not fit the refiner, which is without it"
                )
        plan = make_plan(replace(wear.stack, entries=tuple(entries)), networks, view, self._last(view))
        return Fitted(wear, plan, (*wear.notes, *notes))


def _wear(p: Any, request: Request, name: str) -> Wear:
    stack, masks = worn_in(request.stack, name), NOWHERE
    notes: list[str] = []
    if any(entry.on and entry.region for entry in stack.entries):
        regions = read_regions(stack.entries, stack.masks)
        masks = Places(p, name, dict(request.drawings)).masks(stack.entries, regions)
        entries = list(stack.entries)
        for index, (entry, region) in enumerate(zip(entries, regions, strict=True)):
            if entry.on and region is not None and masks[region].empty:
                entries[index] = replace(entry, on=False)
                notes.append(
                    f"{row_title(index, entry.network)} is off: its region is nowhere in this picture"
                )
        stack = replace(stack, entries=tuple(entries))
    return Wear(request, stack, masks, name, tuple(notes))


def _remembered(known: OrderedDict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
    if key not in known:
        known[key] = make()
        while len(known) > KEPT:
            known.popitem(last=False)
    return known[key]


def row_notes(request: Request, worn: set[int]) -> tuple[str, ...]:
    """Say which rows that are on were worn in no pass of the picture; `worn` counts from 1."""
    return tuple(
        f"{row_title(index, entry.network)} acts in {entry.passes} only, which this picture did not have"
        for index, entry in enumerate(request.stack.entries)
        if entry.on and entry.passes and index + 1 not in worn
    )
