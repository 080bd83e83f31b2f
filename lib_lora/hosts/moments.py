"""Where sampling is, from what the host says before every call of the UNet (`CFGDenoiserParams`)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from lib_lora.stack.schedule import Moment


def denoiser_of(params: Any, p: Any) -> Any:
    """Return the denoiser that is about to call the model; hosts before 1.8 leave it with `p`'s sampler."""
    told = getattr(params, "denoiser", None)
    return getattr(getattr(p, "sampler", None), "model_wrap_cfg", None) if told is None else told


def moment_of(params: Any, p: Any = None, noise: bool = True) -> Moment | None:
    """Return the moment, None where the host does not tell it; p: whose sampling it is, as far as known.

    noise: whether the noise level is asked for, which makes a graphics card wait.

    The denoiser counts calls of the model, two a step for samplers of second order, and knows how many there
    are; `sampling_step` is that of the step before.
    """
    denoiser = denoiser_of(params, p)
    sigma = _noise(_largest(getattr(params, "sigma", None)), denoiser) if noise else None
    call, calls = getattr(denoiser, "step", None), getattr(denoiser, "total_steps", None)
    steps = getattr(denoiser, "steps", None) or getattr(params, "total_sampling_steps", None)
    if isinstance(call, int) and calls and steps:
        steps = min(int(steps), int(calls))
        return Moment(min(call * steps // int(calls), steps - 1), steps, sigma)
    step = getattr(params, "sampling_step", None)
    if step is None or not steps:
        return None
    return Moment(min(int(step), int(steps) - 1), int(steps), sigma)


def _noise(told: float | None, denoiser: Any) -> float | None:
    """Return the noise level that is meant: DDIM, PLMS and UniPC tell a step of the training's thousand.

    Their denoiser keeps what is left of the picture at each. Forge's turns them into noise levels itself.
    """
    left = getattr(denoiser, "alphas", None)
    told_already = getattr(denoiser, "classic_ddim_eps_estimation", False)
    if told is None or told_already or not isinstance(left, Tensor):
        return told
    kept = float(left[min(max(round(told), 0), len(left) - 1)])
    return float(((1 - kept) / kept) ** 0.5)


def _largest(sigma: Any) -> float | None:
    try:
        return float(sigma.max())
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return None
