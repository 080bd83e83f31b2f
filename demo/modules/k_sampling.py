"""Sampler maths in the space of k-diffusion: x = picture + sigma·noise, the model answers with the picture.

Euler, Euler ancestral and Heun: Karras et al. 2022 (arXiv 2206.00364).
DPM-Solver++(2M): Lu et al. 2022 (arXiv 2211.01095).
"""

from __future__ import annotations

import math

import torch


class CompVisDenoiser(torch.nn.Module):
    """Turns a model that predicts noise at a timestep into one that predicts the picture at a sigma."""

    def __init__(self, model, quantize: bool = False) -> None:
        super().__init__()
        self.quantize = quantize
        # Kept out of the module tree: the model has its own place there.
        object.__setattr__(self, "inner_model", model)
        alphas = model.alphas_cumprod
        self.sigmas = ((1 - alphas) / alphas) ** 0.5
        self.log_sigmas = self.sigmas.log()

    @property
    def sigma_min(self) -> torch.Tensor:
        return self.sigmas[0]

    @property
    def sigma_max(self) -> torch.Tensor:
        return self.sigmas[-1]

    def get_sigmas(self, n: int) -> torch.Tensor:
        """n sigmas, evenly spaced in time, and a zero."""
        t = torch.linspace(len(self.sigmas) - 1, 0, n, device=self.sigmas.device)
        return append_zero(self.t_to_sigma(t))

    def t_to_sigma(self, t: torch.Tensor) -> torch.Tensor:
        t = t.float()
        low, high, part = t.floor().long(), t.ceil().long(), t.frac()
        return ((1 - part) * self.log_sigmas[low] + part * self.log_sigmas[high]).exp()

    def sigma_to_t(self, sigma: torch.Tensor) -> torch.Tensor:
        """The timestep of each sigma: a fraction between two of the model's own, or the nearer one."""
        log_sigma = sigma.log()
        if self.quantize:
            return (log_sigma[None] - self.log_sigmas[:, None]).abs().argmin(0)
        low = (log_sigma[None] >= self.log_sigmas[:, None]).sum(0).sub(1).clamp(0, len(self.log_sigmas) - 2)
        below, above = self.log_sigmas[low], self.log_sigmas[low + 1]
        part = ((log_sigma - below) / (above - below)).clamp(0, 1)
        return low + part

    def forward(self, x: torch.Tensor, sigma: torch.Tensor, cond=None) -> torch.Tensor:
        return x - self.answer(x, sigma, cond) * sigma.view(-1, 1, 1, 1)

    def answer(self, x: torch.Tensor, sigma: torch.Tensor, cond) -> torch.Tensor:
        """What the model says, whatever it predicts."""
        scale = (1 / (sigma**2 + 1) ** 0.5).view(-1, 1, 1, 1)
        return self.inner_model.apply_model(x * scale, self.sigma_to_t(sigma), cond).to(x.dtype)


class CompVisVDenoiser(CompVisDenoiser):
    """The same for a model that predicts v = √ᾱ·noise − √(1−ᾱ)·picture."""

    def forward(self, x: torch.Tensor, sigma: torch.Tensor, cond=None) -> torch.Tensor:
        wide = sigma.view(-1, 1, 1, 1)
        return x / (wide**2 + 1) - self.answer(x, sigma, cond) * wide / (wide**2 + 1) ** 0.5


def wrap_model(model, quantize: bool = False) -> CompVisDenoiser:
    """The denoiser for what the model predicts, as its yaml says."""
    return {"eps": CompVisDenoiser, "v": CompVisVDenoiser}[model.parameterization](model, quantize)


def append_zero(sigmas: torch.Tensor) -> torch.Tensor:
    return torch.cat([sigmas, sigmas.new_zeros([1])])


def get_sigmas_karras(n: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> torch.Tensor:
    ramp = torch.linspace(0, 1, n)
    low, high = sigma_min ** (1 / rho), sigma_max ** (1 / rho)
    return append_zero((high + ramp * (low - high)) ** rho)


def get_sigmas_exponential(n: int, sigma_min: float, sigma_max: float) -> torch.Tensor:
    return append_zero(torch.linspace(math.log(sigma_max), math.log(sigma_min), n).exp())


def _slope(x, sigma, denoised):
    return (x - denoised) / sigma


def sample_euler(model, x, sigmas, extra_args, callback, noise_sampler=None):
    """One model call a step along the slope."""
    rows = x.new_ones([x.shape[0]])
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i] * rows, **extra_args)
        callback({"x": x, "i": i, "sigma": sigmas[i], "sigma_hat": sigmas[i], "denoised": denoised})
        x = x + _slope(x, sigmas[i], denoised) * (sigmas[i + 1] - sigmas[i])
    return x


def sample_euler_ancestral(model, x, sigmas, extra_args, callback, noise_sampler=None):
    """Euler that goes further down and adds fresh noise up to the next sigma."""
    rows = x.new_ones([x.shape[0]])
    for i in range(len(sigmas) - 1):
        now, after = sigmas[i], sigmas[i + 1]
        denoised = model(x, now * rows, **extra_args)
        callback({"x": x, "i": i, "sigma": now, "sigma_hat": now, "denoised": denoised})
        up = min(after, (after**2 * (now**2 - after**2) / now**2) ** 0.5)
        down = (after**2 - up**2) ** 0.5
        x = x + _slope(x, now, denoised) * (down - now)
        if after > 0:
            x = x + noise_sampler(now, after) * up
    return x


def sample_heun(model, x, sigmas, extra_args, callback, noise_sampler=None):
    """Two model calls a step: the mean of the slopes at both ends; the last step is Euler's."""
    rows = x.new_ones([x.shape[0]])
    for i in range(len(sigmas) - 1):
        now, after = sigmas[i], sigmas[i + 1]
        denoised = model(x, now * rows, **extra_args)
        callback({"x": x, "i": i, "sigma": now, "sigma_hat": now, "denoised": denoised})
        slope = _slope(x, now, denoised)
        ahead = x + slope * (after - now)
        if after == 0:
            x = ahead
        else:
            slope_ahead = _slope(ahead, after, model(ahead, after * rows, **extra_args))
            x = x + (slope + slope_ahead) / 2 * (after - now)
    return x


def sample_dpmpp_2m(model, x, sigmas, extra_args, callback, noise_sampler=None):
    """Second order from the step before, in log-sigma time."""
    rows = x.new_ones([x.shape[0]])
    before = None
    for i in range(len(sigmas) - 1):
        now, after = sigmas[i], sigmas[i + 1]
        denoised = model(x, now * rows, **extra_args)
        callback({"x": x, "i": i, "sigma": now, "sigma_hat": now, "denoised": denoised})
        if after == 0:
            x = denoised
        else:
            h = now.log() - after.log()
            guess = denoised
            if before is not None:
                ratio = (sigmas[i - 1].log() - now.log()) / h
                guess = (1 + 1 / (2 * ratio)) * denoised - (1 / (2 * ratio)) * before
            x = (after / now) * x - (-h).expm1() * guess
        before = denoised
    return x
