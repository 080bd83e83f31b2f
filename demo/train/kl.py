"""The shipped autoencoder, in SD1's KL-f8 layout, taught the art autoencoder's latent space.

It is trained on the 32x32 art as the inner half of the network, then lifted: the two outer levels are
pass-throughs (their residual blocks add nothing, their samplers average and repeat), so 128x128 pictures go
through exactly as the art would, with square pixels, at a sixteenth of the training cost.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from demo.train.art import ArtAutoencoder
from demo.train.loop import Dice, train
from demo.train.models import KL, Autoencoder
from demo.train.pictures import draw_pool, psnr, to_tensor
from demo.train.settings import Settings

INNER = {**KL, "resolution": 32, "ch_mult": KL["ch_mult"][2:]}
OUTER = 2  # levels that only pass through
LOG_VARIANCE = -6.0  # what the encoder says of its own certainty, at the art autoencoder's scale
NOISE = 0.3  # the decoder must forgive this much error in a latent, as a sampler makes it


def centre_only(conv: nn.Conv2d) -> None:
    """Keep a 3x3 convolution a 1x1 one: enlarged pixels then answer as the art does."""
    mask = torch.zeros_like(conv.weight)
    mask[:, :, 1, 1] = 1
    with torch.no_grad():
        conv.weight.mul_(mask)
    conv.weight.register_hook(lambda gradient: gradient * mask)


def make_inner() -> Autoencoder:
    """The half that learns."""
    inner = Autoencoder(INNER)
    centre_only(inner.encoder.conv_in)
    centre_only(inner.decoder.conv_out)
    with torch.no_grad():
        inner.quant_conv.weight[4:] = 0
        inner.quant_conv.bias[4:] = LOG_VARIANCE
    return inner


def pass_through(conv: nn.Conv2d, taps: tuple[tuple[int, int], ...]) -> None:
    """Make a convolution hand every channel on: the mean of the given taps."""
    with torch.no_grad():
        conv.weight.zero_()
        conv.bias.zero_()
        for channel in range(conv.weight.shape[0]):
            for y, x in taps:
                conv.weight[channel, channel, y, x] = 1 / len(taps)


def lift(inner: Autoencoder) -> Autoencoder:
    """The same function on pictures four times as large: inner levels copied, the outer pass through."""
    outer = Autoencoder(KL)
    for half in (outer.encoder, outer.decoder):
        for block in half.modules():
            if type(block).__name__ == "ResnetBlock":
                nn.init.zeros_(block.conv2.weight)
                nn.init.zeros_(block.conv2.bias)
    for level in range(OUTER):
        pass_through(outer.encoder.down[level].downsample.conv, ((0, 0), (0, 1), (1, 0), (1, 1)))
        pass_through(outer.decoder.up[level + 1].upsample.conv, ((1, 1),))
    own = outer.state_dict()
    for name, value in inner.state_dict().items():
        half, part, *rest = name.split(".")
        if part in ("down", "up"):
            rest[0] = str(int(rest[0]) + OUTER)
        own[".".join((half, part, *rest))] = value
    outer.load_state_dict(own)
    return outer


def train_kl(
    settings: Settings, folder: Path, art: ArtAutoencoder, stop_after: int | None = None
) -> Autoencoder:
    """Train the inner half (or take it up again) and return it lifted, at the art latents' scale."""
    torch.manual_seed(settings.kl.seed)
    inner, plan = make_inner(), settings.kl
    pool, unseen = to_tensor(draw_pool(settings.pool, 5)), to_tensor(draw_pool(48, 99))
    with torch.no_grad():
        latents = torch.cat([art.encode(part)[0] for part in pool.split(200)])

    def loss_of(dice: Dice, step: int) -> torch.Tensor:
        chosen = torch.randint(0, len(pool), (plan.batch,), generator=dice.tensors)
        pictures, wanted = pool[chosen], latents[chosen]
        noise = dice.uniform(plan.batch, 1, 1, 1) * NOISE * dice.normal(*wanted.shape)
        error = inner.decode(wanted + noise) - pictures
        loss = 3 * error.pow(2).mean() + 0.5 * error.abs().mean()
        if step % 2 == 0:
            loss = loss + 0.3 * (inner.moments(pictures)[0] - wanted).pow(2).mean()
        return loss

    def report(step: int) -> str:
        with torch.no_grad():
            of_art = psnr(inner.decode(art.encode(unseen)[0]).clamp(-1, 1), unseen)
            whole = psnr(inner.decode(inner.moments(unseen)[0]).clamp(-1, 1), unseen)
        return f"decode {of_art:.2f} dB, encode and decode {whole:.2f} dB"

    inner.load_state_dict(train("kl", plan, inner, loss_of, folder, stop_after, report))
    return lift(inner).requires_grad_(False).eval()
