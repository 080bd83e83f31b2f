"""From a picture to a picture, the whole of it or inside a mask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from modules import devices, images, masking, sd_samplers
from modules.processing_base import StableDiffusionProcessing
from modules.script_class import MaskBlendArgs
from modules.sd_samplers_common import images_tensor_to_samples
from modules.shared import opts
from PIL import Image, ImageFilter, ImageOps


def create_binary_mask(image: Image.Image, round_mask: bool = True) -> Image.Image:
    """Grey mask of a picture: its transparency if it has any that matters, else its brightness."""
    if image.mode == "RGBA" and image.getextrema()[-1] != (255, 255):
        alpha = image.split()[-1].convert("L")
        return alpha.point(lambda value: 255 if value > 128 else 0) if round_mask else alpha
    return image.convert("L")


def _blurred(mask: Image.Image, x: int, y: int) -> Image.Image:
    """Gaussian blur, per axis; a radius of 0 leaves the axis alone."""
    return mask.filter(ImageFilter.GaussianBlur((x, y))) if x > 0 or y > 0 else mask


@dataclass(repr=False)
class StableDiffusionProcessingImg2Img(StableDiffusionProcessing):
    """A request for changed pictures."""

    init_images: list | None = None
    resize_mode: int = 0
    denoising_strength: float = 0.75
    image_cfg_scale: float | None = None
    mask: Any = None
    mask_blur_x: int = 4
    mask_blur_y: int = 4
    mask_blur: int | None = None
    mask_round: bool = True
    inpainting_fill: int = 0
    inpaint_full_res: bool = True
    inpaint_full_res_padding: int = 0
    inpainting_mask_invert: int = 0
    initial_noise_multiplier: float | None = None
    latent_mask: Image.Image | None = None
    force_task_id: str | None = None

    image_mask: Any = field(default=None, init=False)

    def __post_init__(self, sd_model) -> None:
        given_mask = self.mask
        super().__post_init__(sd_model)
        self.image_mask = given_mask
        self.mask = self.nmask = None
        self.init_latent = None
        self.image_conditioning = None
        self.mask_for_overlay = None
        if self.mask_blur is not None:
            self.mask_blur_x = self.mask_blur_y = self.mask_blur
        if self.initial_noise_multiplier is None:
            self.initial_noise_multiplier = opts.initial_noise_multiplier

    def _init_mask(self):
        """Prepare the mask: (mask for the latent, crop box or None)."""
        mask = create_binary_mask(self.image_mask, round_mask=self.mask_round)
        if self.inpainting_mask_invert:
            mask = ImageOps.invert(mask)
            self.extra_generation_params["Mask mode"] = "Inpaint not masked"
        mask = _blurred(mask, self.mask_blur_x, self.mask_blur_y)
        if self.mask_blur_x > 0 or self.mask_blur_y > 0:
            self.extra_generation_params["Mask blur"] = self.mask_blur_x
        crop_region = None
        if self.inpaint_full_res:
            self.mask_for_overlay = mask
            crop_region = masking.get_crop_region(mask.convert("L"), self.inpaint_full_res_padding)
            if crop_region is None:
                self.comment(
                    'Unable to perform "Inpaint Only mask" because the mask is blank: whole picture used.'
                )
                self.inpaint_full_res = False
        if crop_region is not None:
            crop_region = masking.expand_crop_region(crop_region, self.width, self.height, *mask.size)
            x1, y1, x2, y2 = crop_region
            mask = images.resize_image(2, mask.crop(crop_region), self.width, self.height)
            self.paste_to = (x1, y1, x2 - x1, y2 - y1)
            self.extra_generation_params["Inpaint area"] = "Only masked"
            self.extra_generation_params["Masked area padding"] = self.inpaint_full_res_padding
        else:
            mask = images.resize_image(self.resize_mode, mask, self.width, self.height)
            doubled = np.clip(np.array(mask).astype(np.float32) * 2, 0, 255).astype(np.uint8)
            self.mask_for_overlay = Image.fromarray(doubled)
        self.image_mask = mask
        self.overlay_images = []
        return self.latent_mask or mask, crop_region

    def _init_image(self, image: Image.Image, latent_mask, crop_region) -> np.ndarray:
        """One picture as [3, h, w] in 0..1, and its overlay for later."""
        image = images.flatten(image)
        if crop_region is None:
            image = images.resize_image(self.resize_mode, image, self.width, self.height)
        if latent_mask is not None:
            overlay = Image.new("RGBa", image.size)
            outside = ImageOps.invert(self.mask_for_overlay.convert("L"))
            overlay.paste(image.convert("RGBA").convert("RGBa"), mask=outside)
            self.overlay_images.append(overlay.convert("RGBA"))
        if crop_region is not None:
            image = images.resize_image(2, image.crop(crop_region), self.width, self.height)
        if latent_mask is not None and self.inpainting_fill != 1:
            image = masking.fill(image, latent_mask)
            if self.inpainting_fill == 0:
                self.extra_generation_params["Masked content"] = "fill"
        return np.moveaxis(np.array(image).astype(np.float32) / 255.0, 2, 0)

    def init(self, all_prompts, all_seeds, all_subseeds) -> None:
        self.extra_generation_params["Denoising strength"] = self.denoising_strength
        if not self.init_images or self.init_images[0] is None:
            raise ValueError("img2img needs an initial picture.")
        latent_mask, crop_region = None, None
        if self.image_mask is not None:
            latent_mask, crop_region = self._init_mask()
        rows = [self._init_image(image, latent_mask, crop_region) for image in self.init_images]
        if len(rows) == 1:
            rows = rows * self.batch_size
            if self.overlay_images is not None:
                self.overlay_images = self.overlay_images * self.batch_size
        elif len(rows) <= self.batch_size:
            self.batch_size = len(rows)
        else:
            raise RuntimeError(
                f"{len(rows)} initial pictures are more than the batch size {self.batch_size}."
            )
        self.init_latent = images_tensor_to_samples(torch.from_numpy(np.array(rows)), self.sd_model)
        devices.torch_gc()
        if latent_mask is not None:
            self._init_latent_mask(latent_mask, all_seeds)
        self.image_conditioning = self.init_latent.new_zeros(self.init_latent.shape[0], 5, 1, 1)

    def _init_latent_mask(self, latent_mask: Image.Image, all_seeds) -> None:
        """`nmask` is 1 where it is painted, `mask` where the picture stays: [4, h, w]."""
        height, width = self.init_latent.shape[2:]
        small = (
            np.array(latent_mask.convert("RGB").resize((width, height))).astype(np.float32)[..., 0] / 255.0
        )
        if self.mask_round:
            small = np.around(small)
        inside = torch.from_numpy(np.tile(small[None], (self.init_latent.shape[1], 1, 1))).to(
            self.init_latent
        )
        self.nmask, self.mask = inside, 1.0 - inside
        if self.inpainting_fill == 2:
            from modules import rng

            noise = rng.ImageRNG(self.init_latent.shape[1:], all_seeds[: self.init_latent.shape[0]]).next()
            self.init_latent = self.init_latent * self.mask + noise.to(self.init_latent) * self.nmask
            self.extra_generation_params["Masked content"] = "latent noise"
        elif self.inpainting_fill == 3:
            self.init_latent = self.init_latent * self.mask
            self.extra_generation_params["Masked content"] = "latent nothing"

    def sample(self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts):
        self.sampler = sd_samplers.create_sampler(self.sampler_name, self.sd_model)
        x = self.rng.next().to(self.init_latent)
        if self.initial_noise_multiplier != 1.0:
            self.extra_generation_params["Noise multiplier"] = self.initial_noise_multiplier
            x = x * self.initial_noise_multiplier
        if self.scripts is not None:
            self.scripts.process_before_every_sampling(
                p=self, x=self.init_latent, noise=x, c=conditioning, uc=unconditional_conditioning
            )
        samples = self.sampler.sample_img2img(
            self,
            self.init_latent,
            x,
            conditioning,
            unconditional_conditioning,
            image_conditioning=self.image_conditioning,
        )
        if self.mask is not None:
            blended = samples * self.nmask + self.init_latent * self.mask
            if self.scripts is not None:
                args = MaskBlendArgs(samples, self.nmask, self.init_latent, self.mask, blended)
                self.scripts.on_mask_blend(self, args)
                blended = args.blended_latent
            samples = blended
        devices.torch_gc()
        return samples

    def get_token_merging_ratio(self, for_hr: bool = False) -> float:
        return self.token_merging_ratio
