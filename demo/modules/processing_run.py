"""Making the pictures of a request: the order of every step, hook and model call."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch
from modules import (
    devices,
    extra_networks,
    images,
    rng,
    scripts,
    sd_hijack,
    sd_models,
    sd_samplers_common,
    sd_unet,
    shared,
)
from modules.paths_internal import default_output_dir
from modules.processed import Processed, create_infotext
from modules.shared import opts
from PIL import Image


def get_fixed_seed(seed) -> int:
    """-1, None and an empty text mean any seed."""
    if seed == "" or seed is None:
        seed = -1
    seed = int(seed)
    return int(random.randrange(4294967294)) if seed == -1 else seed


def fix_seed(p) -> None:
    p.seed = get_fixed_seed(p.seed)
    p.subseed = get_fixed_seed(p.subseed)


def process_images(p) -> Processed:
    """Make a request's pictures under its settings, and put the settings back."""
    if p.scripts is not None:
        p.scripts.before_process(p)
    stored = {key: opts.data.get(key) for key in p.override_settings if key in opts.data}
    try:
        if "sd_model_checkpoint" in p.override_settings:
            name = p.override_settings["sd_model_checkpoint"]
            if sd_models.get_closet_checkpoint_match(name) is None:
                p.override_settings.pop("sd_model_checkpoint")
                stored.pop("sd_model_checkpoint", None)
        for key, value in p.override_settings.items():
            opts.set(key, value, is_api=True, run_callbacks=False)
        if "sd_model_checkpoint" in p.override_settings:
            sd_models.reload_model_weights()
        sd_models.apply_token_merging(p.sd_model, p.get_token_merging_ratio())
        return process_images_inner(p)
    finally:
        sd_models.apply_token_merging(p.sd_model, 0)
        if p.override_settings_restore_afterwards:
            for key, value in stored.items():
                opts.data[key] = value
            if "sd_model_checkpoint" in stored:
                sd_models.reload_model_weights()


def _prepare(p) -> None:
    """Fix seeds and prompts of all batches, and name the model."""
    devices.torch_gc()
    sd_hijack.model_hijack.clear_comments()
    seed = get_fixed_seed(p.seed)
    subseed = get_fixed_seed(p.subseed)
    if p.sd_model is None:
        raise RuntimeError("No checkpoint is loaded: the chosen one could not be read. The console says why.")
    p.setup_refiner()
    p.sd_model_name = p.sd_model.sd_checkpoint_info.name_for_extra
    p.sd_model_hash = p.sd_model.sd_model_hash
    p.setup_prompts()
    count = len(p.all_prompts)
    p.all_seeds = [seed + (index if p.subseed_strength == 0 else 0) for index in range(count)]
    p.all_subseeds = [subseed + index for index in range(count)]


def _select_prompts(p, n: int) -> None:
    """This batch's prompts as they were written, tags included."""
    batch = slice(n * p.batch_size, (n + 1) * p.batch_size)
    p.prompts = p.all_prompts[batch]
    p.negative_prompts = p.all_negative_prompts[batch]


