"""What guidance makes of a picture on its way from noise, as an example to learn from.

Guidance overshoots where noise hides the colours: of orange it makes yellow. A painter that has only seen
clean pictures under the noise then takes the yellow for what was meant and paints it. So part of the batch
walks a few steps under its own guidance first, and has to find the way back to the picture from there.
(Exposure bias; Ning et al. 2023 disturb the inputs at random instead.)
"""

from __future__ import annotations

import torch

from demo.train.loop import Dice
from demo.train.models import Painter

START = (0.55, 0.9)  # shares of all times between which a walk begins: colours hidden, composition not quite
STRIDE = (0.04, 0.12)  # of all times; as 8 to 25 steps a picture
STEPS = (1, 2, 3)
GUIDANCE = (3.0, 7.5)


def between(dice: Dice, count: int, span: tuple[float, float]) -> torch.Tensor:
    return span[0] + (span[1] - span[0]) * dice.uniform(count)


def lead_back(
    inputs: torch.Tensor, latents: torch.Tensor, times: torch.Tensor, alphas: torch.Tensor
) -> torch.Tensor:
    """v that leads from noised inputs, wherever they have got to, to the latents."""
    signal, rest = (share.sqrt()[times].view(-1, 1, 1, 1) for share in (alphas, 1 - alphas))
    return (signal * inputs - latents) / rest


@torch.no_grad()
def walk(
    painter: Painter,
    latents: torch.Tensor,
    tokens: torch.Tensor,
    empty: torch.Tensor,
    dice: Dice,
    alphas: torch.Tensor,
    start: tuple[float, float] = START,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and times after some DDIM steps of each latent under guidance, from noise of `start` on.

    tokens, empty: (batch, 77) of the captions and of no words.
    """
    count, last = len(latents), len(alphas)
    context = painter.context(torch.cat([empty, tokens]))
    strength = between(dice, count, GUIDANCE).view(-1, 1, 1, 1)
    times = (between(dice, count, start) * last).long()
    strides = (between(dice, count, STRIDE) * last).long()
    x = torch.cat([alphas[times].sqrt(), (1 - alphas[times]).sqrt()]).view(2, -1, 1, 1, 1)
    x = x[0] * latents + x[1] * dice.normal(*latents.shape)
    for _ in range(dice.words.choice(STEPS)):
        away, towards = painter.unet(torch.cat([x, x]), torch.cat([times, times]), context=context).chunk(2)
        v = away + strength * (towards - away)
        signal, rest = (share.sqrt()[times].view(-1, 1, 1, 1) for share in (alphas, 1 - alphas))
        clean, noise = signal * x - rest * v, rest * x + signal * v
        times = times - strides
        x = (
            alphas[times].sqrt().view(-1, 1, 1, 1) * clean
            + (1 - alphas[times]).sqrt().view(-1, 1, 1, 1) * noise
        )
    return x, times
