"""A LoRA in the panel gives the picture that the WebUI's own Lora gives for it in the prompt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.real.compare import EQUAL, SEEN, Row, compare, tag
from tests.real.inputs import inpaint, picture_of
from tests.real.webui import PROMPT, WebUI, difference, stack

LORA, SECOND = ("real_lora", 0.8), ("real_second", 0.6)
HIRES: dict[str, Any] = {
    "enable_hr": True,
    "hr_scale": 1.5,
    "hr_upscaler": "Latent",
    "denoising_strength": 0.7,
    "hr_second_pass_steps": 4,
}
LONG = PROMPT + ", ".join(["", *["flowers and a small pond with green water"] * 14])


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([LORA], id="both parts"),
        pytest.param([{"network": "real_lora", "weight": 0.8, "te": 0}], id="UNet only"),
        pytest.param([{"network": "real_lora", "weight": 1.5, "unet": 0}], id="text encoder only"),
        pytest.param([("real_unet", 0.8)], id="a file for the UNet only"),
        pytest.param([("real_te", 1.5)], id="a file for the text encoder only"),
        pytest.param([("real_lora", -0.5)], id="negative"),
        pytest.param([LORA, SECOND], id="two"),
        pytest.param([LORA, SECOND, ("real_loha", 0.5)], id="three"),
    ],
)
def test_parts_and_numbers(host: WebUI, rows: list[Row]) -> None:
    compare(host, *rows)


@pytest.mark.parametrize(
    "name", ["real_locon", "real_loha", "real_lokr", "real_full", "real_ia3", "real_norm", "real_dora"]
)
def test_families(host: WebUI, name: str) -> None:
    if host.kind == "forge" and name == "real_ia3":
        pytest.skip("Forge does not read (IA)³ files")
    compare(host, (name, 0.8))


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(HIRES, id="hires"),
        pytest.param({**HIRES, "hr_upscaler": "Lanczos"}, id="hires through the picture"),
        pytest.param({"batch_size": 2}, id="batch of two"),
        pytest.param({"n_iter": 2}, id="two batches"),
        pytest.param({"batch_size": 2, "n_iter": 2}, id="two batches of two"),
        pytest.param({"prompt": "a girl, [red:blue:0.5] hair, in a [meadow|forest]"}, id="prompt editing"),
        pytest.param({"prompt": f"{PROMPT} AND a boy, blue hair :0.7"}, id="AND"),
        pytest.param({"prompt": LONG}, id="prompt and negative prompt of different lengths"),
        pytest.param({"prompt": "a (girl:1.3), [red] hair BREAK in a meadow"}, id="emphasis and BREAK"),
        pytest.param({"cfg_scale": 1}, id="CFG 1"),
        pytest.param({"negative_prompt": ""}, id="no negative prompt"),
        pytest.param({"sampler_name": "DPM++ 2M"}, id="DPM++ 2M"),
        pytest.param({"sampler_name": "DDIM"}, id="DDIM"),
        pytest.param({"sampler_name": "Heun", "steps": 3}, id="Heun"),
        pytest.param({"sampler_name": "Euler a", "batch_size": 2}, id="Euler a"),
        pytest.param({"width": 192, "height": 128}, id="wide"),
        pytest.param({"s_min_uncond": 4.0}, id="negative prompt left out at some steps"),
    ],
)
def test_ways_to_generate(host: WebUI, request_: dict[str, Any]) -> None:
    compare(host, LORA, **request_)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"CLIP_stop_at_last_layers": 2}, id="clip skip"),
        pytest.param({"batch_cond_uncond": False}, id="one row a call"),
        pytest.param({"token_merging_ratio": 0.5}, id="token merging"),
        pytest.param({"pad_cond_uncond": True, "prompt": LONG}, id="padded prompts"),
        pytest.param({"persistent_cond_cache": False}, id="encoded prompts not kept"),
        pytest.param({**HIRES, "hires_fix_use_firstpass_conds": True}, id="hires prompts encoded early"),
    ],
)
def test_settings_of_the_webui(host: WebUI, settings: dict[str, Any]) -> None:
    """Set for the whole WebUI, and put back: it keeps what a request overrides where it had no value."""
    known = host.options()
    changed = {key: value for key, value in settings.items() if key in known}
    with host.settings(**changed):
        rest = {key: value for key, value in settings.items() if key not in known}
        plain = host.draw(**rest).pictures
        base = rest.pop("prompt", PROMPT)
        theirs = host.draw(prompt=base + tag(LORA), **rest).pictures
        ours = host.draw(stack(LORA), prompt=base, **rest).pictures
        assert max(map(difference, theirs, ours)) <= EQUAL
        assert difference(plain[0], ours[0]) > SEEN


@pytest.mark.parametrize("kind", ["img2img", "whole picture", "only masked"])
def test_from_a_picture(host: WebUI, kind: str) -> None:
    init = host.draw().body["images"][0]
    request = {"init_images": [init], "denoising_strength": 0.8, "steps": 8, "route": "img2img"}
    if kind != "img2img":
        request |= inpaint(only_masked=kind == "only masked")
    compare(host, LORA, **request)


def test_outside_the_mask_nothing_changes(host: WebUI) -> None:
    init = host.draw()
    request = {"init_images": [init.body["images"][0]], "denoising_strength": 0.9, "route": "img2img"}
    request |= inpaint(only_masked=False)
    plain, changed = (host.draw(what, **request).pictures[0] for what in (None, stack(("real_lora", 1.0))))
    outside = picture_of(request["mask"]) == 0
    assert np.array_equal(plain[outside], changed[outside])
    assert np.abs(plain - changed)[~outside].mean() > SEEN


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({}, id="plain"),
        pytest.param(HIRES, id="hires"),
        pytest.param({"n_iter": 2}, id="batches"),
    ],
)
def test_on_top_of_the_builtin(host: WebUI, request_: dict[str, Any]) -> None:
    compare(host, LORA, beside=tag(SECOND), **request_)


def test_the_builtin_comes_and_goes_between_pictures(host: WebUI) -> None:
    """It restores its weights lazily, in a forward that ours stands before: no stale one may be merged."""
    tagged = PROMPT + tag(SECOND)
    alone = host.draw(stack(LORA)).pictures[0]
    both = host.draw(stack(LORA), prompt=tagged).pictures[0]
    plain = host.plain()[0]
    for _ in range(2):
        assert np.array_equal(host.draw(stack(LORA), prompt=tagged).pictures[0], both)
        assert np.array_equal(host.draw(stack(LORA)).pictures[0], alone)
        host.draw(prompt=tagged)
        assert np.array_equal(host.draw(stack(LORA)).pictures[0], alone)
        assert np.array_equal(host.draw().pictures[0], plain)
    assert difference(alone, both) > SEEN


@pytest.mark.parametrize("last", ["", tag(("real_unet", 0.7))], ids=["fewer", "others"])
def test_the_builtin_changes_for_the_hires_prompt(host: WebUI, last: str) -> None:
    """The second pass' prompt brings other tags, in the middle of one sampling.

    At a low CFG: at 5 such a pass turns 0.015 of 255 in the first one into 4. Forge keeps text encoders in 16
    bits, and rounds its own change there before ours is added.
    """
    first = PROMPT + tag(SECOND)
    request = {**HIRES, "cfg_scale": 2}
    theirs = host.draw(prompt=first + tag(LORA), hr_prompt=PROMPT + last + tag(LORA), **request).pictures[0]
    ours = host.draw(stack(LORA), prompt=first, hr_prompt=PROMPT + last, **request).pictures[0]
    again = host.draw(stack(LORA), prompt=first, hr_prompt=PROMPT + last, **request).pictures[0]
    assert np.array_equal(ours, again)
    assert difference(theirs, ours) <= EQUAL
    same = host.draw(prompt=first + tag(LORA), hr_prompt=first + tag(LORA), **request).pictures[0]
    assert difference(theirs, same) > SEEN


def test_hires_with_another_prompt(host: WebUI) -> None:
    compare_hires = {"hr_prompt": "a boy, blue hair", "hr_negative_prompt": "red", **HIRES}
    plain = host.draw(**compare_hires).pictures[0]
    theirs = host.draw(
        prompt=PROMPT + tag(LORA), **{**compare_hires, "hr_prompt": "a boy, blue hair" + tag(LORA)}
    ).pictures[0]
    ours = host.draw(stack(LORA), **compare_hires).pictures[0]
    assert difference(theirs, ours) <= EQUAL
    assert difference(plain, ours) > SEEN
    assert np.array_equal(host.draw(**compare_hires).pictures[0], plain)
