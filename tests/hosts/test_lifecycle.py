"""When a stack is on the model: nested runs, copies, failures, other models, and nothing afterwards."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from lib_lora.errors import FileError, NetworkNotFoundError, NotAppliedError, StackSyntaxError
from lib_lora.hosts.lifecycle import Lifecycle
from lib_lora.hosts.reports import Reports
from lib_lora.hosts.request import ATTRIBUTE, Request, make_request, read_arguments
from lib_lora.hosts.telling import REPORT_ATTRIBUTE
from lib_lora.library.library import Library
from tests.builders import TOY_LAYERS, ToyModel, make_lora_file, toy_sd1
from tests.sessions import Output, is_untouched, same


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("loras")
    for seed, name in enumerate("ab"):
        make_lora_file(folder / f"{name}.safetensors", TOY_LAYERS, seed=seed)
    found = Library([folder])
    found.scan()
    return found


class Processing:
    """Stands for the host's object: carries a model and, perhaps, a request."""

    width = height = 64

    def __init__(self, model: ToyModel, request: Request | None = None) -> None:
        self.model = model
        setattr(self, ATTRIBUTE, request)


class Bench:
    """A lifecycle over toys, and what a stack alone makes of them."""

    def __init__(self, library: Library, **view: Any) -> None:
        self.library = library
        self.reports = Reports()
        self.lifecycle = Lifecycle(lambda p: p.model.view(**view), lambda: "auto", self.reports)

    def request(self, **weights: float) -> Request:
        rows = [{"network": name, "weight": weight} for name, weight in weights.items()]
        return make_request("txt2img", {"version": 1, "entries": rows}, self.library)

    def picture(self, model: ToyModel, **weights: float) -> Output:
        p = Processing(model, self.request(**weights) if weights else None)
        return self.lifecycle.around(p, model.run)


@pytest.fixture
def bench(library: Library) -> Bench:
    return Bench(library)


@pytest.fixture
def model() -> ToyModel:
    return toy_sd1()


def test_attached_inside_and_gone_outside(bench: Bench, model: ToyModel) -> None:
    plain = model.run()
    assert not same(bench.picture(model, a=0.8), plain)
    assert is_untouched(model)
    assert same(model.run(), plain)


def test_an_object_without_a_request_runs_untouched(bench: Bench, model: ToyModel) -> None:
    seen = bench.lifecycle.around(Processing(model), lambda: is_untouched(model))
    assert seen is True


def test_a_nested_step_of_the_same_run_changes_nothing(bench: Bench, model: ToyModel) -> None:
    """Hires conditioning and the refiner's come from inside sampling."""
    p = Processing(model, bench.request(a=0.8))
    alone = bench.picture(model, a=0.8)

    def sampling() -> Output:
        assert same(bench.lifecycle.around(p, model.run), alone)
        return model.run()

    assert same(bench.lifecycle.around(p, sampling), alone)
    assert is_untouched(model)


@pytest.mark.parametrize("inner", [pytest.param({}, id="none"), pytest.param({"b": 0.5}, id="another")])
def test_a_nested_run_has_its_own_stack_and_gives_the_outer_back(
    bench: Bench, model: ToyModel, inner: dict[str, float]
) -> None:
    outer, nested = bench.picture(model, a=0.8), bench.picture(model, **inner)
    p = Processing(model, bench.request(a=0.8))

    def sampling() -> Output:
        assert same(bench.picture(model, **inner), nested)
        return model.run()

    assert same(bench.lifecycle.around(p, sampling), outer)
    assert is_untouched(model)


