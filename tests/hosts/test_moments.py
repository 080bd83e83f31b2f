"""Steps are counted as the progress bar counts them, whatever the sampler and the host's version."""

from __future__ import annotations

from types import SimpleNamespace as Named

import pytest
import torch

from lib_lora.hosts.moments import moment_of
from lib_lora.stack.schedule import Moment


def denoiser(step: int, total: int, steps: int | None) -> Named:
    return Named(step=step, total_steps=total, steps=steps)


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        pytest.param(denoiser(3, 20, 20), Moment(3, 20, 7.0), id="first order"),
        pytest.param(denoiser(7, 40, 20), Moment(3, 20, 7.0), id="two calls a step"),
        pytest.param(denoiser(25, 20, 20), Moment(19, 20, 7.0), id="a sampler that goes on"),
        pytest.param(denoiser(3, 11, 20), Moment(3, 11, 7.0), id="fewer calls than steps (img2img)"),
        pytest.param(None, Moment(2, 20, 7.0), id="a host before 1.8"),
        pytest.param(Named(step=None), Moment(2, 20, 7.0), id="a denoiser that does not count"),
    ],
)
def test_moment(told: Named | None, moment: Moment) -> None:
    params = Named(
        sampling_step=2, total_sampling_steps=20, sigma=torch.tensor([7.0, 6.9, 7.0]), denoiser=told
    )
    assert moment_of(params) == moment


def test_a_host_that_tells_nothing() -> None:
    assert moment_of(Named()) is None
    assert moment_of(Named(sampling_step=1, total_sampling_steps=4)) == Moment(1, 4, None)
