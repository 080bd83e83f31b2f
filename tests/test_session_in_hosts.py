"""Sessions among hosts and other extensions: reloads, moved weights, wrapped forwards, little memory."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from lib_lora.engine import budget
from lib_lora.engine.budget import MARGIN, weight_bytes
from lib_lora.network import Network
from lib_lora.plan import Plan, make_plan
from lib_lora.session import Session
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack
from tests.builders import (
    ToyModel,
    toy_sd1,
)
from tests.engine.changes import Doubling
from tests.sessions import Output, distance, open_networks, plan_of, same


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Network]:
    return open_networks(tmp_path_factory.mktemp("loras"))


@pytest.fixture
def toy() -> ToyModel:
    return toy_sd1()


@torch.no_grad()
def test_a_checkpoint_loaded_in_place_is_merged_anew(toy: ToyModel, networks: dict[str, Network]) -> None:
    session, view = Session(), toy.view()
    plan = plan_of(networks, view, a=1.0)
    session.attach(view, plan)
    toy.run()
    other = toy_sd1(seed=9)
    toy.unet.load_state_dict(other.unet.state_dict())
    toy.clip_l.load_state_dict(other.clip_l.state_dict())
    changed = toy.run()  # while attached: noticed by the root's hook
    session.detach()
    with Session() as fresh:
        other_view = other.view()
        fresh.attach(other_view, plan_of(networks, other_view, a=1.0))
        assert same(other.run(), changed)


def test_another_checkpoint_drops_what_was_merged(toy: ToyModel, networks: dict[str, Network]) -> None:
    session, view = Session(), toy.view()
    session.attach(view, plan_of(networks, view, a=1.0))
    toy.run()
    session.detach()
    kept = weakref.ref(session._store["unet.input_blocks.0.0"].weight)
    other = toy_sd1(seed=9)
    other.key = "another"
    other_view = other.view()
    session.attach(other_view, plan_of(networks, other_view, a=1.0))
    gc.collect()
    assert kept() is None
    session.detach()


def test_between_pictures_the_model_is_not_kept_alive(networks: dict[str, Network]) -> None:
    toy = toy_sd1()
    watcher, session = weakref.ref(toy.unet), Session()
    view = toy.view()
    session.attach(view, plan_of(networks, view, a=1.0))
    toy.run()
    session.detach()
    del toy, view
    gc.collect()
    assert watcher() is None


def test_a_weight_that_keeps_moving_is_computed_beside_the_model(
    toy: ToyModel, networks: dict[str, Network]
) -> None:
    session, view = Session(), toy.view()
    session.attach(view, plan_of(networks, view, a=1.0))
    expected = toy.run()
    for _ in range(5):
        for parameter in toy.unet.parameters():
            parameter.data = parameter.data.clone()  # what lowvram does between steps
        assert distance(toy.run(), expected) < 1e-5
    report = session.report()
    assert (report.merged, report.bypassed, report.mode) == (1, 4, "mixed")
    assert "moving 4 weights" in report.one_line()
    session.detach()


def test_the_host_settles_a_layer_before_its_weight_is_read(
    toy: ToyModel, networks: dict[str, Network]
) -> None:
    clean = toy_sd1()
    view = clean.view()
    with Session() as session:
        session.attach(view, plan_of(networks, view, a=1.0))
        expected = clean.run()
    leftover: set[nn.Module] = {layer.module for layer in toy.view().layers.values()}
    with torch.no_grad():
        for module in leftover:
            module.weight.mul_(2)  # a LoRA of the host that has left the prompt but not yet the weight

    def settle(module: nn.Module) -> None:
        if module in leftover:
            leftover.remove(module)
            with torch.no_grad():
                module.weight.div_(2)

    view = toy.view(settle=settle)
    session.attach(view, plan_of(networks, view, a=1.0))
    with torch.no_grad():
        for module in list(leftover):
            if isinstance(module, nn.GroupNorm | nn.LayerNorm):
                settle(module)  # not ours, so the host's own forward does it
    assert same(toy.run(), expected)
    session.refresh()
    leftover.update(module for module in toy.unet.modules() if isinstance(module, nn.Conv2d))
    with torch.no_grad():
        for module in leftover:
            module.weight.mul_(2)
    assert same(toy.run(), expected)
    session.detach()


@pytest.mark.parametrize("mode", ["merged", "bypass"])
def test_another_extensions_forward_stays_in_the_chain(
    toy: ToyModel, networks: dict[str, Network], mode: str
) -> None:
    view = toy.view()
    module = view.layers["unet.middle_block.1.proj_in"].module
    calls = []

    def foreign(x: Tensor) -> Tensor:
        calls.append(x.shape)
        return type(module).forward(module, x) * 1.5

    with Session() as session:
        session.attach(view, plan_of(networks, view, a=1.0))
        ours = toy.run()
    module.forward = foreign
    base = toy.run()
    session.attach(view, plan_of(networks, view, a=1.0), mode)
    both = toy.run()
    assert len(calls) == 2
    assert not same(both, base)
    assert not same(both, ours)
    assert session.report().bypassed >= 1
    session.detach()
    assert module.forward is foreign
    assert same(toy.run(), base)


def test_a_forward_wrapped_around_ours_keeps_working_after_us(
    toy: ToyModel, networks: dict[str, Network]
) -> None:
    base, view = toy.run(), toy.view()
    module = view.layers["unet.middle_block.1.proj_in"].module
    session = Session()
    session.attach(view, plan_of(networks, view, a=1.0))
    inner = module.forward

    def outer(x: Tensor) -> Tensor:
        return inner(x)

    module.forward = outer
    session.detach()
    assert module.forward is outer
    assert same(toy.run(), base)
    session.attach(view, plan_of(networks, view, a=1.0))
    assert not same(toy.run(), base)
    session.detach()
    assert module.forward is outer
    assert same(toy.run(), base)


def test_a_layer_called_past_its_root_is_changed_too(toy: ToyModel, networks: dict[str, Network]) -> None:
    view, x = toy.view(), torch.ones(1, 4, 5, 5)
    layer = view.layers["unet.input_blocks.0.0"].module
    base = layer(x)
    with Session() as session:
        session.attach(view, plan_of(networks, view, a=1.0))
        assert not torch.equal(layer(x), base)
    assert torch.equal(layer(x), base)


def in_inference_mode(run: Callable[[], Output]) -> Output:
    with torch.inference_mode():
        return run()


def test_merging_inside_inference_mode_serves_outside_too(
    toy: ToyModel, networks: dict[str, Network]
) -> None:
    session, view = Session(), toy.view()
    session.attach(view, plan_of(networks, view, a=1.0))
    inside = in_inference_mode(toy.run)
    session.detach()
    session.attach(view, plan_of(networks, view, a=1.0, b=0.2))
    toy.run()
    session.attach(view, plan_of(networks, view, a=1.0))
    assert same(toy.run(), inside)
    session.detach()


def test_weights_that_cannot_be_watched_are_merged_for_every_picture(networks: dict[str, Network]) -> None:
    with torch.inference_mode():
        toy = toy_sd1()
        base = toy.run()
    session, view = Session(), toy.view()
    plan = plan_of(networks, view, a=1.0)
    session.attach(view, plan)
    first = in_inference_mode(toy.run)
    session.detach()
    with torch.inference_mode():
        for name in plan.changes:
            view.layers[name].module.weight.mul_(2)  # leaves no trace that could be seen
    session.attach(view, plan)
    assert not same(in_inference_mode(toy.run), first)
    session.detach()
    assert not same(in_inference_mode(toy.run), base)


def test_little_memory_keeps_no_factors_and_less_still_merges_nothing(
    toy: ToyModel, networks: dict[str, Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    view = toy.view()

    def plan(weight: float) -> Plan:
        return make_plan(Stack((Entry("a", weight=weight, te=0),)), [networks["a"]], view)

    weights = sum(weight_bytes(view.layers[name].module) for name in plan(1.0).changes)
    seen = {}
    for name, free in (("plenty", None), ("tight", MARGIN + weights), ("none", 0)):
        monkeypatch.setattr(budget, "free_memory", lambda device, free=free: free)
        with Session() as session:
            session.attach(view, plan(1.0))
            output = toy.run()
            report = session.report()
            session.attach(view, plan(0.5))  # a moved slider works without factors too
            seen[name] = report, output, toy.run()
    assert [seen[name][0].merged for name in seen] == [4, 4, 0]
    assert seen["tight"][0].bytes == weights < seen["plenty"][0].bytes
    assert "not enough free memory" in seen["none"][0].one_line()
    for output in (1, 2):
        assert same(seen["plenty"][output], seen["tight"][output])
        assert distance(seen["plenty"][output], seen["none"][output]) < 1e-5


@torch.no_grad()
def test_a_family_that_reads_the_weight_follows_it_beside_the_model_too(
    toy: ToyModel, networks: dict[str, Network]
) -> None:
    name = "unet.middle_block.1.transformer_blocks.0.attn1.to_q"
    session, view = Session(), toy.view()
    plan = plan_of(networks, view, a=1.0)
    found = plan.changes[name][0]
    reading = replace(found, adapter=Doubling(view.shapes[name]), factors=None)
    plan = replace(plan, changes={name: (reading,)})
    session.attach(view, plan, "bypass")
    toy.run()
    view.layers[name].module.weight.mul_(2)  # the host puts a network of its own into it
    session.refresh()
    changed = toy.run()
    session.detach()
    with Session() as fresh:
        fresh.attach(view, plan, "bypass")
        assert same(toy.run(), changed)
