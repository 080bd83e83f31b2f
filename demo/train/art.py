"""The art autoencoder: 32x32 art to 16x16x4 latents. It finds the latent space and is not shipped.

A picture at 128x128 is 16 times redundant, so the latent space is found on the art itself, 16 times cheaper;
kl.py then teaches it to a network in SD1's layout.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from demo.train.loop import Dice, train
from demo.train.pictures import draw_pool, psnr, to_tensor
from demo.train.settings import Settings

WIDTH = 96
NOISE = 0.06  # least spread of a latent while training: the UNet will not hit them exactly


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.out(F.silu(self.conv(F.silu(self.norm(x)))))


class ArtAutoencoder(nn.Module):
    """Pixel unshuffle, a few residual blocks, four latent channels, and back."""

    def __init__(self) -> None:
        super().__init__()
        blocks = [Residual(WIDTH) for _ in range(5)]
        self.down = nn.Sequential(nn.Conv2d(12, WIDTH, 1), *blocks[:2], nn.SiLU(), nn.Conv2d(WIDTH, 8, 1))
        self.up = nn.Sequential(
            nn.Conv2d(4, WIDTH, 3, padding=1), *blocks[2:], nn.SiLU(), nn.Conv2d(WIDTH, 12, 1)
        )

    def encode(self, art: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, log_variance = self.down(F.pixel_unshuffle(art, 2)).chunk(2, 1)
        return mean, log_variance.clamp(-12, 4)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        return F.pixel_shuffle(self.up(latents), 2)


def train_art(settings: Settings, folder: Path, stop_after: int | None = None) -> ArtAutoencoder:
    """Train (or take up again) and return the averaged network, frozen."""
    torch.manual_seed(settings.art.seed)
    model, plan = ArtAutoencoder(), settings.art
    pool = to_tensor(draw_pool(settings.pool, 5))
    unseen = to_tensor(draw_pool(64, 99))

    def loss_of(dice: Dice, step: int) -> torch.Tensor:
        art = pool[torch.randint(0, len(pool), (plan.batch,), generator=dice.tensors)]
        mean, log_variance = model.encode(art)
        noise = (log_variance.exp() + NOISE**2).sqrt() * dice.normal(*mean.shape)
        error = model.decode(mean + noise) - art
        kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean()
        return 3 * error.pow(2).mean() + 0.5 * error.abs().mean() + 2e-3 * kl

    def report(step: int) -> str:
        with torch.no_grad():
            return f"{psnr(model.decode(model.encode(unseen)[0]).clamp(-1, 1), unseen):.2f} dB"

    model.load_state_dict(train("art", plan, model, loss_of, folder, stop_after, report))
    return model.requires_grad_(False).eval()
