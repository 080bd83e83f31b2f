"""Merging a weight for one call: right, only where it is quicker, and only where nothing else is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lib_lora.engine.bypass import Bypass
from lib_lora.engine.once import Once
from lib_lora.engine.view import CONV, LINEAR, Layer, ModelView
from lib_lora.network import Network
from lib_lora.plan import Contribution, Plan, make_plan
from lib_lora.session import Session
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack
from tests.engine.changes import Doubling, change, exact, lora

MANY, FEW = 64, 4  # rows through 24 × 16, of which a merge has paid with more than 9.6
SHAPE = (16, 24)


def linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(24, 16).requires_grad_(False)


def changes() -> list[Contribution]:
    return [change(lora(SHAPE, rank=rank, seed=rank), SHAPE, 0.4 * rank, str(rank)) for rank in (1, 2)]


def beside(module: nn.Module, found: list[Contribution], kind: str = LINEAR) -> Bypass:
    return Bypass(Layer("unet.out.2", kind, module), found)


def test_many_rows_get_what_a_merge_gives_and_few_nothing() -> None:
    module, once = linear(), Once()
    before, bypass = module.weight.clone(), beside(module, changes())
    x = torch.randn(2, MANY, 24)
    wanted = x.double() @ exact(module.weight, changes()).T + module.bias
    got = once.compute(bypass, module, x)
    assert got is not None
    assert (got - wanted).abs().max() < 1e-5
    assert torch.equal(module.weight, before)
    assert once.compute(bypass, module, torch.randn(FEW, 24)) is None
    assert once.nbytes == module.weight.nbytes
    once.clear()
    assert once.nbytes == 0


def test_a_slider_and_a_weight_that_move_count_at_the_next_call() -> None:
    module, once, x = linear(), Once(), torch.randn(MANY, 24)
    bypass = beside(module, changes())
    once.compute(bypass, module, x)
    module.weight.mul_(2)
    moved = [*changes()[:1], change(lora(SHAPE, rank=2, seed=2), SHAPE, -0.3, "2")]
    assert bypass.rescale(moved)
    got = once.compute(bypass, module, x)
    assert got is not None
    assert (got - x.double() @ exact(module.weight, moved).T - module.bias).abs().max() < 1e-5


def test_two_layers_may_share_the_buffer_in_all_modes_of_pytorch() -> None:
    module, once, x = linear(), Once(), torch.randn(MANY, 24)
    with torch.inference_mode():
        first = once.compute(beside(module, changes()), module, x)
    assert first is not None
    kept = first.clone()
    with torch.no_grad():
        assert once.compute(beside(module, changes()[:1]), module, x) is not None
    assert torch.equal(first, kept)


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (lambda: nn.Linear(24, 16).half(), (MANY, 24)),
        (lambda: nn.Conv2d(24, 16, 1), (1, 24, 8, 8)),
    ],
    ids=["16 bits", "a convolution"],
)
def test_what_was_not_measured_is_computed_beside(
    make: Callable[[], nn.Module], size: tuple[int, ...]
) -> None:
    module = make().requires_grad_(False)
    shape, kind = tuple(module.weight.shape), CONV if isinstance(module, nn.Conv2d) else LINEAR
    bypass = beside(module, [change(lora(shape), shape)], kind)
    assert Once().compute(bypass, module, torch.randn(size).to(module.weight.dtype)) is None


def test_other_families_biases_and_gradients_are_computed_beside() -> None:
    module, once, x = linear(), Once(), torch.randn(MANY, 24)
    doubled = beside(module, [change(Doubling(SHAPE), SHAPE)])
    assert once.compute(doubled, module, x) is None
    assert once.compute(beside(module, changes()), module, x.requires_grad_()) is None


def test_where_memory_ends_the_layers_are_computed_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    module, once, x = linear(), Once(), torch.randn(MANY, 24)
    bypass = beside(module, changes())

    def short(*_: object) -> Tensor:
        raise MemoryError

    monkeypatch.setattr(once._scratch, "take", short)
    assert once.compute(bypass, module, x) is None
    monkeypatch.undo()
    assert once.compute(bypass, module, x) is None  # not asked for again in this run
    once.clear()
    assert once.compute(bypass, module, x) is not None


class Counting(nn.Linear):
    """Counts how often its class computes."""

    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(x)


@torch.no_grad()
@pytest.mark.parametrize(("mode", "calls"), [("least memory", 0), ("bypass", 1)])
def test_least_memory_merges_for_a_call_and_hosts_that_compute_beside_are_called(
    mode: str, calls: int
) -> None:
    module = Counting(24, 16).requires_grad_(False)
    root, name = nn.Sequential(module), "unet.out.2"
    view = ModelView("sd1", "once", {"unet": root}, {name: Layer(name, LINEAR, module)})
    network = Network(Path("a"), ("once", 0), "sd1", {name: lora(SHAPE, rank=2)}, (), ())
    plan: Plan = make_plan(Stack((Entry("a", weight=0.5),)), [network], view)
    x, session = torch.randn(MANY, 24), Session()
    with session:
        session.attach(view, plan, mode)
        got = root(x)
        report = session.report()
    assert module.calls == calls
    assert (report.merged, report.bypassed) == (0, 1)
    assert (report.bytes >= module.weight.nbytes) or calls
    wanted = exact(module.weight, [change(lora(SHAPE, rank=2), SHAPE, 0.5)])
    assert (got - x.double() @ wanted.T - module.bias).abs().max() < 1e-5
