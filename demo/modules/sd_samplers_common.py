"""What all samplers share: their table rows, decoding, previews, and stopping."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import torch
from modules import devices, shared
from PIL import Image

SamplerDataTuple = namedtuple("SamplerData", ["name", "constructor", "aliases", "options"])


class SamplerData(SamplerDataTuple):
    """A row of the sampler list."""

    def total_steps(self, steps: int) -> int:
        """Model calls: a second-order sampler needs two a step."""
        return steps * 2 if self.options.get("second_order", False) else steps


class InterruptedException(BaseException):
    """Raised inside the sampler to end it; not an Exception, so that nobody swallows it by chance."""


def setup_img2img_steps(p, steps=None) -> tuple[int, int]:
    """(steps of the schedule, steps that are really done) for a denoising strength."""
    if shared.opts.img2img_fix_steps or steps is not None:
        requested = steps or p.steps
        steps = int(requested / min(p.denoising_strength, 0.999)) if p.denoising_strength > 0 else 0
        return steps, requested - 1
    return p.steps, int(min(p.denoising_strength, 0.999) * p.steps)


def decode_first_stage(model, latents: torch.Tensor) -> torch.Tensor:
    """[n, 3, h, w] in -1..1, on the CPU, one picture at a time."""
    vae_dtype = model.first_stage_model.post_quant_conv.weight.dtype
    decoded = [model.decode_first_stage(latent.to(vae_dtype)[None])[0].float().cpu() for latent in latents]
    return torch.stack(decoded)


def images_tensor_to_samples(image: torch.Tensor, model=None) -> torch.Tensor:
    """Pictures [n, 3, h, w] in 0..1 to latents."""
    model = model or shared.sd_model
    weight = model.first_stage_model.quant_conv.weight
    image = image.to(device=weight.device, dtype=weight.dtype) * 2 - 1
    rows = [model.get_first_stage_encoding(model.encode_first_stage(row[None]))[0] for row in image]
    return torch.stack(rows).to(devices.dtype)


def single_to_image(decoded: torch.Tensor) -> Image.Image:
    """One decoded picture [3, h, w] in -1..1 as an Image."""
    array = torch.clamp((decoded + 1.0) / 2.0, min=0.0, max=1.0).permute(1, 2, 0).numpy()
    return Image.fromarray((255.0 * array).astype(np.uint8))


def samples_to_image_grid(latents: torch.Tensor) -> Image.Image:
    """A preview: the pictures of a batch beside each other."""
    with torch.no_grad():
        tiles = [single_to_image(row) for row in decode_first_stage(shared.sd_model, latents)]
    grid = Image.new("RGB", (sum(tile.width for tile in tiles), tiles[0].height))
    left = 0
    for tile in tiles:
        grid.paste(tile, (left, 0))
        left += tile.width
    return grid


def store_latent(denoised: torch.Tensor) -> None:
    """Keep the picture of this moment for the preview."""
    shared.state.current_latent = denoised


def _done(denoiser, sigma) -> float:
    """How much of the model's noise is gone, 0..1; by steps where a setting says so."""
    if shared.opts.refiner_switch_by_sample_steps or sigma is None:
        denoiser.p.extra_generation_params["Refiner switch by sampling steps"] = True
        return denoiser.step / max(denoiser.total_steps, 1)
    sigmas = denoiser.inner_model.sigmas
    return (999 - int(torch.argmin(torch.abs(sigmas.to(sigma.device) - sigma.max())))) / 1000


def _refines_this_pass(p) -> bool:
    """With two passes a setting says which of them the refiner finishes; else there is one."""
    wanted = shared.opts.hires_fix_refiner_pass
    if not getattr(p, "enable_hr", False):
        return True
    if wanted == ("first pass" if p.is_hr_pass else "second pass"):
        return False
    if wanted != "second pass":
        p.extra_generation_params["Hires refiner"] = wanted
    return True


def apply_refiner(denoiser, sigma=None) -> bool:
    """Change to the refiner checkpoint when its part of the sampling begins. No script hook learns of it."""
    p = denoiser.p
    if p.refiner_switch_at is None or p.refiner_checkpoint_info is None:
        return False
    if _done(denoiser, sigma) < p.refiner_switch_at:
        return False
    if shared.sd_model.sd_checkpoint_info == p.refiner_checkpoint_info or not _refines_this_pass(p):
        return False
    from modules import sd_models

    p.extra_generation_params["Refiner"] = p.refiner_checkpoint_info.short_title
    p.extra_generation_params["Refiner switch at"] = p.refiner_switch_at
    sd_models.reload_model_weights(info=p.refiner_checkpoint_info)
    devices.torch_gc()
    p.setup_conds()
    denoiser.update_inner_model()
    return True
