"""Tags of the prompt: on our engine they draw what the host's own Lora draws, and compose with it exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from tests.integration.server import Answer, Server
from tests.integration.small import SmallServer
from tests.integration.test_pictures import picture, stack

pytestmark = pytest.mark.demo


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    return SmallServer(server.url)


PROMPT = "a girl, red hair, blue shirt, in a meadow"
HIRES = {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.6, "hr_second_pass_steps": 2}


@contextmanager
def settings(server: Server, **options: Any) -> Iterator[None]:
    before = server.call("/sdapi/v1/options").body
    server.call("/sdapi/v1/options", options)
    try:
        yield
    finally:
        server.call("/sdapi/v1/options", {name: before[name] for name in options})


def host_s(server: Server, tags: str, **request: Any) -> Answer:
    """The picture as the host's own Lora draws it."""
    with settings(server, lora_stack_takeover=False):
        return server.draw(prompt=PROMPT + tags, **request)


def same_picture(one: Answer, other: Answer) -> None:
    """Equal but for what rounding at another place changes."""
    difference = np.abs(picture(one) - picture(other))
    assert difference.mean() <= 1.0, difference.mean()


@pytest.mark.parametrize(
    ("tags", "rows"),
    [
        pytest.param("<lora:mecha_suit:0.8>", {"weight": 0.8}, id="both parts"),
        pytest.param("<lora:mecha_suit:0.8:0>", {"weight": 0, "te": 0.8}, id="text encoder alone"),
        pytest.param("<lora:mecha_suit:te=0:unet=0.8>", {"weight": 0.8, "te": 0}, id="UNet alone"),
        pytest.param("<lyco:mecha_suit>", {}, id="its other name"),
        pytest.param("<lora:clothing/mecha_suit:-0.5>", {"weight": -0.5}, id="by its label"),
    ],
)
def test_a_tag_is_a_row(server: Server, tags: str, rows: dict[str, Any]) -> None:
    plain = server.draw().pixels
    row = server.draw(stack({"network": "clothing/mecha_suit", **rows}))
    tag = server.draw(prompt=PROMPT + tags)
    assert tag.pixels == row.pixels != plain
    if "/" not in tags:
        same_picture(tag, host_s(server, tags))
    assert server.draw().pixels == plain


def test_which_engine_applied_it(server: Server) -> None:
    """The report knows our rows; the host's own Lora leaves none."""
    server.draw(prompt=PROMPT + "<lora:mecha_suit:0.8>", seed=31)
    line = server.call("/lora-stack/report?tab=txt2img").body
    assert line["line"].startswith("1 of 1 applied"), line
    host_s(server, "<lora:mecha_suit:0.8>", seed=31)
    assert server.call("/lora-stack/report?tab=txt2img").body["serial"] == line["serial"]


def test_tags_and_panel_and_the_host_s_own_add_up(server: Server) -> None:
    """Ours over what the host merged is the same as all of it here, with no trace of either afterwards."""
    plain = server.draw().pixels
    panel = stack(("style/neon", 0.5))
    together = server.draw(panel, prompt=PROMPT + "<lora:mecha_suit:0.8>")
    assert together.pixels == server.draw(stack(("style/neon", 0.5), ("clothing/mecha_suit", 0.8))).pixels
    with settings(server, lora_stack_takeover=False):
        composed = server.draw(panel, prompt=PROMPT + "<lora:mecha_suit:0.8>")
    same_picture(together, composed)
    assert server.draw(panel).pixels == server.draw(stack(("style/neon", 0.5))).pixels
    assert server.draw().pixels == plain


def test_the_host_s_own_computing_beside_the_weights(server: Server) -> None:
    """Its old mode merges nothing, and takes nothing back that we would have made it merge."""
    plain, tag = server.draw().pixels, "<lora:mecha_suit:0.8>"
    rows = stack(("style/neon", 0.5))
    together = server.draw(rows, prompt=PROMPT + tag)
    with settings(server, lora_stack_takeover=False, lora_functional=True):
        same_picture(server.draw(rows, prompt=PROMPT + tag), together)
        assert server.draw().pixels == plain
        same_picture(server.draw(rows), server.draw(rows))
    assert server.draw(rows, prompt=PROMPT + tag).pixels == together.pixels
    assert server.draw().pixels == plain


def test_switching_between_the_two_leaves_nothing_behind(server: Server) -> None:
    """The built-in restores lazily: what it merged must be gone before ours is merged, and the other way."""
    tags = ("<lora:mecha_suit:0.8>", "<lora:neon:0.7>")
    first = [server.draw(prompt=PROMPT + tag).pixels for tag in tags]
    own = [host_s(server, tag).pixels for tag in tags]
    for index in (1, 0):
        assert server.draw(prompt=PROMPT + tags[index]).pixels == first[index]
        assert host_s(server, tags[index]).pixels == own[index]


