"""Every family through the engine: merged in three number types, alone, in stacks, and beside the model."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from lib_lora.adapters import find_family
from lib_lora.engine.bypass import Bypass
from lib_lora.engine.merged import MergedWeight, Scratch, exact_arithmetic
from lib_lora.engine.view import CONV, LINEAR, Layer
from lib_lora.plan import Contribution
from tests.adapters.table import CASES, SHAPES, Case, exact

HOSTS = ("linear", "conv1x1", "conv3x3")
ROWS = [(case, host) for case in CASES for host in HOSTS if host in case.hosts]
BY_ROW = pytest.mark.parametrize(
    ("case", "host"), ROWS, ids=[f"{case.name} on {host}" for case, host in ROWS]
)
DTYPES = pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float16, torch.bfloat16], ids=["fp32", "fp16", "bf16"]
)
STRENGTHS = (0.35, 1.0, -0.7)


def layer(shape: tuple[int, ...]) -> nn.Module:
    if len(shape) == 4:
        return nn.Conv2d(shape[1], shape[0], shape[2:], padding=shape[2] // 2)
    return nn.Linear(shape[1], shape[0])


def contribution(case: Case, shape: tuple[int, ...], strength: float, seed: int) -> tuple[Contribution, dict]:
    torch.manual_seed(seed)
    tensors = case.draw(shape)
    adapter = find_family(tensors).read(tensors)
    return Contribution((case.name, seed), adapter, adapter.factors(shape), strength), tensors


def merge(host: nn.Module, changes: list[Contribution]) -> Tensor:
    merged = MergedWeight()
    with exact_arithmetic([torch.device("cpu")]):
        merged.update(host, changes, Scratch())
    assert merged.weight is not None
    return merged.weight


@BY_ROW
@DTYPES
def test_merged_is_the_formula_rounded_once(case: Case, host: str, dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    module = layer(SHAPES[host]).to(dtype)
    weight = module.weight.detach().double()
    for strength in STRENGTHS:
        change, tensors = contribution(case, SHAPES[host], strength, 2)
        want = weight + strength * case.formula(weight, exact(tensors))
        got = merge(module, [change])
        assert got.dtype == dtype
        rounding = 0 if dtype == torch.float32 else 0.501 * torch.finfo(dtype).eps * want.abs()
        assert bool(((got.double() - want).abs() <= rounding + 1e-6 * want.abs().max()).all()), strength


@pytest.mark.parametrize("host", HOSTS)
def test_a_stack_of_all_families_is_the_sum_of_each_alone(host: str) -> None:
    """Every row does what it does alone, in any order."""
    torch.manual_seed(3)
    module = layer(SHAPES[host])
    weight = module.weight.detach().double()
    cases = [case for case in CASES if host in case.hosts]
    want, changes = weight.clone(), []
    for number, case in enumerate(cases):
        change, tensors = contribution(case, SHAPES[host], 0.1 * (-1) ** number, number)
        want += change.strength * case.formula(weight, exact(tensors))
        changes.append(change)
    first, second = merge(module, changes), merge(module, changes[::-1])
    assert (first.double() - want).abs().max() <= 2e-6 * want.abs().max()
    assert (first - second).abs().max() <= 2e-6 * want.abs().max()


@pytest.mark.parametrize(
    "names", list(itertools.permutations(("DoRA on outputs", "OFT", "LoRA"))), ids=" ".join
)
def test_no_row_depends_on_its_place(names: tuple[str, ...]) -> None:
    torch.manual_seed(4)
    module = layer(SHAPES["linear"])
    weight = module.weight.detach().double()
    by_name = {case.name: case for case in CASES}
    want, changes = weight.clone(), []
    for name in names:
        change, tensors = contribution(by_name[name], SHAPES["linear"], 0.5, len(name))
        want += 0.5 * by_name[name].formula(weight, exact(tensors))
        changes.append(change)
    assert (merge(module, changes).double() - want).abs().max() <= 1e-6 * want.abs().max()


LOW_RANK = [
    (case, host) for case, host in ROWS if contribution(case, SHAPES[host], 1.0, 0)[0].factors is not None
]


@pytest.mark.parametrize(
    ("case", "host"), LOW_RANK, ids=[f"{case.name} on {host}" for case, host in LOW_RANK]
)
def test_beside_the_model_is_the_same_as_merged(case: Case, host: str) -> None:
    torch.manual_seed(5)
    module = layer(SHAPES[host])
    change, _ = contribution(case, SHAPES[host], 0.8, 6)
    x = torch.randn(2, 16, 5, 5) if len(SHAPES[host]) == 4 else torch.randn(2, 16)
    kind = CONV if len(SHAPES[host]) == 4 else LINEAR
    with torch.no_grad():
        beside = Bypass(Layer("unet.x", kind, module), [change]).add_to(module(x), x)
        merged = merge(module, [change])
        module.weight.copy_(merged)
        wanted = module(x)
    assert (beside - wanted).abs().max() <= 3e-6 * wanted.abs().max()
