"""What a moved slider costs until the weights are ready, beside the floor, plain products and the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from lib_lora.engine.view import ModelView
from lib_lora.network import Network
from lib_lora.plan import Plan
from lib_lora.session import Session
from tests.bench import models, peers
from tests.bench.race import Row, Times, Work, race

OTHERS = ("built-in", "diffusers fuse cycle", "lycoris merge_to")


@dataclass(frozen=True)
class Case:
    """A structure, which layers, networks and rank, and how much slower the others have to be."""

    structure: str
    full: bool
    count: int
    rank: int
    dtype: torch.dtype = torch.float32
    goals: tuple[float | None, ...] = (None, None, None)
    plain_goal: float | None = None

    @property
    def told(self) -> str:
        """The case in words."""
        kind = "all layers" if self.full else "attention"
        return f"{self.structure}, {kind}, {self.count}×{self.rank}, {models.told(self.dtype)}"


class Ours:
    """The engine from the moved slider to weights that are ready: plan, attach, merge."""

    def __init__(self, view: ModelView, networks: Sequence[Network]) -> None:
        self.session, self._view, self._networks = Session(), view, networks
        self._plan: Plan | None = None

    def set_weights(self, weights: Sequence[float]) -> None:
        self._plan = models.plan_of(self._networks, self._view, weights, self._plan)
        self.session.attach(self._view, self._plan, "merged")
        begin(self._view)


def begin(view: ModelView, part: str = "unet") -> None:
    """Do what happens before a part's first layer: the hooks on its root."""
    root = view.entry(part)
    for hook in list(root._forward_pre_hooks.values()):
        hook(root, ())


def merging(case: Case, rounds: int, others: bool = True, device: str = "cpu", **clock: Any) -> Iterator[Row]:
    """Measure one case; yields a row for each comparison."""
    unet = models.build(case.structure, case.dtype, device, bare=not (others or case.full))
    layers = models.targets(unet, case.full)
    targets = {name: torch.empty_like(module.weight) for name, module in layers.items()}
    nets = models.draw(layers, [case.rank] * case.count, case.dtype, device)
    view = models.view_of(unet, case.structure)
    start = models.weights_at(case.count, 0)
    ours = Ours(view, models.opened(nets, case.structure))
    ways: dict[str, Any] = {
        "floor": peers.CopyFloor(layers, targets),
        "plain products": peers.PlainProducts(layers, nets, targets),
        "ours": ours,
    }
    if others:
        # They write into parameters, so they get some of their own; two leave them as they were.
        copy = models.twin(unet, case.full)
        ways["built-in"] = peers.BuiltIn(copy, nets)
        ways["lycoris merge_to"] = peers.Lycoris(copy, nets, start)
        fused = models.twin(unet, case.full)
        ways["diffusers fuse cycle"] = peers.Peft(fused, nets, start, fused=True)
    works: dict[str, Work] = {
        name: lambda number, way=way: way.set_weights(models.weights_at(case.count, number))
        for name, way in ways.items()
    }
    times = race(works, rounds, **clock)
    ours.session.forget()
    yield from _rows(case, times)


def _rows(case: Case, times: Times) -> Iterator[Row]:
    detail = times.detail()
    yield Row("slider → ready / copy floor", case.told, times.ratio("ours", "floor"), detail=detail)
    plain = times.ratio("ours", "plain products")
    yield Row("slider → ready / plain products", case.told, plain, case.plain_goal, detail=detail)
    for name, goal in zip(OTHERS, case.goals, strict=True):
        if name in times.by_way:
            value, floor = times.ratio(name, "ours"), times.ratio(name, "plain products")
            yield Row(f"{name} / slider → ready", case.told, value, goal, False, detail=detail, floor=floor)


def independence(structure: str, rounds: int) -> Row:
    """Eight networks of rank 16 against one of rank 128: the same work, so the same time."""
    unet = models.build(structure, torch.float32, bare=True)
    layers, view = models.targets(unet, False), models.view_of(unet, structure)
    ways: dict[str, Work] = {}
    for name, ranks in (("8×16", [16] * 8), ("1×128", [128])):
        ours = Ours(view, models.opened(models.draw(layers, ranks, torch.float32), structure))

        def work(number: int, ours: Ours = ours, count: int = len(ranks)) -> None:
            ours.set_weights(models.weights_at(count, number))
            ours.session.detach()

        ways[name] = work
    times = race(ways, rounds)
    detail = times.detail()
    return Row(
        "8×16 / 1×128", f"{structure}, attention, fp32", times.ratio("8×16", "1×128"), 1.05, detail=detail
    )
