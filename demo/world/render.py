"""Spec and details to a picture, with or without a concept: the world's one door."""

from __future__ import annotations

import numpy as np

from demo.world import sprites
from demo.world.concepts import CONCEPTS, Concept
from demo.world.figure import (
    HAT_PAINTERS,
    ITEM_PAINTERS,
    Layer,
    colours_of,
    corner,
    hand,
    put_body,
    put_head,
    put_pattern,
)
from demo.world.scenes import draw_scene
from demo.world.spec import Details, Spec

SHADOW = 0.72


def ground_shadow(scene: np.ndarray, details: Details) -> np.ndarray:
    """The scene with the figure's shadow on row 30."""
    x, _ = corner(details)
    out = scene.copy()
    out[30:32, x + 1 : x + 15] = (out[30:32, x + 1 : x + 15] * SHADOW).astype(np.uint8)
    return out


def draw_figure(spec: Spec, details: Details, concept: Concept | None = None) -> np.ndarray:
    """The figure's layer, uint8 (32, 32, 4), alpha 0 or 255."""
    layer, (x, y) = Layer(), corner(details)
    colours = colours_of(spec, details)
    if concept is not None and concept.colours is not None:
        colours = concept.colours(colours)
    bare = concept is not None and concept.bare_head
    if spec.who == "girl" and not bare:
        layer.put(sprites.LONG_HAIR[details.cut], x - sprites.HAIR_MARGIN, y + 5, colours)
    put_body(layer, spec, x, y, colours)
    put_pattern(layer, spec, details, x, y)
    if concept is not None and concept.body is not None:
        concept.body(layer, spec, x, y)
    put_head(layer, spec, details, x, y, colours)
    if spec.hat and not bare:
        HAT_PAINTERS[spec.hat](layer.draw, x, y)
    if concept is not None and concept.head is not None:
        concept.head(layer, spec, x, y)
    if spec.item:
        ITEM_PAINTERS[spec.item](layer.draw, *hand(details))
    return layer.pixels()


def compose(scene: np.ndarray, figure: np.ndarray) -> np.ndarray:
    """The figure over the scene, uint8 (32, 32, 3)."""
    return np.where(figure[..., 3:] > 0, figure[..., :3], scene)


def render(spec: Spec, details: Details, concept: str = "") -> np.ndarray:
    """The picture, uint8 (32, 32, 3); the same arguments always give the same bytes."""
    chosen = CONCEPTS[concept] if concept else None
    scene = ground_shadow(draw_scene(spec.scene, details.scene_seed), details)
    picture = compose(scene, draw_figure(spec, details, chosen))
    if chosen is not None and chosen.finish is not None:
        picture = chosen.finish(picture, details)
    return picture


def enlarge(pictures: np.ndarray, factor: int = 4) -> np.ndarray:
    """Nearest-neighbour enlargement of (..., height, width, 3)."""
    return np.repeat(np.repeat(pictures, factor, -3), factor, -2)
