"""The base model: UNet and text model together, on latents of freshly drawn pictures.

It answers with v (Salimans and Ho, 2022), not with the noise: where almost all is noise, and the composition
is decided, the noise is known within a hundredth and says next to nothing about the picture, while v is the
picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import torch
import torch.nn.functional as F

from demo.train.art import ArtAutoencoder
from demo.train.attention import lean_attention
from demo.train.guided import START, lead_back, walk
from demo.train.loop import Dice, place_in_team, train
from demo.train.models import Painter, Words, make_alphas
from demo.train.pictures import draw_batch, draw_pool, to_pictures, to_tensor
from demo.train.sampler import sample_latents
from demo.train.settings import Plan, Settings
from demo.train.text import strange_words, with_stranger
from demo.world.captions import full_caption, loose_caption
from demo.world.judge import judge, unseen_specs

EMPTY = 0.1  # share of captions left empty, for classifier-free guidance
FORMS = 1250  # steps for the figure's forms alone; from then on all of it counts as much, for its colours
NOISE_OFFSET = 0.12  # the last alpha is not zero: without it the starting noise's mean tints the picture
SETTLED = 0.4  # share of noise from which on all of a drift is there
JUDGED, JUDGE_EVERY, JUDGE_STEPS = 24, 1000, 12


@dataclass(frozen=True)
class Look:
    """What a stage looks at.

    early: exponent of the evenly spread times; below 1 they fall more often where the composition is decided.
    cap: the largest weight of a latent's own error, reached where little noise is left.
    heavier: how much more the masked places count than the rest.
    calm: where a picture shows through the noise it is answered without its caption too; that answer shall
        be the one with the caption, as guidance multiplies what they differ by; how much that counts.
    guided: share of the batch that walks under guidance first (see guided.py); there the figure counts.
    decided: times below which both answers move towards each other: the caption has nothing to add there to
        what shows, and may be forgotten.
    always: what captions never leave out: of a hand without a word for it nobody knows whether it is empty.
    """

    early: float
    cap: float
    heavier: float
    guided: float = 0.0
    calm: float = 0.0
    decided: int = 0
    always: tuple[str, ...] = ()


COMPOSITION = Look(early=0.7, cap=6.0, heavier=4.0)
ALL = Look(early=1.0, cap=10.0, heavier=2.0)
FIRM = Look(early=1.0, cap=10.0, heavier=2.0, guided=0.5)
CALM = Look(early=1.0, cap=10.0, heavier=2.0, calm=4.0)
KEPT = Look(early=1.0, cap=10.0, heavier=2.0, guided=0.5, calm=4.0, decided=300, always=("hat", "item"))
FIGURE = replace(KEPT, heavier=3.0)
LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "base": COMPOSITION,  # learn what the words mean: mostly where the composition is decided
        "polish": ALL,  # go on with all times and places, for clean colours and scenes
        "finish": FIRM,  # hold a colour that guidance has driven past its mark
        "settle": CALM,  # say the same with and without words once the picture shows
        "keep": KEPT,  # hold the colours to the end: both lessons of the two before at once
        "firm": FIGURE,  # the same with a closer look at the figure: what is small fails first
    }
)
SHOWS = 450  # times below which a picture shows through the noise
FURTHER = (0.4, 0.9)  # where KEPT's walks begin: they end where little noise is left too


def step_weights(alphas: torch.Tensor, cap: float = ALL.cap) -> torch.Tensor:
    """Loss weight by time: an error of v counts 1 + SNR times the latent's own; that is capped."""
    return (cap * (1 - alphas)).clamp(max=1)


