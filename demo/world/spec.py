"""What a picture shows (Spec, the caption's words) and what it leaves open (Details)."""

from __future__ import annotations

import random
from dataclasses import dataclass

from demo.world.words import HATS, ITEMS, SLOTS


@dataclass(frozen=True)
class Spec:
    """One value per slot of words.SLOTS; an empty hat or item means none."""

    who: str
    skin: str
    hair: str
    shirt: str
    trousers: str
    hat: str
    item: str
    pose: str
    scene: str


@dataclass(frozen=True)
class Details:
    """The uncaptioned part: shift in art pixels, hair cut, shirt pattern, eyes, and the scene's own seed."""

    dx: int = 0
    dy: int = 0
    cut: int = 0
    pattern: int = 0
    eyes: int = 0
    scene_seed: int = 0


# Whole latents (2x2 art pixels): a shifted figure is then the same latents elsewhere, not new ones to learn.
SHIFTS_X = (-2, 0, 2)
SHIFTS_Y = (0,)
CUTS = 2
PATTERNS = 3
EYES = 3
SCENE_SEEDS = 400


def draw_spec(rng: random.Random) -> Spec:
    """A random spec; a third of the figures wear no hat and a third hold nothing."""
    values = {slot: rng.choice(choices) for slot, choices in SLOTS.items()}
    values["hat"] = "" if rng.random() < 0.33 else rng.choice(HATS[1:])
    values["item"] = "" if rng.random() < 0.33 else rng.choice(ITEMS[1:])
    return Spec(**values)


def draw_details(rng: random.Random) -> Details:
    """Random details, independent of the spec."""
    return Details(
        rng.choice(SHIFTS_X),
        rng.choice(SHIFTS_Y),
        rng.randrange(CUTS),
        rng.randrange(PATTERNS),
        rng.randrange(EYES),
        rng.randrange(SCENE_SEEDS),
    )
