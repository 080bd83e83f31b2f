"""The base model: UNet and text model together, on latents of freshly drawn pictures."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F

from demo.train.art import ArtAutoencoder
from demo.train.loop import Dice, place_in_team, train
from demo.train.models import Painter, Words, make_alphas
from demo.train.pictures import Batch, draw_batch, draw_pool, to_tensor
from demo.train.settings import Plan, Settings
from demo.train.text import strange_words, with_stranger
from demo.world.captions import loose_caption

EMPTY = 0.1  # share of captions left empty, for classifier-free guidance
FIGURE = 5.0  # how much more the figure counts than the scene in the second stage
TELLING = 12.0  # how much more arms, legs, hair and things held count than the rest in the third
NOISE_OFFSET = 0.12  # the last alpha is not zero: without it the starting noise's mean tints the picture


def step_weights(alphas: torch.Tensor) -> torch.Tensor:
    """Loss weight by time: min-SNR-5 where there is signal, SNR^-0.5 where there is almost none."""
    snr = alphas / (1 - alphas)
    return torch.where(snr > 1, snr.clamp(max=5) / snr, snr.clamp(max=1) ** -0.5)


def noisy(
    latents: torch.Tensor, dice: Dice, alphas: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noised latents, times (spread evenly over the batch) and the noise."""
    count = len(latents)
    times = (
        ((torch.arange(count) + dice.uniform(count)) / count * len(alphas)).long().clamp(0, len(alphas) - 1)
    )
    noise = dice.normal(*latents.shape) + NOISE_OFFSET * dice.normal(count, 4, 1, 1)
    alpha = alphas[times].view(-1, 1, 1, 1)
    return alpha.sqrt() * latents + (1 - alpha).sqrt() * noise, times, noise


def latent_scale(art: ArtAutoencoder) -> float:
    """What latents are multiplied by to have a spread of one."""
    with torch.no_grad():
        return 1 / float(art.encode(to_tensor(draw_pool(256, 7)))[0].std())


def weighted_error(
    noise: torch.Tensor,
    guess: torch.Tensor,
    times: torch.Tensor,
    weights: torch.Tensor,
    places: torch.Tensor | None = None,
) -> torch.Tensor:
    """Squared error, weighted by time and, with `places` (batch, 1, height, width), by place."""
    error = (guess.float() - noise).pow(2)
    return ((error if places is None else error * places).mean((1, 2, 3)) * weights[times]).mean()


def heavier(masks: torch.Tensor, times: float) -> torch.Tensor:
    """Weights at latent size, mean one a picture: the masked places and their edge count more."""
    near = F.max_pool2d(F.max_pool2d(masks, 3, 1, 1), 2)
    weights = 1 + (times - 1) * near
    return weights / weights.mean((1, 2, 3), keepdim=True)


def train_base(
    settings: Settings, folder: Path, art: ArtAutoencoder, painter: Painter, stop_after: int | None = None
) -> Painter:
    """Train (or take up again) and return the painter with its averaged weights."""
    return _train("base", settings.base, folder, art, painter, stop_after)


def train_figure(
    settings: Settings, folder: Path, art: ArtAutoencoder, painter: Painter, stop_after: int | None = None
) -> Painter:
    """Go on from the base, looking at the figure more than at the scene."""
    return _refine("figure", settings.figure, folder, art, painter, stop_after)


def train_detail(
    settings: Settings, folder: Path, art: ArtAutoencoder, painter: Painter, stop_after: int | None = None
) -> Painter:
    """Go on, looking at what tells people, poses and things apart: a few pixels of many, learned last."""
    return _refine("detail", settings.detail, folder, art, painter, stop_after)


def _refine(
    name: str, plan: Plan, folder: Path, art: ArtAutoencoder, painter: Painter, stop_after: int | None
) -> Painter:
    """The table of token embeddings stays as it is: a third of all weights, and long learned."""
    table = painter.text.get_input_embeddings().requires_grad_(False)
    trained = _train(name, plan, folder, art, painter, stop_after)
    table.requires_grad_(True)
    return trained


def _places(name: str, batch: Batch, dice: Dice) -> torch.Tensor | None:
    if name == "figure":
        return heavier(batch.figures(), FIGURE)
    return heavier(batch.telling(dice.words), TELLING) if name == "detail" else None


def _train(
    name: str, plan: Plan, folder: Path, art: ArtAutoencoder, painter: Painter, stop_after: int | None
) -> Painter:
    words, alphas = Words(), make_alphas()
    count = plan.batch // place_in_team()[1]
    weights, strangers, scale = step_weights(alphas), strange_words(words), latent_scale(art)

    def loss_of(dice: Dice, step: int) -> torch.Tensor:
        batch = draw_batch(count, dice.words)
        captions = [loose_caption(s, dice.words) for s in batch.specs]
        shown = [
            "" if dice.words.random() < EMPTY else with_stranger(c, dice.words, strangers) for c in captions
        ]
        with torch.no_grad():
            latents = art.encode(batch.pictures)[0] * scale
        inputs, times, noise = noisy(latents, dice, alphas)
        places = _places(name, batch, dice)
        return weighted_error(noise, painter(inputs, times, words(shown)), times, weights, places)

    painter.load_state_dict(train(name, plan, painter, loss_of, folder, stop_after))
    return painter
