"""Laws of the engine over all families: nothing at 0, linear, in any order, in the host's type, off again."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_lora.adapters import NOTHING, find_family
from lib_lora.plan import Contribution, Plan
from lib_lora.session import Session
from tests.adapters.table import CASES, Case
from tests.builders import toy_sd1
from tests.engine.figures import layer, merge

SHAPE = (24, 16)
FEW = settings(max_examples=60, deadline=None)
LINEARS = [case for case in CASES if "linear" in case.hosts]
PLACES = {
    "linear": "unet.middle_block.1.transformer_blocks.0.attn1.to_q",
    "conv1x1": "unet.middle_block.1.proj_in",
    "conv3x3": "unet.input_blocks.0.0",
    "text encoder": "clip_l.text_model.encoder.layers.0.self_attn.q_proj",
}
cases = st.sampled_from(LINEARS)
stacks = st.lists(cases, min_size=1, max_size=4)
seeds = st.integers(0, 2**31)
strengths = st.floats(-2, 2, width=32)
dtypes = st.sampled_from((torch.float32, torch.float16, torch.bfloat16))


def planned(case: Case, shape: tuple[int, ...], strength: float, number: int) -> Contribution:
    """A change drawn from the global generator."""
    tensors = case.draw(shape)
    adapter = find_family(tensors).read(tensors)
    return Contribution((case.name, number), adapter, adapter.factors(shape), strength)


def at(change: Contribution, strength: float) -> Contribution:
    return Contribution(change.network, change.adapter, change.factors, strength)


@FEW
@given(found=stacks, seed=seeds, dtype=dtypes)
def test_a_stack_at_0_is_the_hosts_weight_bit_for_bit(
    found: list[Case], seed: int, dtype: torch.dtype
) -> None:
    torch.manual_seed(seed)
    module = layer(SHAPE).to(dtype)
    changes = [planned(case, SHAPE, 0.0, number) for number, case in enumerate(found)]
    merged = merge(module, changes)
    assert merged.dtype == dtype
    assert torch.equal(merged, module.weight)


@FEW
@given(case=cases, seed=seeds, first=strengths, second=strengths)
def test_two_strengths_are_their_sum(case: Case, seed: int, first: float, second: float) -> None:
    """From one weight, whether a family reads it or not: no row ever sees what another left."""
    torch.manual_seed(seed)
    module = layer(SHAPE)
    change = planned(case, SHAPE, 1.0, 0)
    twice = merge(module, [at(change, first), at(change, second)])
    once = merge(module, [at(change, first + second)])
    reach = module.weight.abs().max() + 4 * change.adapter.delta(module.weight.detach()).abs().max()
    assert (twice - once).abs().max() <= 1e-6 * reach


@FEW
@given(found=stacks, seed=seeds, values=st.lists(strengths, min_size=4, max_size=4))
def test_rows_commute_and_do_in_company_what_they_do_alone(
    found: list[Case], seed: int, values: list[float]
) -> None:
    """Also those that read the weight: each reads the checkpoint's own."""
    torch.manual_seed(seed)
    module = layer(SHAPE)
    weight = module.weight.detach()
    changes = [planned(case, SHAPE, values[number], number) for number, case in enumerate(found)]
    together = merge(module, changes)
    alone = weight + sum((merge(module, [change]) - weight).double() for change in changes)
    reach = weight.abs().max() + sum(
        abs(change.strength) * change.adapter.delta(weight).abs().max() for change in changes
    )
    assert (together - merge(module, changes[::-1])).abs().max() <= 2e-6 * reach
    assert (together - alone).abs().max() <= 2e-6 * reach


@FEW
@given(case=cases, seed=seeds)
def test_what_reads_nothing_changes_every_weight_alike(case: Case, seed: int) -> None:
    torch.manual_seed(seed)
    change = planned(case, SHAPE, 1.0, 0)
    first, second = torch.randn(SHAPE), torch.randn(SHAPE)
    alike = torch.equal(change.adapter.delta(first), change.adapter.delta(second))
    nothing_to_do = not change.adapter.delta(first).any()  # kohya's OFT with a constraint of 0
    assert alike is (change.adapter.reads == NOTHING) or nothing_to_do


@settings(max_examples=30, deadline=None)
@given(
    found=st.lists(st.sampled_from(CASES), min_size=1, max_size=4), seed=seeds, dtype=dtypes, data=st.data()
)
def test_a_model_comes_back_bit_for_bit(
    found: list[Case], seed: int, dtype: torch.dtype, data: st.DataObject
) -> None:
    model = toy_sd1(dtype=dtype)
    view, before, plain = model.view(), model.digests(), model.run()
    shapes = view.shapes
    mode = data.draw(st.sampled_from(("merged", "bypass", "auto")))
    torch.manual_seed(seed)
    changes: dict[str, tuple[Contribution, ...]] = {}
    for number, case in enumerate(found):
        name = PLACES[data.draw(st.sampled_from(case.hosts))]
        strength = data.draw(strengths)
        changes[name] = (*changes.get(name, ()), planned(case, shapes[name], strength, number))
    with Session() as session:
        session.attach(view, Plan(model.key, changes, (), ()), mode)
        assert all(output.dtype == dtype for output in model.run())
        assert model.digests() == before
    assert all(torch.equal(now, then) for now, then in zip(model.run(), plain, strict=True))
    assert model.digests() == before
