"""Laws over all families: nothing at strength 0, one law of strength, sums in any order, precision kept."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_lora.adapters import Adapter, InPlace, find_family
from tests.adapters.table import CASES, CONV, LINEAR, Case, Tensors

FEW = settings(max_examples=12, deadline=None)
ADDITIVE = ("LoRA", "LoCon", "LoHa", "LoKr", "full")
SMALL = {"linear": LINEAR, "conv3x3": CONV}
ROWS = [(case, host) for case in CASES for host in SMALL if host in case.hosts]
NAMES = [f"{case.name} on {host}" for case, host in ROWS]
seeds = st.integers(0, 2**31)
strengths = st.floats(-2, 2, width=32)


def drawn(case: Case, host: str, seed: int) -> tuple[Adapter, torch.Tensor]:
    torch.manual_seed(seed)
    tensors: Tensors = case.draw(SMALL[host])
    return find_family(tensors).read(tensors), torch.randn(SMALL[host])


@pytest.mark.parametrize(("case", "host"), ROWS, ids=NAMES)
@FEW
@given(seed=seeds)
def test_strength_0_is_the_weight_bit_for_bit(case: Case, host: str, seed: int) -> None:
    adapter, weight = drawn(case, host, seed)
    assert torch.equal(torch.add(weight, adapter.delta(weight), alpha=0.0), weight)
    if isinstance(adapter, InPlace):
        out = weight.clone()
        adapter.add_to(out, weight, 0.0)
        assert torch.equal(out, weight)


@pytest.mark.parametrize(("case", "host"), ROWS, ids=NAMES)
@FEW
@given(seed=seeds)
def test_reading_and_computing_leave_their_inputs(case: Case, host: str, seed: int) -> None:
    torch.manual_seed(seed)
    tensors, weight = case.draw(SMALL[host]), torch.randn(SMALL[host])
    before = {role: tensor.clone() for role, tensor in tensors.items()}, weight.clone()
    adapter = find_family(tensors).read(tensors)
    first = adapter.delta(weight)
    out = weight.clone()
    if isinstance(adapter, InPlace):
        adapter.add_to(out, weight, 0.7)
    adapter.factors(tuple(weight.shape))
    assert torch.equal(adapter.delta(weight), first)
    assert torch.equal(weight, before[1])
    assert all(torch.equal(tensor, before[0][role]) for role, tensor in tensors.items())


@pytest.mark.parametrize(
    ("case", "host"),
    [row for row in ROWS if isinstance(drawn(*row, 0)[0], InPlace)],
    ids=[name for name, row in zip(NAMES, ROWS, strict=True) if isinstance(drawn(*row, 0)[0], InPlace)],
)
@FEW
@given(seed=seeds, first=strengths, second=strengths)
def test_strengths_add_up(case: Case, host: str, seed: int, first: float, second: float) -> None:
    """Applying a change at two strengths from the same weight is applying it at their sum."""
    adapter, weight = drawn(case, host, seed)
    twice, once = weight.clone(), weight.clone()
    adapter.add_to(twice, weight, first)
    adapter.add_to(twice, weight, second)
    adapter.add_to(once, weight, first + second)
    reach = weight.abs().max() + 4 * adapter.delta(weight).abs().max()
    assert (twice - once).abs().max() <= 1e-6 * reach


@pytest.mark.parametrize("name", ADDITIVE)
@FEW
@given(seed=seeds)
def test_an_additive_change_does_not_look_at_the_weight(name: str, seed: int) -> None:
    for case, host in ROWS:
        if case.name.startswith(name):
            adapter, weight = drawn(case, host, seed)
            assert torch.equal(adapter.delta(weight), adapter.delta(torch.zeros_like(weight)))


@pytest.mark.parametrize(("case", "host"), ROWS, ids=NAMES)
def test_the_change_of_a_16_bit_weight_is_computed_in_32(case: Case, host: str) -> None:
    """What a file stores in 16 bits is read as float32, and so is what comes out."""
    torch.manual_seed(3)
    tensors = {role: tensor.bfloat16().float() for role, tensor in case.draw(SMALL[host]).items()}
    adapter = find_family(tensors).read(tensors)
    weight = torch.randn(SMALL[host]).half().float()
    assert adapter.delta(weight).dtype == torch.float32
