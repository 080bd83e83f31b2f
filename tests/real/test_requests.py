"""What an API caller sends and gets: arguments, errors with the way out, parameters, the report."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.real.compare import SEEN, tag
from tests.real.test_equality import LORA, SECOND
from tests.real.webui import PROMPT, STEPS, WebUI, difference, stack

TITLE = "lora stack"


@pytest.mark.parametrize("is_img2img", [False, True], ids=["txt2img", "img2img"])
def test_the_script_has_two_arguments(host: WebUI, is_img2img: bool) -> None:
    known = host.call("/sdapi/v1/script-info").body
    (ours,) = [item for item in known if item["name"] == TITLE and item["is_img2img"] == is_img2img]
    assert ours["is_alwayson"]
    assert [arg["value"] for arg in ours["args"]] == [False, ""]
    assert "enable" in ours["args"][0]["label"].lower() or "LoRA Stack" in ours["args"][0]["label"]


@pytest.mark.parametrize(
    "args",
    [
        pytest.param([], id="none"),
        pytest.param([None, None], id="nothing in them"),
        pytest.param([False, stack(LORA)], id="switched off"),
        pytest.param([True, ""], id="no rows"),
        pytest.param(
            [True, {"version": 1, "entries": [{"network": "real_lora", "on": False}]}], id="a row off"
        ),
        pytest.param([True], id="one"),
    ],
)
def test_arguments_that_ask_for_nothing(host: WebUI, args: list[Any]) -> None:
    answer = host.draw(alwayson_scripts={"LoRA Stack": {"args": args}})
    assert np.array_equal(answer.pictures[0], host.plain()[0])


def test_text_and_object_and_any_case_of_the_name(host: WebUI) -> None:
    expected = host.draw(stack(LORA)).pictures[0]
    text = json.dumps(stack(LORA))
    for name, what in (("lora stack", text), ("LoRA Stack", text), ("LORA STACK", stack(LORA))):
        answer = host.draw(alwayson_scripts={name: {"args": [True, what]}})
        assert np.array_equal(answer.pictures[0], expected)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        pytest.param(stack(("real_loraa", 1.0)), "real_lora", id="unknown name, the nearest ones told"),
        pytest.param('{"entries": [', "line", id="a text broken off"),
        pytest.param({"entries": [{"network": "x", "weight": "much"}]}, "much", id="a weight in words"),
        pytest.param({"version": 99, "entries": []}, "99", id="from the future"),
    ],
)
def test_refused_with_the_reason(host: WebUI, what: Any, said: str) -> None:
    answer = host.draw(what)
    assert 400 <= answer.status < 500, answer.body
    assert said in answer.error
    assert "images" not in answer.body
    assert np.array_equal(host.draw().pictures[0], host.plain()[0])


def test_refused_in_img2img_too(host: WebUI) -> None:
    init = host.draw().body["images"][0]
    answer = host.draw(stack(("real_loraa", 1.0)), route="img2img", init_images=[init])
    assert 400 <= answer.status < 500, answer.body
    assert "real_lora" in answer.error


def test_the_picture_says_how_it_was_made(host: WebUI) -> None:
    first = host.draw(stack(LORA, {"network": "real_second", "weight": 0.3, "on": False}))
    assert "LoRA Stack: " in first.infotext
    assert "Lora hashes: " in first.infotext
    assert "LoRA Stack" not in host.draw().infotext
    if host.kind == "forge":
        return  # it answers 500 to any request with `infotext`
    again = host.draw(infotext=first.infotext)
    assert np.array_equal(again.pictures[0], first.pictures[0])


def test_hashes_of_both_engines_stand_together(host: WebUI) -> None:
    infotext = host.draw(stack(LORA), prompt=PROMPT + tag(SECOND)).infotext
    hashes = infotext.split('Lora hashes: "')[1].split('"')[0]
    named = dict(part.split(": ") for part in hashes.split(", "))
    # Started with --no-hashing, the WebUI names no file of its own; Forge does not tell how it was started.
    its_own = {"real_second"} if "real_second: " in host.draw(prompt=PROMPT + tag(SECOND)).infotext else set()
    assert set(named) == {"real_lora", *its_own}
    if host.kind == "forge" or not its_own:
        return  # it hashes whole files where other programs leave the header out
    theirs = host.draw(prompt=PROMPT + tag(LORA)).infotext
    assert f"real_lora: {named['real_lora']}" in theirs


def test_the_report_is_in_the_answer(host: WebUI) -> None:
    answer = host.draw(stack(LORA, ("real_te", 1.0)))
    report = answer.info["extra_generation_params"]["LoRA Stack report"]
    assert [entry["network"] for entry in report["entries"]] == ["real-suite/real_lora", "real-suite/real_te"]
    assert all(entry["applied"] and entry["matched"] == entry["total"] > 0 for entry in report["entries"])
    assert report["unet_calls"] > 0
    assert "report" not in answer.infotext
    assert "LoRA Stack report" not in host.draw().info["extra_generation_params"]


@pytest.mark.parametrize("sampler", ["Euler", "DDIM"])
def test_a_window_of_noise_levels(host: WebUI, sampler: str) -> None:
    """A1111's DDIM tells a step of the training where others tell the noise."""

    def until(stop: str) -> np.ndarray:
        row = {"network": "real_lora", "weight": 0.8, "stop": stop}
        return host.draw(stack(row), sampler_name=sampler).pictures[0]

    by_noise = until("sigma:2")
    assert any(np.array_equal(by_noise, until(str(step))) for step in range(1, STEPS - 1))


def test_addnet_s_arguments(host: WebUI) -> None:
    """The twenty-four of the last version of sd-webui-additional-networks."""
    args: list[Any] = [True, False, "LoRA", "real_lora", 0.8, 0.8]
    args += ["LoRA", "None", 1.0, 1.0] * 4 + [None, "Refresh models"]
    answer = host.draw(alwayson_scripts={"Additional networks for generating": {"args": args}})
    assert np.array_equal(answer.pictures[0], host.draw(stack(LORA)).pictures[0])


def test_tags_on_our_engine(host: WebUI) -> None:
    theirs = host.draw(prompt=PROMPT + tag(LORA) + tag(SECOND)).pictures[0]
    with host.settings(lora_stack_takeover=True):
        ours = host.draw(prompt=PROMPT + tag(LORA) + tag(SECOND)).pictures[0]
        mixed = host.draw(stack(LORA), prompt=PROMPT + tag(SECOND)).pictures[0]
        assert difference(ours, theirs) <= 1
        assert np.array_equal(ours, mixed)
        assert difference(ours, host.draw().pictures[0]) > SEEN
