"""Where sampling is, from what the host says before every call of the UNet (`CFGDenoiserParams`)."""

from __future__ import annotations

from typing import Any

from lib_lora.stack.schedule import Moment


def moment_of(params: Any) -> Moment | None:
    """Return the moment, None where the host does not tell it.

    The denoiser counts calls of the model, two a step for samplers of second order, and knows how many there
    are; `sampling_step`, all that hosts before 1.8 tell, is that of the step before.
    """
    sigma = _largest(getattr(params, "sigma", None))
    denoiser = getattr(params, "denoiser", None)
    call, calls = getattr(denoiser, "step", None), getattr(denoiser, "total_steps", None)
    steps = getattr(denoiser, "steps", None) or getattr(params, "total_sampling_steps", None)
    if isinstance(call, int) and calls and steps:
        steps = min(int(steps), int(calls))
        return Moment(min(call * steps // int(calls), steps - 1), steps, sigma)
    step = getattr(params, "sampling_step", None)
    if step is None or not steps:
        return None
    return Moment(min(int(step), int(steps) - 1), int(steps), sigma)


def _largest(sigma: Any) -> float | None:
    try:
        return float(sigma.max())
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return None