def test_another_model_in_the_middle_of_a_run(bench: Bench, model: ToyModel) -> None:
    """A refiner: the same run continues on another checkpoint, then the first one is back."""
    refiner = toy_sd1(seed=9)
    refiner.key = "refiner"
    expected = bench.picture(refiner, a=0.8)
    p = Processing(model, bench.request(a=0.8))

    def sampling() -> Output:
        p.model = refiner
        refined = bench.lifecycle.around(p, refiner.run)
        assert is_untouched(model)
        p.model = model
        return refined

    assert same(bench.lifecycle.around(p, sampling), expected)
    assert is_untouched(model)
    assert is_untouched(refiner)


def test_a_builtin_that_changes_its_networks_in_the_middle_is_merged_on(
    library: Library, model: ToyModel
) -> None:
    """A hires prompt with other tags: the built-in settles lazily, and its new weights must be the base."""
    layer = model.unet.middle_block[1]["proj_in"]
    pristine, added = layer.weight.detach().clone(), [0.0]

    def settle(module: Any) -> None:
        if module is layer:
            with torch.no_grad():
                layer.weight.copy_(pristine + added[0])

    bench = Bench(library, settle=settle)
    first = bench.picture(model, a=0.8)
    added[0] = 0.5
    second = bench.picture(model, a=0.8)
    assert not same(first, second)
    added[0] = 0.0
    p = Processing(model, bench.request(a=0.8))

    def sampling() -> None:
        assert same(model.run(), first)
        added[0] = 0.5
        bench.lifecycle.around(p, lambda: None)  # the host encodes the hires prompt
        assert same(model.run(), second)

    bench.lifecycle.around(p, sampling)


def test_other_tags_for_the_second_pass_last_until_the_run_ends(bench: Bench, model: ToyModel) -> None:
    """Hires activates its own tags in the middle of sampling, encodes, and samples on with them."""
    first, second = bench.picture(model, a=0.8), bench.picture(model, b=0.5)
    p, other = Processing(model, bench.request(a=0.8)), Processing(model, bench.request(b=0.5))

    def sampling() -> None:
        assert same(model.run(), first)
        bench.lifecycle.changed(other)  # not of this run
        assert same(model.run(), first)
        setattr(p, ATTRIBUTE, bench.request(b=0.5))
        bench.lifecycle.changed(p)
        bench.lifecycle.around(p, lambda: None)
        assert same(model.run(), second)
        setattr(p, ATTRIBUTE, None)
        bench.lifecycle.changed(p)
        assert is_untouched(model)

    bench.lifecycle.around(p, sampling)
    assert is_untouched(model)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MemoryError])
def test_whatever_happens_inside_everything_is_taken_off(
    bench: Bench, model: ToyModel, error: type[BaseException]
) -> None:
    def sampling() -> None:
        model.run()
        raise error

    with pytest.raises(error):
        bench.lifecycle.around(Processing(model, bench.request(a=0.8)), sampling)
    assert is_untouched(model)
    assert same(bench.picture(model, a=0.8), Bench(bench.library).picture(model, a=0.8))


def test_a_failure_is_raised_before_the_host_does_anything(bench: Bench, model: ToyModel) -> None:
    p = Processing(model, make_request("img2img", {"entries": [{"network": "c"}]}, bench.library))
    ran: list[int] = []
    with pytest.raises(NetworkNotFoundError, match="'c'"):
        bench.lifecycle.around(p, lambda: ran.append(1))
    assert ran == []
    last = bench.reports.last("img2img")
    assert last is not None and last["ok"] is False and "'c'" in last["line"]


def test_what_a_file_lacks_is_said_with_its_row(bench: Bench, model: ToyModel, tmp_path: Path) -> None:
    """Of ten rows one must know which: rows that are off count, though their files are not opened."""
    make_lora_file(tmp_path / "good.safetensors", TOY_LAYERS)
    (tmp_path / "bad.safetensors").write_bytes(b"no weights at all")
    library = Library([tmp_path])
    library.scan()
    rows = [{"network": "good"}, {"network": "good", "on": False}, {"network": "bad"}]
    p = Processing(model, make_request("txt2img", {"entries": rows}, library))
    with pytest.raises(FileError, match=r"^row 3 \(bad\): "):
        bench.lifecycle.around(p, model.run)
    assert is_untouched(model)


