"""From noise to a picture, and once more at a larger size (hires fix)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from modules import (
    devices,
    extra_networks,
    images,
    lowvram,
    prompt_parser,
    rng,
    sd_models,
    sd_samplers,
    sd_samplers_common,
    shared,
)
from modules.processing_base import StableDiffusionProcessing
from modules.shared import opts


@dataclass(repr=False)
class StableDiffusionProcessingTxt2Img(StableDiffusionProcessing):
    """A request for pictures from a prompt."""

    enable_hr: bool = False
    denoising_strength: float = 0.75
    firstphase_width: int = 0
    firstphase_height: int = 0
    hr_scale: float = 2.0
    hr_upscaler: str | None = None
    hr_second_pass_steps: int = 0
    hr_resize_x: int = 0
    hr_resize_y: int = 0
    hr_checkpoint_name: str | None = None
    hr_sampler_name: str | None = None
    hr_scheduler: str | None = None
    hr_prompt: str = ""
    hr_negative_prompt: str = ""
    force_task_id: str | None = None

    cached_hr_uc: ClassVar[list] = [None, None]
    cached_hr_c: ClassVar[list] = [None, None]

    hr_checkpoint_info: Any = field(default=None, init=False)
    hr_upscale_to_x: int = field(default=0, init=False)
    hr_upscale_to_y: int = field(default=0, init=False)

    def __post_init__(self, sd_model) -> None:
        super().__post_init__(sd_model)
        self.hr_c = self.hr_uc = None
        self.all_hr_prompts = self.all_hr_negative_prompts = None
        self.latent_scale_mode = None
        self.cached_hr_uc = StableDiffusionProcessingTxt2Img.cached_hr_uc
        self.cached_hr_c = StableDiffusionProcessingTxt2Img.cached_hr_c

    def calculate_target_resolution(self) -> None:
        """Size of the second pass: by factor, or as asked, keeping the shape where one side is 0."""
        if self.hr_resize_x == 0 and self.hr_resize_y == 0:
            self.extra_generation_params["Hires upscale"] = self.hr_scale
            self.hr_upscale_to_x = int(self.width * self.hr_scale)
            self.hr_upscale_to_y = int(self.height * self.hr_scale)
        else:
            self.extra_generation_params["Hires resize"] = f"{self.hr_resize_x}x{self.hr_resize_y}"
            self.hr_upscale_to_x = self.hr_resize_x or self.hr_resize_y * self.width // self.height
            self.hr_upscale_to_y = self.hr_resize_y or self.hr_resize_x * self.height // self.width
        self.hr_upscale_to_x -= self.hr_upscale_to_x % 8
        self.hr_upscale_to_y -= self.hr_upscale_to_y % 8

    def init(self, all_prompts, all_seeds, all_subseeds) -> None:
        if not self.enable_hr:
            return
        self.hr_upscaler = self.hr_upscaler or shared.latent_upscale_default_mode
        if self.hr_checkpoint_name and self.hr_checkpoint_name != "Use same checkpoint":
            self.hr_checkpoint_info = sd_models.get_closet_checkpoint_match(self.hr_checkpoint_name)
            if self.hr_checkpoint_info is None:
                raise ValueError(f"Could not find checkpoint with name {self.hr_checkpoint_name}")
            self.extra_generation_params["Hires checkpoint"] = self.hr_checkpoint_info.short_title
        if self.hr_sampler_name is not None and self.hr_sampler_name != self.sampler_name:
            self.extra_generation_params["Hires sampler"] = self.hr_sampler_name
        for label, own, first in (
            ("Hires prompt", self.hr_prompt, self.prompt),
            ("Hires negative prompt", self.hr_negative_prompt, self.negative_prompt),
        ):
            if own not in ("", first):
                self.extra_generation_params[label] = own
        self.latent_scale_mode = shared.latent_upscale_modes.get(self.hr_upscaler)
        if self.latent_scale_mode is None and self.hr_upscaler not in images.UPSCALERS:
            raise ValueError(f"Could not find upscaler named {self.hr_upscaler}")
        self.calculate_target_resolution()
        if not shared.state.processing_has_refined_job_count:
            if shared.state.job_count == -1:
                shared.state.job_count = self.n_iter
            shared.state.job_count *= 2
            shared.state.processing_has_refined_job_count = True
        if self.hr_second_pass_steps:
            self.extra_generation_params["Hires steps"] = self.hr_second_pass_steps
        self.extra_generation_params["Hires upscaler"] = self.hr_upscaler

    def sample(self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts):
        self.sampler = sd_samplers.create_sampler(self.sampler_name, self.sd_model)
        x = self.rng.next().to(devices.device)
        if self.scripts is not None:
            self.scripts.process_before_every_sampling(
                p=self, x=x, noise=x, c=conditioning, uc=unconditional_conditioning
            )
        samples = self.sampler.sample(
            self,
            x,
            conditioning,
            unconditional_conditioning,
            image_conditioning=self.txt2img_image_conditioning(x),
        )
        del x
        if not self.enable_hr:
            return samples
        devices.torch_gc()
        decoded = None
        if self.latent_scale_mode is None:
            decoded = sd_samplers_common.decode_first_stage(self.sd_model, samples)
        # Without one of its own the second pass begins with the request's, whatever refined the first.
        sd_models.reload_model_weights(info=self.hr_checkpoint_info)
        return self.sample_hr_pass(samples, decoded, seeds, subseeds, subseed_strength, prompts)

    def _upscaled(self, samples, decoded):
        """Latents of the second pass' size: stretched as they are, or through the picture."""
        if self.latent_scale_mode is not None:
            size = (self.hr_upscale_to_y // 8, self.hr_upscale_to_x // 8)
            mode = dict(self.latent_scale_mode)
            return torch.nn.functional.interpolate(samples, size=size, **mode)
        rows = []
        for row in decoded:
            image = images.resize_image(
                0,
                sd_samplers_common.single_to_image(row),
                self.hr_upscale_to_x,
                self.hr_upscale_to_y,
                self.hr_upscaler,
            )
            rows.append(np.moveaxis(np.array(image).astype(np.float32) / 255.0, 2, 0))
        return sd_samplers_common.images_tensor_to_samples(torch.from_numpy(np.array(rows)), self.sd_model)

    def sample_hr_pass(self, samples, decoded_samples, seeds, subseeds, subseed_strength, prompts):
        if shared.state.interrupted:
            return samples
        self.is_hr_pass = True
        self.sampler = sd_samplers.create_sampler(self.hr_sampler_name or self.sampler_name, self.sd_model)
        samples = self._upscaled(samples, decoded_samples)
        shared.state.nextjob()
        self.rng = rng.ImageRNG(samples.shape[1:], self.seeds, self.subseeds, self.subseed_strength)
        noise = self.rng.next().to(samples)
        devices.torch_gc()
        if not self.disable_extra_networks:
            with devices.autocast():
                extra_networks.activate(self, self.hr_extra_network_data)
        with devices.autocast():
            self.calculate_hr_conds()
        sd_models.apply_token_merging(self.sd_model, self.get_token_merging_ratio(for_hr=True))
        if self.scripts is not None:
            self.scripts.before_hr(self)
            self.scripts.process_before_every_sampling(
                p=self, x=samples, noise=noise, c=self.hr_c, uc=self.hr_uc
            )
        samples = self.sampler.sample_img2img(
            self,
            samples,
            noise,
            self.hr_c,
            self.hr_uc,
            steps=self.hr_second_pass_steps or self.steps,
            image_conditioning=self.txt2img_image_conditioning(samples),
        )
        self.sampler = None
        devices.torch_gc()
        self.is_hr_pass = False
        return samples

    def close(self) -> None:
        super().close()
        self.hr_c = self.hr_uc = None
        if not opts.persistent_cond_cache:
            StableDiffusionProcessingTxt2Img.cached_hr_uc = [None, None]
            StableDiffusionProcessingTxt2Img.cached_hr_c = [None, None]

    def setup_prompts(self) -> None:
        super().setup_prompts()
        if not self.enable_hr:
            return
        total = len(self.all_prompts)
        self.hr_prompt = self.hr_prompt or self.prompt
        self.hr_negative_prompt = self.hr_negative_prompt or self.negative_prompt
        self.all_hr_prompts = self.hr_prompt if isinstance(self.hr_prompt, list) else [self.hr_prompt] * total
        self.all_hr_negative_prompts = (
            self.hr_negative_prompt
            if isinstance(self.hr_negative_prompt, list)
            else [self.hr_negative_prompt] * total
        )

    def calculate_hr_conds(self) -> None:
        """Encode the second pass' prompts; equal to the first pass' they come from its cache."""
        if self.hr_c is not None:
            return
        size = {"width": self.hr_upscale_to_x, "height": self.hr_upscale_to_y}
        prompts = prompt_parser.SdConditioning(self.hr_prompts, **size)
        negative = prompt_parser.SdConditioning(self.hr_negative_prompts, **size, is_negative_prompt=True)
        config = sd_samplers.find_sampler_config(self.hr_sampler_name or self.sampler_name)
        steps = self.hr_second_pass_steps or self.steps
        total_steps = config.total_steps(steps) if config else steps
        self.hr_uc = self.get_conds_with_caching(
            prompt_parser.get_learned_conditioning,
            negative,
            self.firstpass_steps,
            [self.cached_hr_uc, self.cached_uc],
            self.hr_extra_network_data,
            total_steps,
        )
        self.hr_c = self.get_conds_with_caching(
            prompt_parser.get_multicond_learned_conditioning,
            prompts,
            self.firstpass_steps,
            [self.cached_hr_c, self.cached_c],
            self.hr_extra_network_data,
            total_steps,
        )

    def setup_conds(self) -> None:
        if self.is_hr_pass:  # the refiner asks in the middle of the second pass
            self.hr_c = None
            self.calculate_hr_conds()
            return
        super().setup_conds()
        self.hr_uc = self.hr_c = None
        if not self.enable_hr or self.hr_checkpoint_info is not None:
            return
        if opts.hires_fix_use_firstpass_conds:
            self.calculate_hr_conds()
        elif lowvram.is_enabled(shared.sd_model):
            # On little memory the second pass' prompts are encoded before the first pass.
            with devices.autocast():
                extra_networks.activate(self, self.hr_extra_network_data)
            self.calculate_hr_conds()
            with devices.autocast():
                extra_networks.activate(self, self.extra_network_data)

    def get_conds(self):
        return (self.hr_c, self.hr_uc) if self.is_hr_pass else super().get_conds()

    def parse_extra_network_prompts(self) -> None:
        super().parse_extra_network_prompts()
        if self.enable_hr:
            batch = slice(self.iteration * self.batch_size, (self.iteration + 1) * self.batch_size)
            self.hr_negative_prompts = self.all_hr_negative_prompts[batch]
            self.hr_prompts, self.hr_extra_network_data = extra_networks.parse_prompts(
                self.all_hr_prompts[batch]
            )
