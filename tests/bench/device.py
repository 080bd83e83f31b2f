"""The bench on one device, with checks that what is fast is also right: `python -m tests.bench.device`.

On a graphics card with weights of 16 bits, or on the processor with float32 where there is none (a rehearsal:
its figures mean nothing). Prints one table and writes `build/bench-device.json`; fails if a check fails.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lib_lora.engine.arithmetic import SHORTCUTS, has_switch
from lib_lora.session import Session
from tests.bench import models
from tests.bench.merging import Case, Ours, begin, merging
from tests.bench.race import Row, race

OUTPUT = Path("build/bench-device.json")
ROUNDS, CHECKED = 9, 12
CASES = ((False, 8, 32), (False, 1, 128), (True, 3, 32))
"""All layers or attention only, how many networks, of which rank."""
Checks = dict[str, bool]


def clock_of(device: str) -> Callable[[], float]:
    """Return a clock that waits for the card, so that what was only asked of it counts too."""
    if device == "cpu":
        return time.process_time

    def clock() -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    return clock


def checks(structure: str, dtype: torch.dtype, device: str) -> Checks:
    """Tell what has to hold: exactness, restoration, the same bits after detours, switches put back."""
    unet = models.build(structure, dtype, device)
    layers, view = models.targets(unet, False), models.view_of(unet, structure)
    before = {name: parameter.clone() for name, parameter in unet.named_parameters()}
    given = models.inputs(unet, 16)
    plain, switches = unet(**given).sample, _switches()
    nets = models.draw(layers, [16] * 3, dtype, device)
    ours = Ours(view, models.opened(nets, structure))
    weights = models.weights_at(3, 0)
    ours.set_weights(weights)
    first = {
        name: kept.weight.clone() for name, kept in ours.session._store.items() if kept.weight is not None
    }
    error = _worst_error(nets, layers, view, first, weights)
    merged = unet(**given).sample
    for number in range(1, 5):
        ours.set_weights(models.weights_at(3, number))
    ours.set_weights(weights)
    same = all(torch.equal(kept.weight, first[name]) for name, kept in ours.session._store.items())
    ours.session.forget()
    with Session() as beside:
        beside.attach(view, models.plan_of(models.opened(nets, structure), view, weights), "bypass")
        begin(view)
        distance = _distance(unet(**given).sample, merged)
    return {
        f"error at most 1.01 of rounding once ({error:.4f})": error <= 1.01,
        "the stack changes the picture": _distance(plain, merged) > 1e-4,
        f"merged and beside agree ({distance:.1e})": distance < (1e-4 if dtype == torch.float32 else 2e-2),
        "the same weights give the same bits after others": same,
        "the model is untouched": all(torch.equal(p, before[n]) for n, p in unet.named_parameters()),
        "without the stack the picture is the first one": torch.equal(unet(**given).sample, plain),
        "the switches of the card's arithmetic are as they were": _switches() == switches,
    }


def _worst_error(
    nets: list[models.Net], layers: Any, view: Any, merged: dict[str, Tensor], weights: list[float]
) -> float:
    """Return the error of a few merged weights in multiples of that of rounding the exact ones once."""
    names = {id(layer.module): name for name, layer in view.layers.items()}
    worst = 0.0
    for path, module in list(layers.items())[:: max(1, len(layers) // CHECKED)]:
        exact = module.weight.double().flatten(1)
        for net, weight in zip(nets, weights, strict=True):
            found = net[path]
            scale = weight * found.alpha / len(found.down)
            exact = exact + scale * (found.up.double() @ found.down.double().flatten(1))
        once = exact.to(module.weight.dtype).double()
        ours = merged[names[id(module)]].double().flatten(1)
        unavoidable = float(torch.linalg.vector_norm(once - exact))
        rounded = max(unavoidable, 1e-6 * float(torch.linalg.vector_norm(exact)))
        worst = max(worst, float(torch.linalg.vector_norm(ours - exact)) / rounded)
    return worst


def _distance(one: Tensor, other: Tensor) -> float:
    return float(torch.linalg.vector_norm((one - other).float()) / torch.linalg.vector_norm(other.float()))


def _switches() -> list[Any]:
    matmul = torch.backends.cuda.matmul
    return [getattr(matmul, name) for name in SHORTCUTS if has_switch(matmul, name)]


def rows(structure: str, dtype: torch.dtype, device: str, peers: bool) -> Iterator[Row]:
    """Yield the figures of the issue for a card: merging against its floors, and a step."""
    clock = clock_of(device)
    rounds, cases = (ROUNDS, CASES) if device != "cpu" else (1, CASES[:1])
    for full, count, rank in cases:
        case = Case(structure, full, count, rank, dtype, goals=(50.0, None, None))
        yield from merging(case, rounds, others=peers and not full, device=device, clock=clock)
    own, ours = (models.build(structure, dtype, device) for _ in range(2))
    view = models.view_of(ours, structure)
    nets = models.draw(models.targets(ours, False), [16] * 8, dtype, device)
    given = models.inputs(own, 64 if device != "cpu" else 16)
    with Session() as session:
        plan = models.plan_of(models.opened(nets, structure), view, models.weights_at(8, 0))
        session.attach(view, plan, "merged")
        ways = {"own": lambda number: own(**given), "ours": lambda number: ours(**given)}
        times = race(ways, rounds, clock)
    value = times.ratio("ours", "own")
    yield Row("step with a merged stack / the model's own", f"{structure}, attention, 8×16", value, 1.0)


def main() -> int:
    """Check, measure, write; returns 1 if a check failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--structure", nargs="+", default=None, choices=tuple(models.STRUCTURES))
    parser.add_argument("--no-peers", action="store_true", help="leave the other ways out")
    asked = parser.parse_args()
    card = asked.device != "cpu"
    dtype = torch.float16 if card else torch.float32
    name = torch.cuda.get_device_name() if card else "processor (a rehearsal)"
    start, found, held = time.perf_counter(), [], {}
    print(f"{name}, torch {torch.__version__}", flush=True)
    for structure in asked.structure or (("SD1.5", "SDXL") if card else ("SD1.5 slice",)):
        held[structure] = checks(structure, dtype, asked.device)
        for told, holds in held[structure].items():
            print(f"{'holds' if holds else 'FAILS'}: {structure}, {told}", flush=True)
        for row in rows(structure, dtype, asked.device, not asked.no_peers):
            print(row.line(), flush=True)
            found.append({**asdict(row), "met": row.met})
    OUTPUT.parent.mkdir(exist_ok=True)
    told = {"date": time.strftime("%Y-%m-%d"), "device": name, "torch": torch.__version__}
    document = {**told, "seconds": time.perf_counter() - start, "checks": held, "rows": found}
    OUTPUT.write_text(json.dumps(document, indent=1), encoding="utf-8")
    print(f"written to {OUTPUT}")
    return 0 if all(holds for part in held.values() for holds in part.values()) else 1


if __name__ == "__main__":
    if not torch.cuda.is_available():
        torch.set_num_threads(1)
    with torch.no_grad():
        sys.exit(main())