def test_a_name_nobody_has_is_said_with_its_row(bench: Bench) -> None:
    rows = [{"network": "c", "on": False}, {"network": "c"}]
    request = make_request("txt2img", {"entries": rows}, bench.library)
    assert isinstance(request.failure, NetworkNotFoundError)
    assert str(request.failure).startswith("row 2 (c): There is no LoRA called 'c'")


def test_sampling_past_our_layers_is_an_error(bench: Bench, model: ToyModel) -> None:
    """A converted UNet never calls the checkpoint's own layers."""
    p = Processing(model, bench.request(a=0.8))
    with pytest.raises(NotAppliedError):
        bench.lifecycle.around_sample(p, lambda: bench.lifecycle.before_step(p))


def test_a_run_interrupted_before_its_first_step_is_no_error(bench: Bench, model: ToyModel) -> None:
    """The host then hands back the noise it has, and asks no model."""
    p = Processing(model, bench.request(a=0.8))
    assert bench.lifecycle.around_sample(p, lambda: "noise") == "noise"


def test_a_pass_that_is_not_drawn_is_no_error(bench: Bench, model: ToyModel) -> None:
    """Upscaling a picture of the gallery makes the second pass alone: rows of the first do nothing."""
    rows = [{"network": "a", "passes": "base"}]
    p = Processing(model, make_request("txt2img", rows, bench.library))

    def second_pass() -> Output:
        bench.lifecycle.before_step(p)
        return model.run()

    def sampling() -> Output:
        drawn = bench.lifecycle.around_hires(p, lambda: in_second_pass(p, second_pass))
        bench.lifecycle.around(p, lambda: None)
        return drawn

    assert same(bench.lifecycle.around_sample(p, sampling), model.run())
    assert "acts in base only" in getattr(p, REPORT_ATTRIBUTE).one_line()


def in_second_pass(p: Any, call: Any) -> Any:
    p.is_hr_pass = True
    drawn = call()
    p.is_hr_pass = False
    return drawn


def test_tags_of_the_hires_prompt_alone_are_told(bench: Bench, model: ToyModel) -> None:
    """Without rows, and without tags in the first prompt, the run begins as one that asks for nothing."""
    expected, p = bench.picture(model, a=0.8), Processing(model)

    def sampling() -> Output:
        setattr(p, ATTRIBUTE, bench.request(a=0.8))
        bench.lifecycle.changed(p)
        return model.run()

    assert same(bench.lifecycle.around_sample(p, sampling), expected)
    assert getattr(p, REPORT_ATTRIBUTE).one_line().startswith("1 of 1 applied")


def test_sampling_leaves_a_report(bench: Bench, model: ToyModel) -> None:
    p = Processing(model, bench.request(a=0.8, b=0.1))
    bench.lifecycle.around_sample(p, model.run)
    report = getattr(p, REPORT_ATTRIBUTE)
    assert [entry.matched for entry in report.entries] == [len(TOY_LAYERS)] * 2
    last = bench.reports.last("txt2img")
    assert last is not None and last["ok"] is True and last["line"].startswith("2 of 2 applied")


def key_of(bench: Bench, p: Processing) -> Any:
    return bench.lifecycle.cached_params(p, lambda: ("prompt", 20))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        pytest.param({}, {"a": 1.0}, False, id="off and on"),
        pytest.param({"a": 1.0}, {"a": 0.5}, False, id="two weights"),
        pytest.param({"a": 1.0}, {"a": 1.0}, True, id="the same"),
        pytest.param({"a": 0.0}, {}, True, id="weight 0 and off"),
    ],
)
def test_encoded_prompts_are_kept_apart_by_what_changes_them(
    bench: Bench, model: ToyModel, one: dict[str, float], other: dict[str, float], equal: bool
) -> None:
    keys = [key_of(bench, Processing(model, bench.request(**w) if w else None)) for w in (one, other)]
    assert keys[0][:2] == ("prompt", 20)
    assert (keys[0] == keys[1]) is equal