@pytest.mark.parametrize("steps_first", [{}, {"hires_fix_use_firstpass_conds": True}], ids=["late", "early"])
def test_the_second_pass_has_its_own_tags(server: Server, steps_first: dict[str, Any]) -> None:
    request = {**HIRES, "hr_prompt": PROMPT + "<lora:neon:1>"}
    with settings(server, **steps_first):
        ours = server.draw(prompt=PROMPT + "<lora:mecha_suit:0.8>", **request)
        same_picture(ours, host_s(server, "<lora:mecha_suit:0.8>", **request))
        first_only = server.draw(prompt=PROMPT + "<lora:mecha_suit:0.8>", **HIRES, hr_prompt=PROMPT)
        assert ours.pixels != first_only.pixels
        assert server.draw(prompt=PROMPT + "<lora:mecha_suit:0.8>", **request).pixels == ours.pixels


def test_the_first_prompt_s_tags_count_for_a_batch(server: Server) -> None:
    two = {"batch_size": 2}
    ours = server.draw(prompt=PROMPT + "<lora:mecha_suit:0.8>", **two)
    assert ours.pixels == server.draw(stack(("clothing/mecha_suit", 0.8)), **two).pixels


def test_hashes_of_tags_and_rows_stand_together(server: Server) -> None:
    request = {"prompt": PROMPT + "<lora:mecha_suit:0.8>", **HIRES, "hr_prompt": PROMPT + "<lora:zorp:1>"}
    answer = server.draw(stack(("style/neon", 0.5)), **request)
    hashes = answer.info["extra_generation_params"]["Lora hashes"]
    assert sorted(pair.partition(":")[0] for pair in hashes.split(", ")) == ["mecha_suit", "neon", "zorp"]
    own = host_s(server, "<lora:mecha_suit:0.8>").info["extra_generation_params"]["Lora hashes"]
    assert own in hashes
    assert "Lora hashes" not in server.draw().info["extra_generation_params"]
    with settings(server, lora_add_hashes_to_infotext=False):
        assert "Lora hashes" not in server.draw(**request).info["extra_generation_params"]


def test_the_tags_stay_in_the_prompt_and_out_of_the_stack(server: Server) -> None:
    infotext = server.draw(prompt=PROMPT + "<lora:mecha_suit:0.8>").info["infotexts"][0]
    assert infotext.startswith(PROMPT + "<lora:mecha_suit:0.8>")
    assert "LoRA Stack" not in infotext


@pytest.mark.parametrize("tag", ["<lora:nobody:1>", "<lora:nobody:1><lora:mecha_suit:0.8>"])
def test_unknown_names_are_the_host_s_to_treat(server: Server, tag: str) -> None:
    """It draws without them and says so under the picture."""
    ours, own = server.draw(prompt=PROMPT + tag), host_s(server, tag)
    assert ours.status == own.status == 200
    same_picture(ours, own)


def test_what_nobody_can_read_is_told(server: Server) -> None:
    """A1111 prints it to the console and draws without any LoRA of the prompt, HTTP 200."""
    plain = server.draw().pixels
    answer = server.draw(prompt=PROMPT + "<lora:mecha_suit:much><lora:neon:1>")
    assert answer.status == 422, answer.body
    assert "much" in answer.body["detail"]
    assert host_s(server, "<lora:mecha_suit:much><lora:neon:1>").pixels == plain
    assert server.draw().pixels == plain


def test_the_network_the_host_always_adds_acts_once(server: Server) -> None:
    with settings(server, sd_lora="mecha_suit"):
        own = host_s(server, "<lora:mecha_suit:0.8>")
        same_picture(server.draw(prompt=PROMPT + "<lora:mecha_suit:0.8>"), own)
        assert server.draw().pixels == host_s(server, "").pixels


def test_an_old_picture_of_addnet_s_is_not_applied_twice(server: Server) -> None:
    """The built-in makes tags of AddNet's keys where nobody has the label `AddNet Module 1`."""
    keys = "AddNet Enabled: True, AddNet Module 1: LoRA, AddNet Model 1: mecha_suit, AddNet Weight A 1: 0.8"
    infotext = f"{PROMPT}\nSteps: 2, Sampler: Euler, CFG scale: 7.0, {keys}, AddNet Weight B 1: 0.8"
    row = server.draw(stack(("clothing/mecha_suit", 0.8)))
    answer = server.draw(infotext=infotext)
    assert answer.pixels == row.pixels
    assert "<lora:" not in answer.info["prompt"]
    pasted = server.call("/sdapi/v1/png-info", {"image": answer.body["images"][0]}).body["parameters"]
    assert "<lora:" not in pasted["Prompt"]
    assert json.loads(pasted["LoRA Stack"])["entries"][0]["network"] == "clothing/mecha_suit"
