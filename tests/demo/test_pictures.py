"""Pictures: the same request gives the same bytes; batches, sizes, masks and rows of the model call."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.demo.conftest import STEPS, Host

pytestmark = pytest.mark.demo


def digest(image: Image.Image) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()


def noise_image(seed: int = 0, size: int = 64) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    return Image.fromarray(values)


def centre_mask(size: int = 64) -> Image.Image:
    return Image.fromarray(np.pad(np.full((size // 2, size // 2), 255, np.uint8), size // 4))


@pytest.mark.parametrize("sampler", ["Euler", "Euler a", "Heun", "DPM++ 2M"])
def test_same_request_same_bytes(host: Host, sampler: str) -> None:
    first, again, other = (host.draw(sampler_name=sampler, seed=seed).images[0] for seed in (5, 5, 6))
    assert digest(first) == digest(again) != digest(other)


def test_a_batch_is_the_single_pictures_of_following_seeds(host: Host) -> None:
    singles = [np.asarray(host.draw(seed=seed).images[0], np.int16) for seed in (3, 4, 5, 6)]
    batch = host.draw(seed=3, batch_size=2, n_iter=2)
    assert batch.all_seeds == [3, 4, 5, 6]
    for single, image in zip(singles, batch.images, strict=True):
        assert np.abs(single - np.asarray(image, np.int16)).max() <= 1


def test_hires_has_the_size_asked_for(host: Host) -> None:
    assert host.draw(enable_hr=True, hr_scale=1.5, denoising_strength=0.5).images[0].size == (96, 96)
    resized = host.draw(
        enable_hr=True, hr_resize_x=128, hr_resize_y=96, denoising_strength=0.5, hr_upscaler="Lanczos"
    )
    assert resized.images[0].size == (128, 96)


@pytest.mark.parametrize("whole", [True, False], ids=["whole picture", "only masked"])
def test_inpainting_keeps_what_the_mask_protects(host: Host, whole: bool) -> None:
    before = noise_image()
    result = host.draw(
        "img2img",
        init_images=[before],
        mask=centre_mask(),
        mask_blur=0,
        inpainting_fill=1,
        denoising_strength=0.9,
        inpaint_full_res=not whole,
        inpaint_full_res_padding=4,
    ).images[0]
    outside = np.asarray(centre_mask()) == 0
    a, b = np.asarray(before), np.asarray(result)
    assert (a[outside] == b[outside]).all()
    assert (a[~outside] != b[~outside]).mean() > 0.5


def test_inverted_mask_protects_the_inside(host: Host) -> None:
    before = noise_image(1)
    result = host.draw(
        "img2img",
        init_images=[before],
        mask=centre_mask(),
        mask_blur=0,
        inpainting_mask_invert=1,
        inpaint_full_res=False,
        denoising_strength=0.9,
    ).images[0]
    inside = np.asarray(centre_mask()) == 255
    assert (np.asarray(before)[inside] == np.asarray(result)[inside]).all()


def test_less_denoising_stays_nearer_to_the_picture(host: Host) -> None:
    before = host.draw(steps=10).images[0]

    def distance(strength: float) -> float:
        after = host.draw(
            "img2img", init_images=[before], denoising_strength=strength, steps=10, seed=2
        ).images[0]
        return float(np.abs(np.asarray(before, np.float32) - np.asarray(after, np.float32)).mean())

    assert distance(0.2) < distance(0.9)


def rows_of_calls(host: Host, **fields: Any) -> tuple[list[int], Any]:
    """Batch size of every UNet call, and the last parameters the callback saw."""
    from modules import shared

    calls: list[int] = []
    seen: list[Any] = []
    host.log.acting["cfg_denoiser"] = seen.append
    handle = shared.sd_model.model.diffusion_model.register_forward_pre_hook(
        lambda module, args: calls.append(args[0].shape[0])
    )
    try:
        host.draw(steps=1, **fields)
    finally:
        handle.remove()
    return calls, seen[-1]


def test_prompt_and_negative_in_one_call(host: Host) -> None:
    calls, seen = rows_of_calls(host, batch_size=2)
    assert calls == [4]
    assert seen.x.shape[0] == 4
    assert seen.text_cond.shape == (2, 77, 64) == seen.text_uncond.shape
    assert seen.denoiser.p.batch_size == 2


def test_in_chunks_without_batch_cond_uncond(host: Host) -> None:
    from modules import shared

    shared.opts.data["batch_cond_uncond"] = False
    assert rows_of_calls(host, batch_size=2)[0] == [2, 2]


def test_and_makes_more_prompt_rows(host: Host) -> None:
    calls, seen = rows_of_calls(host, prompt="a girl AND a boy :0.5", batch_size=2)
    assert calls == [6]
    assert seen.text_cond.shape[0] == 4
    assert seen.text_uncond.shape[0] == 2


def test_unequal_lengths_run_apart(host: Host) -> None:
    calls, seen = rows_of_calls(host, prompt="red " * 80)
    assert calls == [1, 1]
    assert seen.text_cond.shape[1] == 154
    assert seen.text_uncond.shape[1] == 77


def test_padding_brings_them_together(host: Host) -> None:
    from modules import shared

    shared.opts.data["pad_cond_uncond"] = True
    assert rows_of_calls(host, prompt="red " * 80)[0] == [2]


def test_negative_guidance_minimum_skips_the_negative_rows(host: Host) -> None:
    from modules import shared

    shared.opts.data["s_min_uncond_all"] = True
    calls, seen = rows_of_calls(host, s_min_uncond=100.0)
    assert calls == [1]
    assert seen.x.shape[0] == 2  # the callback sees all rows


def test_interrupt_ends_the_run_with_what_there_is(host: Host) -> None:
    from modules import shared

    host.log.acting["cfg_after_cfg"] = lambda params: shared.state.interrupt()
    processed = host.draw(steps=STEPS, n_iter=2)
    assert host.log.events.count("cfg_denoiser") == 1
    assert len(processed.images) == 1


def test_unknown_tags_are_told_not_swallowed(host: Host) -> None:
    processed = host.draw(prompt="a girl<nosuchkind:mecha:0.8>", steps=1)
    assert "<nosuchkind:mecha:0.8>" in processed.comments
    assert "<nosuchkind:mecha:0.8>" in processed.infotexts[0]


def test_scripts_may_replace_the_latent(host: Host) -> None:
    def blank(p, ps, *args):
        ps.samples = torch.zeros_like(ps.samples)

    plain = host.draw()
    host.log.acting["post_sample"] = blank
    assert digest(host.draw().images[0]) != digest(plain.images[0])