def noisy(
    latents: torch.Tensor,
    dice: Dice,
    alphas: torch.Tensor,
    early: float = ALL.early,
    drift: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noised latents, times (spread over the batch) and v, which the painter has to answer.

    With `drift`, like the latents, what is noised lies that far beside them, less where little noise is left;
    v is the one that leads from there to the latents.
    """
    count = len(latents)
    shares = ((torch.arange(count) + dice.uniform(count)) / count) ** early
    times = (shares * len(alphas)).long().clamp(0, len(alphas) - 1)
    noise = dice.normal(*latents.shape) + NOISE_OFFSET * dice.normal(count, 4, 1, 1)
    signal, rest = (share.sqrt()[times].view(-1, 1, 1, 1) for share in (alphas, 1 - alphas))
    if drift is not None:
        inputs = signal * (latents + (rest / SETTLED).clamp(max=1) * drift) + rest * noise
        return inputs, times, lead_back(inputs, latents, times, alphas)
    return signal * latents + rest * noise, times, signal * noise - rest * latents


def latent_scale(art: ArtAutoencoder) -> float:
    """What latents are multiplied by to have a spread of one."""
    with torch.no_grad():
        return 1 / float(art.encode(to_tensor(draw_pool(256, 7)))[0].std())


def weighted_error(
    wanted: torch.Tensor,
    guess: torch.Tensor,
    times: torch.Tensor,
    weights: torch.Tensor,
    places: torch.Tensor | None = None,
) -> torch.Tensor:
    """Squared error, weighted by time and, with `places` (batch, 1, height, width), by place."""
    error = (guess.float() - wanted).pow(2)
    return ((error if places is None else error * places).mean((1, 2, 3)) * weights[times]).mean()


def heavier(masks: torch.Tensor, times: float) -> torch.Tensor:
    """Weights at latent size, mean one a picture: the masked places count more."""
    weights = 1 + (times - 1) * F.max_pool2d(masks, 2)
    return weights / weights.mean((1, 2, 3), keepdim=True)


def only(masks: torch.Tensor) -> torch.Tensor:
    """Weights at latent size, mean one a picture: nothing but the masked places counts."""
    small = F.max_pool2d(masks, 2)
    return small / small.mean((1, 2, 3), keepdim=True)


def judge_now(
    painter: Painter,
    words: Words,
    art: ArtAutoencoder,
    scale: float,
    count: int = JUDGED,
    steps: int = JUDGE_STEPS,
) -> Callable[[int], str]:
    """A report for the loop: now and then, the judge's share by slot on `count` pictures."""
    specs = unseen_specs(count, seed=1)

    def report(step: int) -> str:
        if step % JUDGE_EVERY:
            return ""
        captions = [full_caption(spec) for spec in specs]
        latents = sample_latents(painter, words, captions, range(count), steps)
        with torch.no_grad():
            pictures = to_pictures(art.decode(latents / scale))
        return ", ".join(f"{slot} {share:.2f}" for slot, share in judge(pictures, specs).items())

    return report


def train_stage(
    name: str,
    settings: Settings,
    folder: Path,
    art: ArtAutoencoder,
    painter: Painter,
    stop_after: int | None = None,
) -> Painter:
    """Train (or take up again) one of `LOOKS` and return the painter with its averaged weights.

    The table of token embeddings stays as the text model's warm-up left it: it is a third of all weights.
    """
    plan: Plan = getattr(settings, name)
    look, words, alphas = LOOKS[name], Words(), make_alphas()
    count = plan.batch // place_in_team()[1]
    weights = step_weights(alphas, look.cap)
    strangers, scale = strange_words(words), latent_scale(art)
    table = painter.text.get_input_embeddings().requires_grad_(False)
    lean_attention(painter.unet)

    def loss_of(dice: Dice, step: int) -> torch.Tensor:
        batch = draw_batch(count, dice.words)
        captions = [loose_caption(s, dice.words, always=look.always) for s in batch.specs]
        shown = [
            "" if dice.words.random() < EMPTY else with_stranger(c, dice.words, strangers) for c in captions
        ]
        with torch.no_grad():
            latents = art.encode(batch.pictures)[0] * scale
        tokens = words(shown)
        inputs, times, wanted = noisy(latents, dice, alphas, look.early)
        forms = name == "base" and step < FORMS
        masks = batch.telling() if forms else torch.maximum(batch.telling(), batch.figures())
        places = heavier(masks, look.heavier)
        if some := int(look.guided * count):
            # The times are in order: FIRM's walks take the place of little noise, KEPT's of all by turns.
            walks = slice(0, count, count // some) if look.calm else slice(0, some)
            empty = words([""] * len(times[walks]))
            start = FURTHER if look.calm else START
            walked = walk(painter, latents[walks], tokens[walks], empty, dice, alphas, start)
            inputs[walks], times[walks] = walked
            wanted[walks] = lead_back(walked[0], latents[walks], walked[1], alphas)
            places[walks] = only(batch.figures()[walks])
        low = times < SHOWS
        if not look.calm or not low.any():
            return weighted_error(wanted, painter(inputs, times, tokens), times, weights, places)
        inputs, times, wanted, places = (torch.cat([x, x[low]]) for x in (inputs, times, wanted, places))
        guess = painter(inputs, times, torch.cat([tokens, words([""] * int(low.sum()))]))
        named, silent = guess[:count][low], guess[count:]
        decided = (times[count:] < look.decided).view(-1, 1, 1, 1)
        named = torch.where(decided, named, named.detach())
        apart = weighted_error(named, silent, times[count:], weights * alphas**2, places[count:])
        return weighted_error(wanted, guess, times, weights, places) + look.calm * apart

    report = judge_now(painter, words, art, scale)
    painter.load_state_dict(train(name, plan, painter, loss_of, folder, stop_after, report))
    table.requires_grad_(True)
    return painter
