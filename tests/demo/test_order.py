"""The host calls hooks in the order measured in AUTOMATIC1111 1.10.1, and swallows what they raise."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.demo.conftest import PROMPT, STEPS, Host

pytestmark = pytest.mark.demo

BEGIN = ["setup", "before_process", "process"]
STEP = ["cfg_denoiser", "cfg_denoised", "cfg_after_cfg"]
CONDS = ["before_process_batch", "after_extra_networks_activate", "process_batch"]
FINISH = [
    "post_sample",
    "postprocess_batch",
    "postprocess_batch_list",
    "postprocess_image",
    "postprocess_maskoverlay",
    "postprocess_image_after_composite",
]
BASE = [*CONDS, "process_before_every_sampling", *STEP * STEPS]


def test_start(host: Host) -> None:
    events = list(host.start_events)
    assert events == [
        "import",
        "list_optimizers",
        "list_unets",
        "before_ui",
        "ui_settings",
        "__init__",
        "show",
        "ui(False)",
        "__init__",
        "show",
        "ui(True)",
        "ui_train_tabs",
        "ui_tabs",
        "ui(False)",
        "ui(False)",
        "ui(True)",
        "ui(True)",
        "app_started",
    ]


def test_text_to_image(host: Host) -> None:
    host.draw()
    assert host.log.events == [*BEGIN, *BASE, *FINISH, "postprocess"]


def test_batch_count_repeats_the_middle(host: Host) -> None:
    host.draw(n_iter=2)
    assert host.log.events == [*BEGIN, *(BASE + FINISH) * 2, "postprocess"]


def test_hires_activates_again_and_encodes_before_before_hr(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modules import processing

    klass = processing.StableDiffusionProcessingTxt2Img
    original = klass.calculate_hr_conds
    monkeypatch.setattr(
        klass, "calculate_hr_conds", lambda p: (host.log.note("calculate_hr_conds"), original(p))[1]
    )
    passes = []
    host.log.acting["after_extra_networks_activate"] = lambda p, *args, **kwargs: passes.append(p.is_hr_pass)
    host.draw(enable_hr=True, hr_scale=2.0, denoising_strength=0.5)
    second = [
        "after_extra_networks_activate",
        "calculate_hr_conds",
        "before_hr",
        "process_before_every_sampling",
    ]
    steps = host.log.events.count("cfg_denoiser") - STEPS
    assert host.log.events == [*BEGIN, *BASE, *second, *STEP * steps, *FINISH, "postprocess"]
    assert passes == [False, True]
    assert steps == STEPS


@pytest.mark.parametrize("way", ["option", "little memory"])
def test_hires_prompts_may_be_encoded_before_the_first_pass(
    host: Host, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    from modules import processing, shared

    klass = processing.StableDiffusionProcessingTxt2Img
    original = klass.calculate_hr_conds
    monkeypatch.setattr(klass, "calculate_hr_conds", lambda p: (host.log.note("hr conds"), original(p))[1])
    passes = []
    host.log.acting["after_extra_networks_activate"] = lambda p, *args, **kwargs: passes.append(p.is_hr_pass)
    if way == "option":
        shared.opts.data["hires_fix_use_firstpass_conds"] = True
    else:
        monkeypatch.setattr(shared.sd_model, "lowvram", True)
    host.draw(enable_hr=True, denoising_strength=0.5)
    first_step = host.log.events.index("cfg_denoiser")
    assert "hr conds" in host.log.events[:first_step]
    assert passes == ([False, True] if way == "option" else [False, False, False, True])


def test_a_nested_run_leaves_the_outer_one_alone(host: Host) -> None:
    from copy import copy

    from modules import processing

    def nested(p, pp, *args):
        host.log.acting.clear()
        inner = copy(p)
        inner.prompt, inner.steps = "a boy<lora:nobody:1>", 1
        pp.image = processing.process_images(inner).images[0]

    host.log.acting["postprocess_image"] = nested
    processed = host.draw(n_iter=2, seed=7)
    assert processed.all_prompts == [PROMPT, PROMPT]
    assert processed.infotexts[1].startswith(PROMPT)
    assert "Seed: 8" in processed.infotexts[1]
    assert host.log.events.count("process") == 2


def test_inpainting_blends_at_every_step_and_once_at_the_end(host: Host) -> None:
    image = Image.new("RGB", (64, 64), "teal")
    mask = Image.fromarray(np.pad(np.full((32, 32), 255, np.uint8), 16))
    host.draw("img2img", init_images=[image], mask=mask, denoising_strength=0.99, inpaint_full_res=False)
    step = ["cfg_denoiser", "cfg_denoised", "on_mask_blend", "cfg_after_cfg"]
    steps = host.log.events.count("cfg_denoiser")
    expected = [
        *BEGIN,
        *CONDS,
        "process_before_every_sampling",
        *step * steps,
        "on_mask_blend",
        *FINISH,
        "postprocess",
    ]
    assert host.log.events == expected


def test_prompts_carry_tags_only_until_they_are_parsed(host: Host) -> None:
    seen = {}
    for hook in ("before_process_batch", "process_batch"):
        host.log.acting[hook] = lambda p, *args, hook=hook, **kwargs: seen.update(
            {hook: (p.prompts, kwargs["prompts"])}
        )
    host.log.acting["after_extra_networks_activate"] = lambda p, *args, **kwargs: seen.update(
        data=kwargs["extra_network_data"]
    )
    host.draw(prompt="a boy<lora:nobody:0.5>")
    assert seen["before_process_batch"] == (["a boy<lora:nobody:0.5>"], ["a boy<lora:nobody:0.5>"])
    assert seen["process_batch"] == (["a boy"], ["a boy"])
    assert seen["data"]["lora"][0].positional == ["nobody", "0.5"]


@pytest.mark.parametrize(
    "hook", sorted({*BEGIN, *CONDS, *STEP, *FINISH, "process_before_every_sampling", "postprocess"})
)
def test_a_failing_hook_is_swallowed_and_the_picture_made(host: Host, hook: str) -> None:
    from modules import errors

    errors.exception_records.clear()
    host.log.raising.add(hook)
    processed = host.draw(steps=1)
    assert len(processed.images) == 1
    assert errors.exception_records[-1][0] == f"probe fails in {hook}"


def test_an_error_outside_the_hooks_reaches_the_user_and_closes_the_request(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modules import processing

    closed = []
    klass = processing.StableDiffusionProcessing
    original = klass.close
    monkeypatch.setattr(klass, "close", lambda p: (closed.append(p), original(p))[1])

    def fail(p):
        raise ValueError("no conds today")

    monkeypatch.setattr(processing.StableDiffusionProcessingTxt2Img, "setup_conds", fail)
    with pytest.raises(ValueError, match="no conds today"):
        host.draw()
    assert len(closed) == 1
    assert "postprocess" not in host.log.events


def test_a_raising_forward_hook_stops_the_picture(host: Host) -> None:
    from modules import shared

    def fail(*args):
        raise ValueError("layer refuses")

    handle = shared.sd_model.model.diffusion_model.register_forward_pre_hook(fail)
    try:
        with pytest.raises(ValueError, match="layer refuses"):
            host.draw()
    finally:
        handle.remove()
    assert len(host.draw().images) == 1
