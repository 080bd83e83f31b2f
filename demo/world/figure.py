"""The figure as a transparent layer: body, hair, hat and item, placed by the details."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from demo.world import sprites
from demo.world.spec import Details, Spec
from demo.world.words import COLOURS, OUTLINE, SKINS, Colour, shade

LEFT, TOP = 8, 6  # where the figure's 16x25 box stands in the 32x32 picture
BODY = 11  # row of the neck, TRUNK + legs below it
EYES: tuple[Colour, ...] = ((40, 40, 74), (30, 84, 70), (92, 50, 38))
GOLD: Colour = (250, 205, 60)
LEGS: dict[str, tuple[str, ...]] = {
    "standing": sprites.LEGS_STANDING,
    "waving": sprites.LEGS_STANDING,
    "walking": sprites.LEGS_WALKING,
    "sitting": sprites.LEGS_SITTING,
}
Draw = ImageDraw.ImageDraw


class Layer:
    """A transparent 32x32 picture that forgives drawing outside."""

    def __init__(self) -> None:
        self.image = Image.new("RGBA", (32, 32))
        self.draw = ImageDraw.Draw(self.image)

    def put(self, rows: Sequence[str], left: int, top: int, colours: Mapping[str, Colour]) -> None:
        for y, row in enumerate(rows):
            for x, letter in enumerate(row):
                if letter in colours:
                    self.draw.point((left + x, top + y), fill=colours[letter])

    def pixels(self) -> np.ndarray:
        """uint8 (32, 32, 4)."""
        return np.array(self.image)


def corner(details: Details) -> tuple[int, int]:
    """Left and top of the figure's box."""
    return LEFT + details.dx, TOP + details.dy


def colours_of(spec: Spec, details: Details) -> dict[str, Colour]:
    """The sprite letters' colours."""
    hair, shirt, legs, skin = (
        COLOURS[spec.hair],
        COLOURS[spec.shirt],
        COLOURS[spec.trousers],
        SKINS[spec.skin],
    )
    return {
        "o": OUTLINE,
        "h": hair,
        "H": shade(hair, 0.8),
        "y": shade(hair, 1.22),
        "s": skin,
        "S": shade(skin, 0.88),
        "e": EYES[details.eyes],
        "w": (255, 255, 255),
        "c": (244, 142, 132) if spec.skin != "dark" else (176, 92, 74),
        "m": shade(skin, 0.68),
        "t": shirt,
        "T": shade(shirt, 0.78),
        "p": legs,
        "P": shade(legs, 0.78),
        "b": (92, 62, 50),
        "B": (74, 50, 42),
        "l": (212, 214, 226),
        "k": (164, 168, 186),
        "K": (128, 132, 152),
    }


def mirrored(rows: Sequence[str]) -> list[str]:
    """The right arm: the left one turned round and in the shade."""
    return [row[::-1].replace("t", "T").replace("s", "S").replace("a", "g") for row in rows]


def put_body(
    layer: Layer,
    spec: Spec,
    x: int,
    y: int,
    colours: Mapping[str, Colour],
    trunk: Sequence[str] = sprites.TRUNK,
) -> None:
    """Legs, arms and trunk; other suits give other letters for it. The right arm hangs in every pose."""
    if spec.pose == "sitting":
        layer.put(sprites.SEAT, x, y + BODY + 8, colours)
    layer.put(LEGS[spec.pose], x, y + BODY + 6, colours)
    layer.put(trunk, x, y + BODY, colours)
    if spec.pose == "waving":
        layer.put(sprites.ARM_UP, x - 4, y + 5, colours)
    else:
        layer.put(sprites.ARM_DOWN, x, y + BODY + 1, colours)
    layer.put(mirrored(sprites.ARM_DOWN), x + 11, y + BODY + 1, colours)


def put_pattern(layer: Layer, spec: Spec, details: Details, x: int, y: int) -> None:
    """The shirt's own decoration, never captioned: plain, a belt, or a badge."""
    if details.pattern == 1:
        layer.draw.line((x + 5, y + BODY + 5, x + 10, y + BODY + 5), fill=(110, 84, 60))
    elif details.pattern == 2:
        layer.draw.point(
            (x + 6, y + BODY + 2), fill=shade(COLOURS[spec.shirt], 0.6 if spec.shirt != "black" else 2.4)
        )


def put_head(
    layer: Layer, spec: Spec, details: Details, x: int, y: int, colours: Mapping[str, Colour]
) -> None:
    """Face and hair; the fringe is a detail."""
    face = list(sprites.FACE)
    face[sprites.FRINGE_ROW] = sprites.FRINGES[details.cut]
    layer.put(face, x, y, colours)


def hand(details: Details) -> tuple[int, int]:
    """Where the right hand is; every item is drawn from here, so that it looks the same in every pose."""
    x, y = corner(details)
    return x + 14, y + BODY + 5


def sword(d: Draw, x: int, y: int) -> None:
    d.rectangle((x + 1, y - 14, x + 3, y - 3), fill=(214, 226, 240))
    d.line((x + 3, y - 13, x + 3, y - 3), fill=(150, 166, 192))
    d.point((x + 1, y - 14), fill=(150, 166, 192))
    d.rectangle((x - 1, y - 2, x + 5, y - 1), fill=(240, 190, 60))
    d.rectangle((x + 1, y, x + 3, y + 2), fill=(110, 70, 40))


