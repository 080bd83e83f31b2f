"""The samplers against diffusers' schedulers, an implementation by other people."""

from __future__ import annotations

import itertools
import sys

import pytest
import torch

from tests.demo.conftest import ROOT, _forget_host

pytestmark = pytest.mark.demo


@pytest.fixture(scope="module")
def k_sampling():
    """Only the maths: no host is started for it."""
    alone = "modules" not in sys.modules
    path = sys.path[:]
    sys.path.insert(0, str(ROOT / "demo"))
    from modules import k_sampling

    yield k_sampling
    sys.path[:] = path
    if alone:
        _forget_host()


class FakeModel(torch.nn.Module):
    """Predicts noise (or v) by a fixed nonlinear rule, so that order and sigmas matter."""

    def __init__(self, parameterization: str = "eps") -> None:
        super().__init__()
        self.parameterization = parameterization
        betas = torch.linspace(0.00085**0.5, 0.0120**0.5, 1000, dtype=torch.float64) ** 2
        self.register_buffer("alphas_cumprod", torch.cumprod(1 - betas, 0).float())

    def apply_model(self, x, t, cond):
        return torch.tanh(x * 0.7 + t.view(-1, 1, 1, 1) / 2000)


def run(k_sampling, name: str, steps: int, sigmas=None, noises=(), predicts="eps") -> torch.Tensor:
    denoiser = k_sampling.wrap_model(FakeModel(predicts))
    sigmas = denoiser.get_sigmas(steps) if sigmas is None else sigmas
    x = start() * sigmas[0]
    queue = list(noises)
    return getattr(k_sampling, name)(
        denoiser, x, sigmas, {}, lambda state: None, lambda now, after: queue.pop(0)
    )


def start() -> torch.Tensor:
    return torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(7))


def run_diffusers(scheduler, sigmas: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
    """Step a diffusers scheduler over the same sigmas, in the space it works in."""
    model = FakeModel()
    scheduler.set_timesteps(len(sigmas) - 1)
    scheduler.sigmas = sigmas
    scheduler.timesteps = timesteps
    x = start() * sigmas[0]
    for index, t in enumerate(scheduler.timesteps):
        sigma = sigmas[index]
        noise = model.apply_model(x / (sigma**2 + 1) ** 0.5, t[None], None)
        scheduler.is_scale_input_called = True
        x = scheduler.step(noise, t, x, return_dict=False)[0]
    return x


@pytest.mark.parametrize(("predicts", "their_name"), [("eps", "epsilon"), ("v", "v_prediction")])
@pytest.mark.parametrize("steps", [4, 20])
def test_euler(k_sampling, steps: int, predicts: str, their_name: str) -> None:
    from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler

    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type=their_name
    )
    denoiser = k_sampling.wrap_model(FakeModel())
    sigmas = denoiser.get_sigmas(steps)
    theirs = run_diffusers(scheduler, sigmas, denoiser.sigma_to_t(sigmas[:-1]))
    assert torch.allclose(run(k_sampling, "sample_euler", steps, predicts=predicts), theirs, atol=2e-4)


def test_noise_levels_are_rounded_on_request(k_sampling) -> None:
    """As A1111 does where its setting asks for it, and Forge always: the nearest one that the model knows."""
    exact, rounded = k_sampling.wrap_model(FakeModel()), k_sampling.wrap_model(FakeModel(), quantize=True)
    levels = exact.t_to_sigma(torch.tensor([0.0, 249.75, 856.2, 998.6, 999.0]))
    assert torch.allclose(
        exact.sigma_to_t(levels), torch.tensor([0.0, 249.75, 856.2, 998.6, 999.0]), atol=1e-2
    )
    assert rounded.sigma_to_t(levels).tolist() == [0, 250, 856, 999, 999]
    assert torch.equal(exact.get_sigmas(8), rounded.get_sigmas(8))


@pytest.mark.parametrize("steps", [4, 20])
def test_heun(k_sampling, steps: int) -> None:
    """Against a plain loop of the textbook rule."""
    denoiser = k_sampling.wrap_model(FakeModel())
    sigmas = denoiser.get_sigmas(steps)
    x = start() * sigmas[0]
    rows = torch.ones(1)
    for now, after in itertools.pairwise(sigmas):
        slope = (x - denoiser(x, now * rows)) / now
        ahead = x + slope * (after - now)
        if after > 0:
            slope = (slope + (ahead - denoiser(ahead, after * rows)) / after) / 2
        x = x + slope * (after - now)
    assert torch.allclose(run(k_sampling, "sample_heun", steps), x, atol=1e-5)


@pytest.mark.parametrize("steps", [6, 20])
def test_dpmpp_2m(k_sampling, steps: int) -> None:
    from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler

    sigmas = k_sampling.get_sigmas_karras(steps, 0.03, 14.6)
    scheduler = DPMSolverMultistepScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        algorithm_type="dpmsolver++",
        solver_order=2,
        lower_order_final=False,
        final_sigmas_type="zero",
        prediction_type="sample",
    )
    scheduler.set_timesteps(steps)
    scheduler.sigmas = sigmas
    denoiser = k_sampling.wrap_model(FakeModel())
    x = start() * sigmas[0] / (sigmas[0] ** 2 + 1) ** 0.5
    for index, t in enumerate(scheduler.timesteps):
        sigma = sigmas[index]
        x0 = denoiser(x * (sigma**2 + 1) ** 0.5, sigma[None])
        last = index == len(scheduler.timesteps) - 1
        # At sigma zero the picture is what the model says.
        x = x0 if last else scheduler.step(x0, t, x, return_dict=False)[0]
    ours = run(k_sampling, "sample_dpmpp_2m", steps, sigmas=sigmas)
    assert torch.allclose(ours, x, atol=2e-4)


def test_euler_ancestral(k_sampling) -> None:
    from diffusers.schedulers import scheduling_euler_ancestral_discrete as module

    steps = 12
    generator = torch.Generator().manual_seed(3)
    noises = [torch.randn(1, 4, 8, 8, generator=generator) for _ in range(steps)]
    denoiser = k_sampling.wrap_model(FakeModel())
    sigmas = denoiser.get_sigmas(steps)
    scheduler = module.EulerAncestralDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"
    )
    queue = list(noises)
    original = module.randn_tensor
    module.randn_tensor = lambda *args, **kwargs: queue.pop(0)
    try:
        theirs = run_diffusers(scheduler, sigmas, denoiser.sigma_to_t(sigmas[:-1]))
    finally:
        module.randn_tensor = original
    assert torch.allclose(run(k_sampling, "sample_euler_ancestral", steps, noises=noises), theirs, atol=2e-4)


def test_karras_sigmas_fall_from_end_to_end(k_sampling) -> None:
    sigmas = k_sampling.get_sigmas_karras(10, 0.03, 14.6)
    assert sigmas[0].item() == pytest.approx(14.6)
    assert sigmas[-2].item() == pytest.approx(0.03)
    assert sigmas[-1].item() == 0.0
    assert (sigmas.diff() < 0).all()
