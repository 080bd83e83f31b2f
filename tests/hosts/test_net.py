"""The net below the frames: before every step the model being sampled wears what its run asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib_lora.errors import NetworkMismatchError
from lib_lora.hosts.lifecycle import Lifecycle, Signs
from lib_lora.hosts.reports import Reports
from lib_lora.hosts.request import ATTRIBUTE, Request, make_request
from lib_lora.library.library import Library
from lib_lora.stack.schedule import Moment
from tests.builders import TOY_LAYERS, ToyModel, make_lora_file, toy_sd1
from tests.sessions import Output, is_untouched, same


class Processing:
    def __init__(self, model: ToyModel, request: Request | None = None) -> None:
        self.model = model
        setattr(self, ATTRIBUTE, request)


class Bench:
    """A lifecycle over toys that counts how often a whole view was asked for."""

    def __init__(self, folder: Path) -> None:
        self.library = Library([folder])
        self.library.scan()
        self.views = 0
        self.foreign = 0
        self.settled: list[Any] = []
        self.lifecycle = Lifecycle(self._view, lambda: "auto", Reports(), self._signs)

    def _view(self, p: Any) -> Any:
        self.views += 1
        return p.model.view(settle=self.settled.append)

    def _signs(self, p: Any) -> Signs:
        return Signs(p.model.view().key, self.foreign)

    def run(self, model: ToyModel, weight: float = 0.8, name: str = "a") -> Processing:
        rows = [{"network": name, "weight": weight}]
        return Processing(model, make_request("txt2img", rows, self.library))

    def picture(self, model: ToyModel, **row: Any) -> Output:
        return self.lifecycle.around(self.run(model, **row), model.run)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    make_lora_file(tmp_path / "a.safetensors", TOY_LAYERS)
    return Bench(tmp_path)


@pytest.fixture
def model() -> ToyModel:
    return toy_sd1()


def test_nothing_to_do_costs_nothing(bench: Bench, model: ToyModel) -> None:
    p = bench.run(model)

    def sampling() -> None:
        model.run()
        views, settled = bench.views, len(bench.settled)
        for _ in range(3):
            bench.lifecycle.before_step(p)
            bench.lifecycle.before_step()  # hosts that do not say whose step it is
            model.run()
        assert (bench.views, len(bench.settled)) == (views, settled)

    bench.lifecycle.around_sample(p, sampling)


def test_where_sampling_is_is_asked_only_where_a_row_changes(bench: Bench, model: ToyModel) -> None:
    """To be told the noise level makes a graphics card wait, and so it is asked for where it matters only."""
    asked: list[bool] = []

    def moment(noise: bool) -> Moment:
        asked.append(noise)
        return Moment(0, 4, 7.0)

    for window, expected in (("", []), ("25%", [False]), ("sigma:9", [True])):
        rows = [{"network": "a", "weight": 0.8, "start": window}]
        p = Processing(model, make_request("txt2img", rows, bench.library))
        bench.lifecycle.around_sample(p, lambda p=p: [bench.lifecycle.before_step(p, moment), model.run()])
        assert asked == expected
        asked.clear()


def test_another_model_without_a_word(bench: Bench, model: ToyModel) -> None:
    """A refiner is announced to no script; here nothing but the model itself changes."""
    refiner = toy_sd1(seed=9)
    refiner.key = "refiner"
    expected = bench.picture(refiner)
    p = bench.run(model)

    def sampling() -> Output:
        model.run()
        p.model = refiner
        bench.lifecycle.before_step(p)
        assert is_untouched(model)
        return refiner.run()

    assert same(bench.lifecycle.around_sample(p, sampling), expected)
    assert is_untouched(refiner)


def test_a_model_loaded_anew_in_the_middle(bench: Bench, model: ToyModel) -> None:
    expected, p = bench.picture(model), bench.run(model)

    def sampling() -> Output:
        bench.lifecycle.forget_model()
        assert is_untouched(model)
        bench.lifecycle.before_step(p)
        return model.run()

    assert same(bench.lifecycle.around_sample(p, sampling), expected)


def test_a_sampler_exchanged_on_the_object(bench: Bench, model: ToyModel) -> None:
    """img2imgalt puts its own `sample` on the object, past the wrap on the class."""
    expected, plain, p = bench.picture(model), model.run(), bench.run(model)
    bench.lifecycle.before_step(p)
    assert same(model.run(), expected)
    bench.lifecycle.closing(Processing(model), lambda: None)
    assert not is_untouched(model)
    bench.lifecycle.closing(p, lambda: None)
    assert is_untouched(model)
    assert same(model.run(), plain)


def test_what_was_never_closed_is_gone_with_the_next_run(bench: Bench, model: ToyModel) -> None:
    plain = model.run()
    bench.lifecycle.before_step(bench.run(model))
    assert same(bench.lifecycle.around(Processing(model), model.run), plain)
    assert is_untouched(model)


def test_a_builtin_that_changes_with_the_steps_is_settled_again(bench: Bench, model: ToyModel) -> None:
    """loractl changes the multipliers of the built-in's networks at every step."""
    p = bench.run(model)

    def sampling() -> None:
        bench.lifecycle.before_step(p)
        model.run()
        settled = len(bench.settled)
        bench.foreign = 1
        bench.lifecycle.before_step(p)
        model.run()
        assert len(bench.settled) > settled

    bench.lifecycle.around_sample(p, sampling)


def test_what_cannot_be_put_on_is_raised_where_it_is_seen(bench: Bench, model: ToyModel) -> None:
    """The host swallows what a callback raises and would go on without the stack."""
    other = toy_sd1(seed=9)
    other.key = "other"
    p = bench.run(model)

    def fail(_p: Any) -> Any:
        raise NetworkMismatchError("made for another model")

    def sampling() -> None:
        model.run()
        p.model = other
        bench.lifecycle._view_of = fail
        bench.lifecycle.before_step(p)

    with pytest.raises(NetworkMismatchError, match="another model"):
        bench.lifecycle.around_sample(p, sampling)
    assert is_untouched(model) and is_untouched(other)


def test_runs_without_a_stack_are_left_alone(bench: Bench, model: ToyModel) -> None:
    bench.lifecycle.before_step(Processing(model))
    bench.lifecycle.before_step()
    assert bench.views == 0
