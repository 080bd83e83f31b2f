"""Life of a session: exactly the stack while attached, and nothing left afterwards, whatever happens."""

from __future__ import annotations

import weakref
from copy import deepcopy
from pathlib import Path

import pytest
import torch

from lib_lora.engine import budget
from lib_lora.engine.view import ModelView
from lib_lora.errors import EngineError
from lib_lora.network import Network, NetworkCache
from lib_lora.plan import make_plan
from lib_lora.session import Session
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack
from tests.builders import (
    TOY_LAYERS,
    ToyModel,
    make_lora_file,
    toy_sd1,
)
from tests.sessions import MODES, is_untouched, open_networks, plan_of, same


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Network]:
    return open_networks(tmp_path_factory.mktemp("loras"))


@pytest.fixture
def toy() -> ToyModel:
    return toy_sd1()


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


def test_moving_the_text_encoders_weight_leaves_the_unet_as_it_is(
    toy: ToyModel, networks: dict[str, Network]
) -> None:
    session, view, x = Session(), toy.view(), torch.ones(1, 4, 5, 5)
    stacks = [Stack((Entry("a", te=te),)) for te in (0.3, 0.7)]
    plan = make_plan(stacks[0], [networks["a"]], view)
    session.attach(view, plan)
    toy.run()
    unet = toy.unet(x)
    moved = make_plan(stacks[1], [networks["a"]], view, plan)
    session.attach(view, moved)
    assert torch.equal(toy.unet(x), unet)
    assert session.report().reused
    text = toy.clip_l(torch.zeros(1, 1, 8))
    assert not session.report().reused
    session.detach()
    with Session() as other:
        other.attach(view, make_plan(stacks[1], [networks["a"]], view))
        assert torch.equal(toy.clip_l(torch.zeros(1, 1, 8)), text)


@pytest.mark.parametrize("between", ["a written weight", "a wrapped layer", "another module"])
def test_what_others_did_between_two_pictures_counts(
    toy: ToyModel, networks: dict[str, Network], between: str
) -> None:
    """The second time is quicker; what others did meanwhile must still be seen."""
    session, view = Session(), toy.view()
    plan = plan_of(networks, view, a=0.8)
    session.attach(view, plan)
    toy.run()
    session.detach()
    module = view.layers["unet.middle_block.1.proj_in"].module
    with torch.no_grad():
        if between == "a wrapped layer":
            own = type(module).forward
            module.forward = lambda x: 2 * own(module, x)
        elif between == "a written weight":
            module.weight.mul_(2)
        else:
            toy.unet.middle_block[1].proj_in = deepcopy(module)
            toy.unet.middle_block[1].proj_in.weight.mul_(2)
            view = toy.view()
    session.attach(view, plan)
    outputs = toy.run()
    session.detach()
    with Session() as other:
        other.attach(view, plan)
        assert same(toy.run(), outputs)


@pytest.mark.parametrize(("free", "kept"), [(0, False), (1 << 40, True), (None, True)])
def test_merged_weights_are_kept_without_the_stack_while_memory_lasts(
    toy: ToyModel,
    networks: dict[str, Network],
    monkeypatch: pytest.MonkeyPatch,
    free: int | None,
    kept: bool,
) -> None:
    session, view = Session(), toy.view()
    plan = plan_of(networks, view, a=1.0)
    session.attach(view, plan, "merged")
    first = toy.run()
    monkeypatch.setattr(budget, "free_memory", lambda device: free)
    session.give_back()  # worn: nothing of it may go
    assert same(toy.run(), first)
    session.detach()
    session.give_back()
    session.attach(view, plan_of(networks, view, a=1.0), "merged")
    assert same(toy.run(), first)
    assert session.report().reused == kept
    session.detach()


@pytest.mark.parametrize("then", [{"te": 0.0}, {"unet": 0.0}, {"te": 0.0, "unet": 0.0}])
def test_merged_weights_of_a_part_that_the_next_plan_leaves_alone_are_given_back(
    toy: ToyModel, networks: dict[str, Network], then: dict[str, float]
) -> None:
    session, view = Session(), toy.view()
    session.attach(view, plan_of(networks, view, a=1.0))
    toy.run()
    merged = {name: weakref.ref(kept.weight) for name, kept in session._store.items()}
    plan = make_plan(Stack((Entry("a", **then),)), [networks["a"]], view)
    session.attach(view, plan)
    toy.run()
    assert {name for name, weight in merged.items() if weight() is not None} == set(plan.changes)
    session.detach()


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


def test_a_plan_of_another_checkpoint_is_refused(toy: ToyModel, networks: dict[str, Network]) -> None:
    plan = plan_of(networks, toy.view(), a=1.0)
    toy.key = "reloaded"
    with pytest.raises(EngineError, match="checkpoint was changed"):
        Session().attach(toy.view(), plan)


def test_an_unknown_mode_is_refused(toy: ToyModel, networks: dict[str, Network]) -> None:
    with pytest.raises(EngineError, match="auto, merged, least memory, bypass"):
        Session().attach(toy.view(), plan_of(networks, toy.view()), "fast")


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