def _select_batch(p, n: int) -> None:
    batch = slice(n * p.batch_size, (n + 1) * p.batch_size)
    p.iteration = n
    _select_prompts(p, n)
    p.seeds = p.all_seeds[batch]
    p.subseeds = p.all_subseeds[batch]
    p.rng = rng.ImageRNG((4, p.height // 8, p.width // 8), p.seeds, p.subseeds, p.subseed_strength)


def apply_overlay(image: Image.Image, paste_loc, overlay: Image.Image | None):
    """Put what the mask protected back over a picture."""
    if overlay is None:
        return image, image.copy()
    if paste_loc is not None:
        x, y, width, height = paste_loc
        base = Image.new("RGBA", overlay.size)
        base.paste(images.resize_image(1, image, width, height), (x, y))
        image = base
    uncomposited = image.copy()
    image = image.convert("RGBA")
    image.alpha_composite(overlay)
    return image.convert("RGB"), uncomposited


def _finish_image(p, image: Image.Image, index: int) -> Image.Image:
    """The hooks and the overlay of one picture."""
    if p.scripts is not None:
        pp = scripts.PostprocessImageArgs(image)
        p.scripts.postprocess_image(p, pp)
        image = pp.image
    overlay = None
    if p.overlay_images is not None and index < len(p.overlay_images):
        overlay = p.overlay_images[index]
    if p.scripts is not None:
        ppmo = scripts.PostProcessMaskOverlayArgs(index, getattr(p, "mask_for_overlay", None), overlay)
        p.scripts.postprocess_maskoverlay(p, ppmo)
        overlay = ppmo.overlay_image
    image, _ = apply_overlay(image, p.paste_to, overlay)
    if p.scripts is not None:
        pp = scripts.PostprocessImageArgs(image)
        p.scripts.postprocess_image_after_composite(p, pp)
        image = pp.image
    return image


def _remember_parameters(p) -> None:
    """Keep the parameters of the last request, for the paste button with an empty prompt."""
    path = Path(default_output_dir) / "params.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = create_infotext(p, p.all_prompts, p.all_seeds, p.all_subseeds, use_main_prompt=True, index=0)
    path.write_text(text, encoding="utf8")


def _sample_batch(p, n: int) -> torch.Tensor:
    """Everything from the prompts to decoded pictures [n, 3, h, w] in 0..1."""
    if p.scripts is not None:
        kwargs = {"batch_number": n, "prompts": p.prompts, "seeds": p.seeds, "subseeds": p.subseeds}
        p.scripts.before_process_batch(p, **kwargs)
    p.parse_extra_network_prompts()
    if not p.disable_extra_networks:
        with devices.autocast():
            extra_networks.activate(p, p.extra_network_data)
    if p.scripts is not None:
        kwargs["prompts"] = p.prompts
        p.scripts.process_batch(p, **kwargs)
    p.setup_conds()
    for comment in sd_hijack.model_hijack.comments:
        p.comment(comment)
    if n == 0 and p.save_samples():
        _remember_parameters(p)
    p.extra_generation_params.update(p.sd_model.cond_stage_model.hijack.extra_generation_params)
    if p.n_iter > 1:
        shared.state.job = f"Batch {n + 1} out of {p.n_iter}"
    with devices.without_autocast() if devices.unet_needs_upcast else devices.autocast():
        samples = p.sample(
            conditioning=p.c,
            unconditional_conditioning=p.uc,
            seeds=p.seeds,
            subseeds=p.subseeds,
            subseed_strength=p.subseed_strength,
            prompts=p.prompts,
        )
    if p.scripts is not None:
        ps = scripts.PostSampleArgs(samples)
        p.scripts.post_sample(p, ps)
        samples = ps.samples
    devices.test_for_nans(samples, "unet")
    decoded = sd_samplers_common.decode_first_stage(p.sd_model, samples)
    return torch.clamp((decoded + 1.0) / 2.0, min=0.0, max=1.0)


def process_images_inner(p) -> Processed:
    """The heart: one loop over batches; neither errors nor interrupts run the last hooks."""
    _prepare(p)
    if p.scripts is not None:
        p.scripts.process(p)
    infotexts: list[str] = []
    output: list[Image.Image] = []

    def infotext(index: int = 0, use_main_prompt: bool = False) -> str:
        return create_infotext(
            p,
            p.prompts,
            p.seeds,
            p.subseeds,
            use_main_prompt=use_main_prompt,
            index=index,
            all_negative_prompts=p.negative_prompts,
            position_in_batch=index,
            iteration=p.iteration,
        )

    with torch.no_grad():
        with devices.autocast():
            p.init(p.all_prompts, p.all_seeds, p.all_subseeds)
            sd_unet.apply_unet()
        if shared.state.job_count == -1:
            shared.state.job_count = p.n_iter
        for n in range(p.n_iter):
            shared.state.skipped = False
            if shared.state.interrupted or shared.state.stopping_generation:
                break
            sd_models.reload_model_weights()
            _select_batch(p, n)
            if not p.prompts:
                break
            pictures = _sample_batch(p, n)
            shared.state.nextjob()
            if p.scripts is not None:
                p.scripts.postprocess_batch(p, pictures, batch_number=n)
            _select_prompts(p, n)
            if p.scripts is not None:
                batch = scripts.PostprocessBatchListArgs(list(pictures))
                p.scripts.postprocess_batch_list(p, batch, batch_number=n)
                pictures = batch.images
            for index, row in enumerate(pictures):
                array = (255.0 * np.moveaxis(row.cpu().numpy(), 0, 2)).astype(np.uint8)
                image = _finish_image(p, Image.fromarray(array), index)
                text = infotext(index)
                infotexts.append(text)
                image.info["parameters"] = text
                if p.save_samples():
                    images.save_image(
                        image, p.outpath_samples, "", p.seeds[index], p.prompts[index], info=text, p=p
                    )
                output.append(image)
            devices.torch_gc()
        if not infotexts:
            infotexts.append(Processed(p, []).infotext(p, 0))
    if not p.disable_extra_networks and p.extra_network_data:
        extra_networks.deactivate(p, p.extra_network_data)
    devices.torch_gc()
    result = Processed(
        p,
        images_list=output,
        seed=p.all_seeds[0],
        info=infotexts[0],
        subseed=p.all_subseeds[0],
        infotexts=infotexts,
    )
    if p.scripts is not None:
        p.scripts.postprocess(p, result)
    return result
