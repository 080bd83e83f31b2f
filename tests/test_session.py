"""Life of a session: exactly the stack while attached, and nothing left afterwards, whatever happens."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lib_lora.engine import budget
from lib_lora.engine.budget import MARGIN, weight_bytes
from lib_lora.engine.view import ModelView
from lib_lora.errors import EngineError
from lib_lora.network import Network, NetworkCache
from lib_lora.plan import Plan, make_plan
from lib_lora.session import Session
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack
from tests.builders import (
    TOY_LAYERS,
    SmallModel,
    ToyModel,
    kohya_layers,
    make_lora_file,
    small_sd1,
    toy_sd1,
)

NAMES = ("a", "b", "c")
MODES = ("merged", "bypass", "auto")
Output = tuple[Tensor, Tensor]


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Network]:
    """Three files for the toy; the last changes its first convolution and text encoder only."""
    folder = tmp_path_factory.mktemp("loras")
    some = {name: size for name, size in TOY_LAYERS.items() if "mid_block" not in name}
    opened = {}
    for seed, name in enumerate(NAMES):
        path = folder / f"{name}.safetensors"
        make_lora_file(path, some if name == "c" else TOY_LAYERS, rank=2 + seed, seed=seed)
        opened[name] = NetworkCache().open(path, "sd1")
    return opened


@pytest.fixture
def toy() -> ToyModel:
    return toy_sd1()


def plan_of(networks: dict[str, Network], view: ModelView, **weights: float) -> Plan:
    entries = tuple(Entry(name, weight=weight) for name, weight in weights.items())
    return make_plan(Stack(entries), [networks[name] for name in weights], view)


def same(one: Output, other: Output) -> bool:
    return all(torch.equal(ours, theirs) for ours, theirs in zip(one, other, strict=True))


def distance(one: Output, other: Output) -> float:
    return max(float((ours - theirs).abs().max()) for ours, theirs in zip(one, other, strict=True))


def is_untouched(model: ToyModel) -> bool:
    modules = [module for root in (model.unet, model.clip_l) for module in root.modules()]
    return not any("forward" in vars(module) or module._forward_pre_hooks for module in modules)


@pytest.mark.parametrize("mode", MODES)
def test_attached_changes_both_parts_and_detached_is_the_first_picture(
    toy: ToyModel, networks: dict[str, Network], mode: str
) -> None:
    base, before = toy.run(), toy.digests()
    session, view = Session(), toy.view()
    session.attach(view, plan_of(networks, view, a=0.8), mode)
    during = toy.run()
    assert all(not torch.equal(ours, plain) for ours, plain in zip(during, base, strict=True))
    assert toy.digests() == before
    session.detach()
    assert same(toy.run(), base)
    assert toy.digests() == before
    assert is_untouched(toy)


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


def test_nothing_is_computed_before_the_first_forward(toy: ToyModel, networks: dict[str, Network]) -> None:
    view = toy.view()
    with Session() as session:
        session.attach(view, plan_of(networks, view, a=1.0))
        assert session.report().merged == 0
        assert session.report().bytes == 0
        toy.clip_l(torch.zeros(1, 1, 8))
        report = session.report()
        assert (report.merged, report.te_calls, report.unet_calls) == (1, 1, 0)
        toy.run()
        report = session.report()
        assert (report.merged, report.unet_layers, report.te_layers, report.unet_calls) == (5, 4, 1, 4)
        assert report.bytes > 0


@pytest.mark.parametrize("weights", [{}, {"a": 0.0}, {"a": 0.0, "b": 0.0}], ids=["empty", "zero", "zeros"])
def test_a_stack_that_changes_nothing_touches_nothing(
    toy: ToyModel, networks: dict[str, Network], weights: dict[str, float]
) -> None:
    view = toy.view()
    session = Session()
    session.attach(view, plan_of(networks, view, a=1.0))
    toy.run()
    session.attach(view, plan_of(networks, view, **weights))
    assert is_untouched(toy)
    assert session.report().bytes == 0


def test_attaching_again_changes_nothing_and_detaching_twice_is_once(
    toy: ToyModel, networks: dict[str, Network]
) -> None:
    session, view = Session(), toy.view()
    plan = plan_of(networks, view, a=1.0)
    session.attach(view, plan)
    first = toy.run()
    forward = vars(view.layers["unet.input_blocks.0.0"].module)["forward"]
    session.attach(view, plan)
    assert vars(view.layers["unet.input_blocks.0.0"].module)["forward"] is forward
    assert same(toy.run(), first)
    assert session.report().unet_calls == 8
    session.detach()
    session.detach()
    assert is_untouched(toy)


def test_the_next_picture_with_the_same_stack_merges_nothing(
    toy: ToyModel, networks: dict[str, Network]
) -> None:
    session, view = Session(), toy.view()
    plan = plan_of(networks, view, a=1.0)
    session.attach(view, plan)
    first = toy.run()
    report = session.report()
    assert report.seconds > 0
    assert not report.reused
    session.detach()
    session.attach(view, plan)  # the same plan in another phase of the same picture: its time is told once
    assert same(toy.run(), first)
    assert session.report().seconds == report.seconds
    session.attach(view, plan_of(networks, view, a=1.0))  # the next picture's plan
    assert same(toy.run(), first)
    assert session.report().reused
    assert session.report().merged == 5
    session.detach()


def test_the_text_encoders_share_is_told_after_sampling_too(
    toy: ToyModel, networks: dict[str, Network]
) -> None:
    session, view = Session(), toy.view()
    plan = plan_of(networks, view, a=1.0)
    session.attach(view, plan)
    toy.clip_l(torch.zeros(1, 1, 8))
    text = session.report()
    session.detach()
    session.attach(view, plan)
    toy.unet(torch.zeros(1, 4, 5, 5))
    report = session.report()
    session.detach()
    assert (text.merged, report.merged) == (1, 5)
    assert (report.te_calls, report.unet_calls) == (0, 4)
    assert report.seconds > text.seconds > 0


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


class Failure(Exception):
    """Raised by a layer in the middle of a forward."""


@pytest.mark.parametrize("mode", MODES)
def test_an_exception_inside_the_model_leaves_nothing(
    toy: ToyModel, networks: dict[str, Network], mode: str
) -> None:
    def fail(*_: object) -> None:
        raise Failure

    base, view = toy.run(), toy.view()
    hook = view.layers["unet.middle_block.1.proj_in"].module.register_forward_hook(fail)
    with pytest.raises(Failure), Session() as session:
        session.attach(view, plan_of(networks, view, a=1.0), mode)
        toy.run()
    hook.remove()
    assert is_untouched(toy)
    assert same(toy.run(), base)


def test_an_exception_while_merging_leaves_nothing_and_the_next_run_is_right(
    toy: ToyModel, networks: dict[str, Network], tmp_path: Path
) -> None:
    base, view, path = toy.run(), toy.view(), tmp_path / "huge.safetensors"
    make_lora_file(path, TOY_LAYERS, strength=1e5)
    huge = {"huge": NetworkCache().open(path, "sd1")}
    plan, session = plan_of(huge, view, huge=10.0), Session()
    for root in (toy.unet, toy.clip_l):
        root.half()
    session.attach(view, plan)
    with pytest.raises(EngineError, match="half precision"):
        toy.unet(torch.zeros(1, 4, 5, 5).half())
    session.detach()
    assert is_untouched(toy)
    toy = toy_sd1()
    assert same(toy.run(), base)
    view = toy.view()
    session.attach(view, plan_of(networks, view, a=0.5))
    assert not same(toy.run(), base)
    session.detach()


def test_an_exception_while_attaching_leaves_nothing(toy: ToyModel, networks: dict[str, Network]) -> None:
    view = toy.view()
    plan = plan_of(networks, view, a=1.0)
    layers = dict(view.layers)
    del layers["unet.middle_block.1.proj_in"]
    broken = ModelView(view.architecture, view.key, view.parts, layers)
    with pytest.raises(KeyError):
        Session().attach(broken, plan)
    assert is_untouched(toy)


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


def test_a_plan_of_another_checkpoint_is_refused(toy: ToyModel, networks: dict[str, Network]) -> None:
    plan = plan_of(networks, toy.view(), a=1.0)
    toy.key = "reloaded"
    with pytest.raises(EngineError, match="checkpoint was changed"):
        Session().attach(toy.view(), plan)


def test_an_unknown_mode_is_refused(toy: ToyModel, networks: dict[str, Network]) -> None:
    with pytest.raises(EngineError, match="auto, merged, bypass"):
        Session().attach(toy.view(), plan_of(networks, toy.view()), "fast")


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


def test_the_report_tells_rows_and_matches(toy: ToyModel, networks: dict[str, Network]) -> None:
    session, view = Session(), toy.view()
    session.attach(view, plan_of(networks, view, a=1.0, b=0.0, c=0.5))
    toy.run()
    session.detach()
    report = session.report()
    assert [(e.row, e.network, e.matched, e.total, e.applied) for e in report.entries] == [
        (1, "a", 5, 5, True),
        (2, "b", 5, 5, False),
        (3, "c", 2, 2, True),
    ]
    assert report.one_line().startswith("2 of 3 applied · 12/12 weights · merged in ")
    assert "row 2 has weight 0" in report.one_line()


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
