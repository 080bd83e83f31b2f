"""Says what a picture shows, by drawing the alternatives and comparing: no trained network involved.

For each slot every value is drawn in place of the asked one, at the shift and cut that fit best, and the
value whose drawing is nearest wins. Only pixels in which the alternatives differ are compared, so one slot's
fault does not count against another. Where an alternative is transparent, the best
fitting background shows through.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product

import numpy as np

from demo.world.render import compose, draw_figure, ground_shadow
from demo.world.scenes import draw_scene
from demo.world.spec import CUTS, SHIFTS_X, SHIFTS_Y, Details, Spec, draw_spec
from demo.world.words import SCENES, SLOTS

VARIANTS = 60  # backgrounds drawn per scene to look the real one up in
FIGURE_SLOTS = tuple(slot for slot in SLOTS if slot != "scene")


def shrink(picture: np.ndarray) -> np.ndarray:
    """(128, 128, 3) or (32, 32, 3) to float art (32, 32, 3)."""
    factor = picture.shape[0] // 32
    return picture.astype(np.float32).reshape(32, factor, 32, factor, 3).mean((1, 3))


@lru_cache(maxsize=1)
def backgrounds() -> dict[str, np.ndarray]:
    """Per scene (VARIANTS, 32, 32, 3) float."""
    return {
        name: np.stack([draw_scene(name, 1000 + n) for n in range(VARIANTS)]).astype(np.float32)
        for name in SCENES
    }


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Per pixel colour distance, so that one wild pixel counts once."""
    return np.sqrt(((a - b) ** 2).sum(-1))


def find_scene(art: np.ndarray, figure: np.ndarray) -> tuple[str, np.ndarray]:
    """The scene and its nearest drawn variant, looking past the figure."""
    free = figure[..., 3] == 0
    scores = {name: distance(bank[:, free], art[free]).mean(1) for name, bank in backgrounds().items()}
    name = min(scores, key=lambda key: float(scores[key].min()))
    return name, backgrounds()[name][int(scores[name].argmin())]


def place_figure(art: np.ndarray, spec: Spec) -> Details:
    """The shift and hair cut at which the asked figure fits best; other details stay at their first value."""
    best, found = np.inf, Details()
    for dx, dy, cut in product(SHIFTS_X, SHIFTS_Y, range(CUTS)):
        details = Details(dx, dy, cut)
        figure = draw_figure(spec, details)
        solid = figure[..., 3] > 0
        score = float(distance(figure[solid][:, :3], art[solid]).mean())
        if score < best:
            best, found = score, details
    return found


def read_slot(art: np.ndarray, spec: Spec, slot: str, details: Details, scene: np.ndarray) -> str:
    """The value of one figure slot that explains the picture best."""
    drawn = [compose(scene, draw_figure(replace(spec, **{slot: value}), details)) for value in SLOTS[slot]]
    stack = np.stack(drawn).astype(np.float32)
    differs = (stack.max(0) != stack.min(0)).any(-1)
    return SLOTS[slot][int(distance(stack[:, differs], art[differs]).mean(1).argmin())]


def read_picture(picture: np.ndarray, spec: Spec) -> dict[str, str]:
    """What the picture shows in every slot, given what was asked of the others."""
    art = shrink(picture)
    details = place_figure(art, spec)
    scene, background = find_scene(art, draw_figure(spec, details))
    ground = ground_shadow(background, details)
    return {**{slot: read_slot(art, spec, slot, details, ground) for slot in FIGURE_SLOTS}, "scene": scene}


def judge(pictures: Sequence[np.ndarray], specs: Sequence[Spec]) -> dict[str, float]:
    """Share of pictures that show what was asked, by slot."""
    seen = [read_picture(picture, spec) for picture, spec in zip(pictures, specs, strict=True)]
    return {
        slot: sum(s[slot] == getattr(spec, slot) for s, spec in zip(seen, specs, strict=True)) / len(specs)
        for slot in SLOTS
    }


def unseen_specs(count: int, seed: int = 4242) -> list[Spec]:
    """Specs for judging; drawn apart from the training's."""
    rng = random.Random(f"judge {seed}")
    return [draw_spec(rng) for _ in range(count)]
