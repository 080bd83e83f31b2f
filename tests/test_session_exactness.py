"""Sessions are exact: the formula, the same bits for the same stack, and the first picture again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib_lora.network import Network, NetworkCache
from lib_lora.plan import make_plan
from lib_lora.session import Session
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack
from tests.builders import (
    SmallModel,
    ToyModel,
    kohya_layers,
    make_lora_file,
    small_sd1,
    toy_sd1,
)
from tests.sessions import MODES, NAMES, Output, distance, is_untouched, open_networks, plan_of, same


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Network]:
    return open_networks(tmp_path_factory.mktemp("loras"))


@pytest.fixture
def toy() -> ToyModel:
    return toy_sd1()


def test_what_is_applied_is_the_formula(toy: ToyModel, networks: dict[str, Network]) -> None:
    view = toy.view()
    plan = plan_of(networks, view, a=0.8, b=-0.3)
    reference = toy_sd1()
    with torch.no_grad():
        for name, layer in reference.view().layers.items():
            for change in plan.changes.get(name, ()):
                layer.module.weight += change.adapter.delta(layer.module.weight) * change.strength
    for mode in MODES:
        with Session() as session:
            session.attach(view, plan, mode)
            assert distance(toy.run(), reference.run()) < 1e-5


stacks = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(NAMES), st.sampled_from([-0.5, 0.0, 0.35, 1.0]), max_size=3),
        st.sampled_from(MODES),
        st.booleans(),
    ),
    min_size=200,
    max_size=200,
)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(stacks)
def test_200_stacks_leave_nothing_and_equal_stacks_give_equal_bits(
    networks: dict[str, Network], history: list[tuple[dict[str, float], str, bool]]
) -> None:
    toy = toy_sd1()
    base, before = toy.run(), toy.digests()
    session, view = Session(), toy.view()
    seen: dict[tuple[Any, str], Output] = {}
    for weights, mode, detach in history:
        session.attach(view, plan_of(networks, view, **weights), mode)
        output = toy.run()
        key = frozenset(item for item in weights.items() if item[1]), mode.replace("auto", "merged")
        assert same(seen.setdefault(key, output), output)
        if detach:
            session.detach()
            assert same(toy.run(), base)
    for (stack, mode), output in seen.items():
        if mode == "merged" and (stack, "bypass") in seen:
            assert distance(output, seen[stack, "bypass"]) < 1e-5
    session.attach(view, plan_of(networks, view))
    assert same(toy.run(), base)
    session.forget()
    assert same(toy.run(), base)
    assert toy.digests() == before
    assert is_untouched(toy)


def test_a_fresh_session_gives_the_same_bits(toy: ToyModel, networks: dict[str, Network]) -> None:
    view = toy.view()
    used = Session()
    for weights in ({"a": 1.0}, {"b": 0.3, "a": 0.5}, {"c": 1.0}):
        used.attach(view, plan_of(networks, view, **weights))
        toy.run()
    used.attach(view, plan_of(networks, view, b=0.4, a=0.6))
    late = toy.run()
    used.detach()
    fresh = Session()
    fresh.attach(view, plan_of(networks, view, a=0.6, b=0.4))
    assert same(toy.run(), late)
    fresh.detach()


def test_a_moved_slider_merges_only_what_it_changes(toy: ToyModel, networks: dict[str, Network]) -> None:
    session, view = Session(), toy.view()
    session.attach(view, plan_of(networks, view, a=1.0, c=0.5))
    toy.run()
    kept = dict(session._store)
    untouched = kept["unet.middle_block.1.proj_in"].weight
    touched = kept["unet.input_blocks.0.0"].weight
    assert untouched is not None
    assert touched is not None
    versions = untouched._version, touched._version
    session.attach(view, plan_of(networks, view, a=1.0, c=0.6))
    toy.run()
    assert untouched._version == versions[0]
    assert touched._version > versions[1]


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float16, torch.bfloat16], ids=["fp32", "fp16", "bf16"]
)
@pytest.mark.parametrize("mode", ["merged", "bypass"])
def test_every_number_type(networks: dict[str, Network], dtype: torch.dtype, mode: str) -> None:
    exact = toy_sd1()
    exact_view = exact.view()
    with Session() as session:
        session.attach(exact_view, plan_of(networks, exact_view, a=0.7))
        truth = exact.run()
    toy = toy_sd1(dtype=dtype)
    base, view = toy.run(), toy.view()
    session.attach(view, plan_of(networks, view, a=0.7), mode)
    got = toy.run()
    session.detach()
    assert got[1].dtype == dtype
    limit = {torch.float32: 1e-5, torch.float16: 2e-2, torch.bfloat16: 1.5e-1}[dtype]
    assert distance((got[0].float(), got[1].float()), truth) < limit
    assert same(toy.run(), base)


def test_channels_last_gives_the_same_result(toy: ToyModel, networks: dict[str, Network]) -> None:
    session, view = Session(), toy.view()
    session.attach(view, plan_of(networks, view, a=0.7))
    plain = toy.run()
    toy.unet.to(memory_format=torch.channels_last)
    for kept in (session, Session()):  # converted while attached, and from the start
        view = toy.view()
        kept.attach(view, plan_of(networks, view, a=0.7))
        assert distance(toy.run(), plain) < 1e-5
        kept.detach()


@pytest.fixture(scope="module")
def small() -> SmallModel:
    return small_sd1()


def test_the_whole_tree_of_sd1(small: SmallModel, tmp_path: Path) -> None:
    attention, everything = tmp_path / "attention.safetensors", tmp_path / "everything.safetensors"
    make_lora_file(attention, kohya_layers(small), rank=4, seed=1)
    make_lora_file(everything, kohya_layers(small, convs=True), rank=2, seed=2)
    networks = [NetworkCache().open(path, "sd1") for path in (attention, everything)]
    session, view = Session(), small.view()
    plan = make_plan(Stack((Entry("attention", weight=0.8), Entry("everything", weight=0.4))), networks, view)
    base = small.run()
    before = {name: tensor.clone() for name, tensor in small.parameters().items()}
    outputs = {}
    for mode in ("merged", "bypass"):
        session.attach(view, plan, mode)
        outputs[mode] = small.run()
        report = session.report()
        assert (report.unet_layers, report.te_layers) == (281, 12)  # one shortcut less than the full size
        assert (report.unet_calls, report.te_calls) == (281, 12)
        assert all(entry.matched == entry.total for entry in report.entries)
        session.detach()
    assert distance(outputs["merged"], base) > 0.1
    assert distance(outputs["merged"], outputs["bypass"]) < 5e-5
    assert same(small.run(), base)
    assert all(torch.equal(tensor, before[name]) for name, tensor in small.parameters().items())