def test_a_unet_weight_alone_keeps_encoded_prompts(bench: Bench, model: ToyModel) -> None:
    def key(unet: float) -> Any:
        rows = {"entries": [{"network": "a", "weight": 1, "unet": unet}]}
        return key_of(bench, Processing(model, make_request("txt2img", rows, bench.library)))

    assert key(0.1) == key(0.9)


def test_a_copy_of_a_run_keeps_its_own_request(bench: Bench, model: ToyModel) -> None:
    p = Processing(model, bench.request(a=0.8))
    twin = copy.copy(p)
    setattr(twin, ATTRIBUTE, None)
    assert same(bench.lifecycle.around(twin, model.run), model.run())
    assert same(bench.lifecycle.around(p, model.run), bench.picture(model, a=0.8))


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        pytest.param((), (False, ""), id="nothing"),
        pytest.param((None,), (False, ""), id="None"),
        pytest.param((True,), (True, ""), id="no stack"),
        pytest.param((True, {"entries": []}, "more"), (True, {"entries": []}), id="surplus"),
        pytest.param(("false", ""), (False, ""), id="the word for off"),
        pytest.param(([], ""), (False, ""), id="an empty list"),
    ],
)
def test_arguments_from_anywhere(args: tuple[Any, ...], expected: tuple[bool, Any]) -> None:
    assert read_arguments(args) == expected


@pytest.mark.parametrize(
    "stack", [{"entries": []}, [{"network": "a"}], ' {"entries": []}', '[{"network": "a"}]']
)
def test_a_stack_in_the_place_of_the_switch_is_refused(stack: Any) -> None:
    """It would be switched on without any rows, and the picture drawn as if nothing had been asked for."""
    with pytest.raises(StackSyntaxError, match="first argument"):
        read_arguments((stack, ""))


def test_forgetting_the_model_merges_anew(bench: Bench, model: ToyModel) -> None:
    """An in-place reload keeps every module and changes every weight."""
    before = bench.picture(model, a=0.8)
    model.unet.load_state_dict(toy_sd1(seed=4).unet.state_dict())
    bench.lifecycle.forget_model()
    after = bench.picture(model, a=0.8)
    assert not same(before, after)
    assert same(after, Bench(bench.library).picture(model, a=0.8))


def test_unloading_the_checkpoint_frees_what_we_keep_for_it(bench: Bench, model: ToyModel) -> None:
    """Who unloads it wants the graphics card for something else; a picture being made is not disturbed."""
    kept = bench.lifecycle._session._store
    picture = bench.picture(model, a=0.8)
    assert kept
    bench.lifecycle.let_go()
    assert not kept
    p = Processing(model, bench.request(a=0.8))

    def run() -> Output:
        bench.lifecycle.let_go()
        return model.run()

    assert same(bench.lifecycle.around(p, run), picture)
    assert kept


def test_unloading_the_extension_in_the_middle_of_a_run(bench: Bench, model: ToyModel) -> None:
    def sampling() -> None:
        bench.lifecycle.detach()
        assert is_untouched(model)

    bench.lifecycle.around(Processing(model, bench.request(a=0.8)), sampling)
    assert is_untouched(model)


def test_files_are_found_and_named(bench: Bench) -> None:
    request = bench.request(a=0.8)
    assert [file.label for file in request.files] == ["a"]
    assert len(request.stack.entries[0].hash) == 12


def test_a_row_that_is_off_is_not_looked_for(tmp_path: Path) -> None:
    request = make_request("txt2img", {"entries": [{"network": "gone", "on": False}]}, Library([tmp_path]))
    assert request.failure is None
    assert request.files == ()
