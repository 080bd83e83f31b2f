"""A sampler object for one pass over one batch."""

from __future__ import annotations

import torch
from modules import k_sampling, sd_samplers_common, sd_schedulers, shared
from modules.sd_samplers_cfg_denoiser import CFGDenoiserKDiffusion
from modules.sd_samplers_common import InterruptedException, SamplerData

_SAMPLERS = (
    ("DPM++ 2M", k_sampling.sample_dpmpp_2m, ["k_dpmpp_2m"], {"scheduler": "karras"}),
    ("Euler a", k_sampling.sample_euler_ancestral, ["k_euler_a", "k_euler_ancestral"], {"uses_ensd": True}),
    ("Euler", k_sampling.sample_euler, ["k_euler"], {}),
    ("Heun", k_sampling.sample_heun, ["k_heun"], {"second_order": True}),
)


class KDiffusionSampler:
    """Drives the maths of k_sampling through the CFG denoiser."""

    def __init__(self, function, sd_model, options) -> None:
        self.func = function
        self.funcname = function.__name__
        self.options = options
        self.config = None
        self.p = None
        self.last_latent = None
        self.stop_at = None
        self.sampler_extra_args: dict | None = None
        self.conditioning_key = sd_model.model.conditioning_key
        self.s_min_uncond = 0.0
        self.eta = None
        self.model_wrap_cfg = CFGDenoiserKDiffusion(self)
        self.model_wrap = self.model_wrap_cfg.inner_model

    def get_sigmas(self, p, steps: int) -> torch.Tensor:
        """The schedule the user chose, or the sampler's own when he chose none."""
        name = p.scheduler or "Automatic"
        if name == "Automatic":
            name = self.options.get("scheduler", "automatic")
        scheduler = sd_schedulers.schedulers_map.get(name)
        low, high = self.model_wrap.sigma_min.item(), self.model_wrap.sigma_max.item()
        if scheduler is None or scheduler.function is None:
            sigmas = self.model_wrap.get_sigmas(steps)
        else:
            sigmas = scheduler.function(steps, low, high)
        if scheduler is not None and scheduler.name != "automatic":
            p.extra_generation_params["Schedule type"] = scheduler.label
        return sigmas.to(self.model_wrap.sigmas.device)

    def initialize(self, p) -> None:
        """Take what this picture wants."""
        self.p = p
        denoiser = self.model_wrap_cfg
        denoiser.p = p
        denoiser.mask = getattr(p, "mask", None)
        denoiser.nmask = getattr(p, "nmask", None)
        denoiser.step = 0
        denoiser.image_cfg_scale = getattr(p, "image_cfg_scale", None)
        self.s_min_uncond = getattr(p, "s_min_uncond", 0.0) or 0.0

    def callback_state(self, d: dict) -> None:
        step = d["i"]
        if self.stop_at is not None and step > self.stop_at:
            raise InterruptedException
        shared.state.sampling_step = step
        shared.state.set_current_image()

    def launch_sampling(self, steps: int, func) -> torch.Tensor:
        """Run; a picture that was interrupted is what it was at that moment."""
        self.model_wrap_cfg.steps = steps
        self.model_wrap_cfg.total_steps = self.config.total_steps(steps)
        shared.state.sampling_steps = steps
        shared.state.sampling_step = 0
        try:
            return func()
        except InterruptedException:
            return self.last_latent

    def _run(self, x, sigmas, conditioning, unconditional_conditioning, image_conditioning):
        self.last_latent = x
        self.sampler_extra_args = {
            "cond": conditioning,
            "image_cond": image_conditioning,
            "uncond": unconditional_conditioning,
            "cond_scale": self.p.cfg_scale,
            "s_min_uncond": self.s_min_uncond,
        }

        def noise(sigma, sigma_next):
            return self.p.rng.next().to(x)

        return self.func(self.model_wrap_cfg, x, sigmas, self.sampler_extra_args, self.callback_state, noise)

    def sample(self, p, x, conditioning, unconditional_conditioning, steps=None, image_conditioning=None):
        """From noise."""
        self.initialize(p)
        steps = steps or p.steps
        sigmas = self.get_sigmas(p, steps)
        start = x * sigmas[0]
        return self.launch_sampling(
            steps,
            lambda: self._run(start, sigmas, conditioning, unconditional_conditioning, image_conditioning),
        )

    def sample_img2img(
        self, p, x, noise, conditioning, unconditional_conditioning, steps=None, image_conditioning=None
    ):
        """From a picture with noise of the denoising strength."""
        self.initialize(p)
        steps, t_enc = sd_samplers_common.setup_img2img_steps(p, steps)
        sigmas = self.get_sigmas(p, steps)[steps - t_enc - 1 :]
        start = x + noise * sigmas[0]
        self.model_wrap_cfg.init_latent = x
        return self.launch_sampling(
            t_enc + 1,
            lambda: self._run(start, sigmas, conditioning, unconditional_conditioning, image_conditioning),
        )


def _constructor(function, options):
    return lambda model: KDiffusionSampler(function, model, options)


samplers_data_k_diffusion = [
    SamplerData(name, _constructor(function, options), aliases, options)
    for name, function, aliases, options in _SAMPLERS
]
