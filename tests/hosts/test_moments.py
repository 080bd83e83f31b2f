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
        pytest.param(None, Moment(2, 20, 7.0), id="no denoiser anywhere"),
        pytest.param(Named(step=None), Moment(2, 20, 7.0), id="a denoiser that does not count"),
    ],
)
def test_moment(told: Named | None, moment: Moment) -> None:
    params = Named(
        sampling_step=2, total_sampling_steps=20, sigma=torch.tensor([7.0, 6.9, 7.0]), denoiser=told
    )
    assert moment_of(params) == moment


def test_a_noise_level_nobody_asks_for_is_not_read() -> None:
    """To read it from a graphics card is to wait for all that the card is at."""

    class Sigma:
        def max(self) -> float:
            raise AssertionError("read")

    params = Named(sigma=Sigma(), denoiser=denoiser(3, 20, 20))
    assert moment_of(params, None, False) == Moment(3, 20)


def test_hosts_before_1_8_leave_the_denoiser_with_the_sampler() -> None:
    """What they tell themselves is 0 at the first step and at the second, and late by one from then on."""
    steps = []
    for call in range(4):
        late = max(call - 1, 0)
        params = Named(sampling_step=late, total_sampling_steps=4, sigma=torch.tensor([7.0]))
        p = Named(sampler=Named(model_wrap_cfg=denoiser(call, 4, 4)))
        steps.append(moment_of(params, p))
    assert steps == [Moment(step, 4, 7.0) for step in range(4)]


def test_a_host_that_tells_nothing() -> None:
    assert moment_of(Named()) is None
    assert moment_of(Named(sampling_step=1, total_sampling_steps=4)) == Moment(1, 4, None)


def test_samplers_that_count_training_steps_tell_the_noise_they_are_at() -> None:
    """A1111's DDIM, PLMS and UniPC: 999 is the beginning and no noise level of 999."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    alphas = torch.cumprod(1 - betas, 0)
    for told, noise in ((999.0, 14.6146), (501.4, 1.6156), (1.0, 0.0413)):
        ddim = Named(step=3, total_steps=20, steps=20, alphas=alphas)
        moment = moment_of(Named(sigma=torch.tensor([told, told]), denoiser=ddim))
        assert moment is not None and moment.sigma == pytest.approx(noise, rel=0.01)


def test_forge_tells_noise_levels_itself() -> None:
    ddim = Named(step=3, total_steps=20, steps=20, alphas=torch.ones(1000), classic_ddim_eps_estimation=True)
    moment = moment_of(Named(sigma=torch.tensor([7.0]), denoiser=ddim))
    assert moment == Moment(3, 20, 7.0)
