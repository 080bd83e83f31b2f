"""What a stack costs per sampling step: merged, and beside the layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib_lora.engine.bypass import Bypass
from lib_lora.engine.once import Once
from lib_lora.engine.view import LINEAR, Layer
from lib_lora.plan import Contribution
from lib_lora.session import Session
from tests.bench import models, peers
from tests.bench.race import Row, Times, Work, race

OURS = "ours"
BESIDE = (OURS, "AddNet", "peft unfused", "lycoris apply_to")

SIZES = (
    ("SD1.5 320, 64×64 pixels", 320, 320, 8192, 40),
    ("SD1.5 640, 32×32 pixels", 640, 640, 2048, 40),
    ("SD1.5 1280, 16×16 pixels", 1280, 1280, 512, 40),
    ("SD1.5 1280 reads text", 1280, 768, 154, 10),
    ("SD1.5 1280, 8×8 pixels", 1280, 1280, 128, 8),
)
"""Out, in, rows of the product at the native size with CFG, and how often it comes in a step."""


def merged_step(structure: str, side: int, rounds: int) -> Row:
    """A whole step with eight networks merged against the same model's own step."""
    own = models.build(structure, torch.float32)
    ours = models.twin(own)
    view = models.view_of(ours, structure)
    nets = models.draw(models.targets(ours, False), [16] * 8, torch.float32)
    session = Session()
    session.attach(
        view, models.plan_of(models.opened(nets, structure), view, models.weights_at(8, 0)), "merged"
    )
    given = models.inputs(own, side)
    times = race({"own": lambda number: own(**given), "ours": lambda number: ours(**given)}, rounds)
    session.forget()
    case = f"{structure}, attention, 8×16, {side}×{side}"
    value, noise = times.ratio("ours", "own"), times.noise("ours", "own")
    return Row(
        "step with a merged stack / the model's own", case, value, 1.0, detail=times.detail(), noise=noise
    )


def others(structure: str, side: int, rounds: int) -> Iterator[Row]:
    """A whole step with three networks beside the layers, in our way and in those of others."""
    own = models.build(structure, torch.float32)
    nets, weights = models.draw(models.targets(own, False), [32] * 3, torch.float32), models.weights_at(3, 0)
    given, unets = models.inputs(own, side), {name: models.twin(own) for name in BESIDE}
    view, session = models.view_of(unets[OURS], structure), Session()
    plan = models.plan_of(models.opened(nets, structure), view, weights)
    session.attach(view, plan, "least memory")
    peers.AddNet(models.targets(unets["AddNet"], False), nets, weights)
    peers.Peft(unets["peft unfused"], nets, weights)
    kept = peers.Lycoris(unets["lycoris apply_to"], nets, weights, beside=True)
    ways: dict[str, Work] = {"own": lambda number: own(**given)}
    ways |= {name: lambda number, unet=unet: unet(**given) for name, unet in unets.items()}
    times = race(ways, rounds)
    session.forget()
    detail, case = times.detail(), f"{structure}, attention, 3×32, {side}×{side}"
    yield Row("step with a stack beside / the model's own", case, times.ratio(OURS, "own"), detail=detail)
    for name in BESIDE[1:]:
        yield Row(f"step of {name} / with ours beside", case, times.ratio(name, OURS), detail=detail)
    del kept


def beside(count: int, goal: float, rounds: int) -> Iterator[Row]:
    """What eight or three networks beside the layers add to a step, against AddNet's way.

    The floor is the quicker one for each size of two bare ways, everything at hand: the two products beside
    it, or one that merges the weight for this call. Where weights cannot be read, only the first is possible.
    """
    added = dict.fromkeys((OURS, "ours, unread", "addnet", "two products", "floor"), 0.0)
    for _, out, width, rows, often in SIZES:
        times = _layer(out, width, rows, count, rounds)
        more = {name: often * (times.median(name) - times.median("own")) for name in times.by_way}
        more["floor"] = min(more["two products"], more["one product more"])
        for name in added:
            added[name] += max(0.0, more[name])
    case = f"SD1.5 attention at 512², {count}×32, fp32"
    detail = {name: round(value, 3) for name, value in added.items()}
    addnet = added["addnet"]
    for name, way, floor in (
        ("added by bypass / added by AddNet", OURS, "floor"),
        ("added by bypass, unreadable weights / by AddNet", "ours, unread", "two products"),
    ):
        yield Row(name, case, added[way] / addnet, goal, detail=detail, floor=added[floor] / addnet)


def _layer(out: int, width: int, rows: int, count: int, rounds: int) -> Times:
    torch.manual_seed(0)
    layer = nn.Linear(width, out).requires_grad_(False)
    x = torch.randn(rows, width)
    nets = models.draw({"": layer}, [32] * count, torch.float32)
    weights = models.weights_at(count, 0)
    bypass, once = Bypass(Layer("", LINEAR, layer), _changes(layer, nets, weights)), Once()
    wrapped = nn.Linear(width, out).requires_grad_(False)
    peers.AddNet({"": wrapped}, nets, weights)
    down = torch.cat([net[""].down for net in nets])
    up = torch.cat([net[""].up for net in nets], dim=1)
    place = torch.empty_like(layer.weight)

    def ours(number: int) -> Tensor:
        merged = once.compute(bypass, layer, x)
        return bypass.add_to(layer(x), x, ours=True) if merged is None else merged

    ways: dict[str, Callable[[int], object]] = {
        "own": lambda number: layer(x),
        "two products": lambda number: layer(x).addmm_(functional.linear(x, down), up.t()),
        "one product more": lambda number: functional.linear(
            x, torch.addmm(layer.weight, up, down, out=place), layer.bias
        ),
        OURS: ours,
        "ours, unread": lambda number: bypass.add_to(layer(x), x, ours=True),
        "addnet": lambda number: wrapped(x),
    }
    return race(ways, rounds)


def _changes(layer: Any, nets: list[models.Net], weights: list[float]) -> list[Contribution]:
    found = []
    for index, (net, weight) in enumerate(zip(nets, weights, strict=True)):
        adapter = next(iter(dict(models.adapters_of(net)).values()))
        factors = adapter.factors(tuple(layer.weight.shape))
        found.append(Contribution(index, adapter, factors, weight))
    return found
