"""What adding a change in place costs, family by family; `python -m tests.bench.families`, no test.

Processor time of one thread, the smallest of several rounds, as multiples of copying the weight once.
"plain" makes the change and adds it; "in place" is what the engine does. The peak is beyond the weight, the
copy and the factors.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from lib_lora.adapters import find_family
from tests.adapters.table import CASES, Case
from tests.engine.peak import Peak, tensors_in

SHAPES = {"linear": (1280, 1280), "conv3x3": (1280, 1280, 3, 3)}
NAMES = (
    "LoRA",
    "LoHa",
    "LoKr full ⊗ factors",
    "GLoRA",
    "OFT",
    "BOFT",
    "(IA)³ on outputs",
    "full",
    "DoRA on outputs",
    "DoRA on inputs",
    "DoHa",
)
ROUNDS = 3


def cost(work: Callable[[], object]) -> float:
    """Seconds of processor time, the best of a few rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.thread_time()
        work()
        best = min(best, time.thread_time() - start)
    return best


def figures(case: Case, host: str) -> tuple[float, float, float]:
    """Plain, in place, and the peak of memory as a part of the weight."""
    torch.manual_seed(1)
    drawn, base = case.draw(SHAPES[host]), torch.randn(SHAPES[host])
    adapter, out = find_family(drawn).read(drawn), torch.empty_like(base)

    def plain() -> Tensor:
        return torch.add(base, adapter.delta(base), alpha=0.5, out=out)

    def in_place() -> None:
        out.copy_(base)
        adapter.add_to(out, base, 0.5)

    floor = cost(lambda: out.copy_(base))
    with Peak((out, base, *tensors_in(adapter))) as peak:
        adapter.add_to(out, base, 0.5)
    return cost(plain) / floor, cost(in_place) / floor, peak.bytes / base.nbytes


def main() -> None:
    """Print a table."""
    torch.set_num_threads(1)
    print(f"{'':22}{'linear 1280':>30}{'conv 3×3 1280':>30}")
    for name in NAMES:
        case = next(case for case in CASES if case.name == name)
        cells = []
        for host in SHAPES:
            plain, in_place, peak = figures(case, host)
            cells.append(f"{plain:8.1f} → {in_place:5.1f}, peak {peak:4.2f}")
        print(f"{name:22}{cells[0]:>30}{cells[1]:>30}", flush=True)


if __name__ == "__main__":
    with torch.no_grad():
        main()