def balloon(d: Draw, x: int, y: int) -> None:
    d.line((x + 2, y - 8, x + 1, y), fill=(244, 244, 244))
    d.ellipse((x - 1, y - 18, x + 7, y - 8), fill=(236, 52, 88))
    d.rectangle((x + 1, y - 16, x + 2, y - 14), fill=(255, 204, 214))


def flower(d: Draw, x: int, y: int) -> None:
    d.rectangle((x + 2, y - 5, x + 3, y + 2), fill=(50, 150, 60))
    d.rectangle((x + 4, y - 1, x + 5, y), fill=(50, 150, 60))
    d.rectangle((x - 1, y - 11, x + 6, y - 6), fill=(255, 128, 200))
    d.rectangle((x, y - 12, x + 5, y - 5), fill=(255, 128, 200))
    d.rectangle((x + 2, y - 10, x + 3, y - 7), fill=(255, 226, 84))


def lantern(d: Draw, x: int, y: int) -> None:
    d.rectangle((x + 1, y - 1, x + 4, y), fill=OUTLINE)
    d.rectangle((x - 1, y + 1, x + 6, y + 9), fill=(72, 56, 56))
    d.rectangle((x, y + 2, x + 5, y + 8), fill=(255, 180, 50))
    d.rectangle((x + 2, y + 4, x + 3, y + 7), fill=(255, 246, 180))


def book(d: Draw, x: int, y: int) -> None:
    d.rectangle((x - 1, y - 5, x + 7, y + 3), fill=(24, 140, 156))
    d.rectangle((x, y - 4, x + 6, y + 2), fill=(250, 244, 226))
    d.line((x + 3, y - 5, x + 3, y + 3), fill=(16, 92, 106))
    for row in (y - 2, y):
        d.line((x + 1, row, x + 2, row), fill=(150, 150, 160))
        d.line((x + 4, row, x + 5, row), fill=(150, 150, 160))


def wizard_hat(d: Draw, x: int, y: int) -> None:
    cone: Colour = (98, 60, 160)
    d.polygon([(x + 7, y - 5), (x + 8, y - 5), (x + 13, y + 2), (x + 2, y + 2)], fill=cone, outline=OUTLINE)
    d.line((x, y + 3, x + 15, y + 3), fill=cone)
    d.line((x, y + 4, x + 15, y + 4), fill=OUTLINE)
    d.line((x + 4, y + 2, x + 11, y + 2), fill=GOLD)
    d.point((x + 7, y - 1), fill=GOLD)


def crown(d: Draw, x: int, y: int) -> None:
    d.rectangle((x + 3, y - 1, x + 12, y + 2), fill=GOLD)
    d.line((x + 3, y + 3, x + 12, y + 3), fill=(184, 132, 30))
    for tip in (3, 4, 7, 8, 11, 12):
        d.line((x + tip, y - 3, x + tip, y - 2), fill=GOLD)
    for gem, colour in ((5, (222, 40, 64)), (8, (60, 180, 90)), (10, (60, 110, 232))):
        d.point((x + gem, y + 1), fill=colour)


def cap(d: Draw, x: int, y: int) -> None:
    teal: Colour = (24, 160, 160)
    d.rectangle((x + 3, y - 2, x + 12, y + 3), fill=teal)
    d.rectangle((x + 2, y, x + 13, y + 3), fill=teal)
    d.line((x + 3, y - 3, x + 12, y - 3), fill=OUTLINE)
    d.rectangle((x + 2, y + 4, x + 16, y + 4), fill=(12, 104, 108))
    d.rectangle((x + 6, y - 1, x + 9, y + 2), fill=(244, 244, 244))


def bunny_ears(d: Draw, x: int, y: int) -> None:
    for ear in (3, 10):
        d.rectangle((x + ear - 1, y - 5, x + ear + 3, y + 2), fill=OUTLINE)
        d.rectangle((x + ear, y - 5, x + ear + 2, y + 2), fill=(250, 248, 250))
        d.line((x + ear + 1, y - 4, x + ear + 1, y + 1), fill=(255, 160, 190))


def straw_hat(d: Draw, x: int, y: int) -> None:
    straw: Colour = (228, 188, 104)
    d.rectangle((x + 4, y - 3, x + 11, y + 1), fill=straw)
    d.line((x + 4, y - 4, x + 11, y - 4), fill=OUTLINE)
    d.rectangle((x + 4, y + 1, x + 11, y + 2), fill=(200, 56, 60))
    d.rectangle((x - 1, y + 3, x + 16, y + 3), fill=straw)
    d.rectangle((x, y + 4, x + 15, y + 4), fill=(176, 132, 66))


HAT_PAINTERS: dict[str, Callable[[Draw, int, int], None]] = {
    "wizard hat": wizard_hat,
    "crown": crown,
    "cap": cap,
    "bunny ears": bunny_ears,
    "straw hat": straw_hat,
}
ITEM_PAINTERS: dict[str, Callable[[Draw, int, int], None]] = {
    "sword": sword,
    "balloon": balloon,
    "flower": flower,
    "lantern": lantern,
    "book": book,
}
