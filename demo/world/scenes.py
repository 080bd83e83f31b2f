"""The backgrounds: 32x32 art, a few variants each, with clutter placed by the seed."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from demo.world.words import Colour

SIZE = 32
Draw = ImageDraw.ImageDraw


def bands(d: Draw, *stops: tuple[int, Colour]) -> None:
    """Fill from the top with flat bands: (first row below, colour)."""
    top = 0
    for end, colour in stops:
        d.rectangle((0, top, 31, end - 1), fill=colour)
        top = end


def side(rng: random.Random, near: int = 0) -> int:
    """A column at the left or right edge, so that clutter rarely hides behind the figure."""
    return rng.choice((rng.randint(near, 4), rng.randint(25, 29 - near)))


def sprinkle(
    d: Draw, rng: random.Random, count: int, rows: tuple[int, int], colours: tuple[Colour, ...]
) -> None:
    for _ in range(count):
        d.point((rng.choice((*range(8), *range(24, 32))), rng.randint(*rows)), fill=rng.choice(colours))


def cloud(d: Draw, x: int, y: int, colour: Colour = (255, 255, 255)) -> None:
    d.rectangle((x, y + 1, x + 6, y + 2), fill=colour)
    d.rectangle((x + 2, y, x + 4, y + 2), fill=colour)


def meadow(d: Draw, rng: random.Random) -> None:
    bands(d, (9, (116, 192, 248)), (16, (148, 210, 252)), (32, (186, 228, 253)))
    shift = rng.randint(-4, 4)
    d.ellipse((-8 + shift, 16, 18 + shift, 40), fill=(122, 202, 110))
    d.ellipse((12 + shift, 18, 42 + shift, 40), fill=(104, 190, 100))
    d.rectangle((0, 24, 31, 31), fill=(90, 178, 84))
    sun, sky = rng.choice(((1, 24), (25, 1)))
    d.rectangle((sun, 2, sun + 5, 7), fill=(255, 228, 98))
    cloud(d, sky, rng.randint(3, 7))
    sprinkle(d, rng, 5, (25, 30), ((255, 120, 150), (255, 240, 120), (255, 255, 255)))


def forest(d: Draw, rng: random.Random) -> None:
    bands(d, (24, (48, 98, 66)), (32, (72, 122, 56)))
    for x in (rng.randint(0, 4), rng.randint(25, 28)):
        d.rectangle((x, 6, x + 3, 26), fill=(92, 62, 40))
        d.line((x, 6, x, 26), fill=(118, 82, 54))
    for x in range(-4, 30, 9):
        y = rng.randint(-7, -4)
        d.ellipse((x, y, x + 12, y + 12), fill=(32, 74, 50))
    sprinkle(d, rng, 5, (25, 30), ((110, 165, 75), (150, 190, 90)))
    if rng.random() < 0.5:
        x = side(rng, 1)
        d.rectangle((x - 1, 27, x + 1, 28), fill=(222, 60, 60))
        d.point((x, 29), fill=(245, 235, 220))


def desert(d: Draw, rng: random.Random) -> None:
    bands(d, (9, (255, 190, 116)), (17, (255, 208, 138)), (32, (255, 224, 166)))
    shift = rng.randint(-4, 4)
    d.ellipse((-8 + shift, 19, 20 + shift, 42), fill=(232, 178, 98))
    d.ellipse((12 + shift, 20, 42 + shift, 44), fill=(218, 162, 86))
    d.rectangle((0, 26, 31, 31), fill=(226, 172, 92))
    sun = rng.choice((2, 25))
    d.rectangle((sun, 3, sun + 4, 7), fill=(255, 248, 206))
    x, green = 27 if sun < 9 else 3, (70, 142, 82)
    top = rng.randint(12, 16)
    d.rectangle((x, top, x + 1, 26), fill=green)
    d.line((x - 2, top + 3, x - 2, top + 6), fill=green)
    d.line((x - 2, top + 6, x + 3, top + 6), fill=green)
    d.line((x + 3, top + 2, x + 3, top + 6), fill=green)


def beach(d: Draw, rng: random.Random) -> None:
    bands(
        d,
        (14, (132, 214, 250)),
        (19, (36, 128, 206)),
        (23, (64, 168, 220)),
        (24, (236, 250, 255)),
        (32, (246, 222, 164)),
    )
    sun = rng.choice((2, 24))
    d.rectangle((sun, 2, sun + 5, 7), fill=(255, 236, 130))
    trunk = 28 if sun < 9 else 2
    d.rectangle((trunk, 12, trunk + 1, 26), fill=(150, 104, 64))
    for x, y in ((-4, 13), (-3, 11), (-1, 10), (1, 10), (3, 11), (4, 13)):
        d.rectangle((trunk + x, y, trunk + x + 1, y + 1), fill=(52, 150, 76))
    sail = trunk - 4 if rng.random() < 0.3 else 31 - trunk - 3
    d.polygon([(sail, 16), (sail + 2, 12), (sail + 3, 16)], fill=(255, 255, 255))
    d.line((sail - 1, 17, sail + 4, 17), fill=(170, 80, 60))
    sprinkle(d, rng, 4, (26, 30), ((255, 150, 150), (226, 196, 132)))


def snow(d: Draw, rng: random.Random) -> None:
    bands(d, (10, (158, 188, 220)), (32, (188, 212, 234)))
    for x, top, colour in ((rng.randint(1, 7), 7, (112, 130, 158)), (rng.randint(24, 30), 5, (98, 116, 146))):
        d.polygon([(x - 11, 24), (x, top), (x + 11, 24)], fill=colour)
        d.polygon([(x - 3, top + 5), (x, top), (x + 3, top + 5)], fill=(255, 255, 255))
    d.rectangle((0, 23, 31, 31), fill=(240, 246, 252))
    sprinkle(d, rng, 8, (1, 20), ((255, 255, 255),))
    if rng.random() < 0.5:
        x = side(rng, 1)
        d.polygon([(x - 3, 27), (x, 16), (x + 3, 27)], fill=(48, 100, 84))


def city(d: Draw, rng: random.Random) -> None:
    bands(d, (12, (250, 176, 150)), (20, (252, 204, 164)), (32, (254, 226, 186)))
    for x, width in ((0, 5), (5, 6), (11, 5), (16, 5), (21, 6), (27, 5)):
        top = rng.randint(4, 11) if x < 9 or x > 20 else rng.randint(12, 16)
        d.rectangle(
            (x, top, x + width - 1, 25), fill=rng.choice(((92, 96, 136), (112, 104, 146), (80, 84, 122)))
        )
        for y in range(top + 2, 23, 3):
            for column in range(x + 1, x + width - 1, 2):
                d.point((column, y), fill=(255, 226, 130) if rng.random() < 0.6 else (70, 72, 108))
    bands_from = 25
    d.rectangle((0, bands_from, 31, 31), fill=(124, 126, 136))
    d.line((0, bands_from, 31, bands_from), fill=(168, 170, 178))
    for x in range(rng.randint(0, 3), 32, 6):
        d.line((x, 29, x + 2, 29), fill=(232, 226, 190))


def room(d: Draw, rng: random.Random) -> None:
    d.rectangle((0, 0, 31, 31), fill=(238, 216, 192))
    for x in range(1, 32, 4):
        d.line((x, 0, x, 22), fill=(228, 202, 176))
    bands_from = 23
    d.rectangle((0, bands_from, 31, 31), fill=(162, 106, 68))
    d.line((0, bands_from, 31, bands_from), fill=(116, 72, 46))
    d.line((0, 27, 31, 27), fill=(142, 92, 58))
    window, other = rng.choice(((1, 25), (24, 1)))
    d.rectangle((window, 5, window + 6, 12), fill=(116, 72, 46))
    d.rectangle(
        (window + 1, 6, window + 5, 11), fill=rng.choice(((150, 210, 250), (250, 190, 140), (60, 66, 120)))
    )
    d.line((window + 3, 6, window + 3, 11), fill=(116, 72, 46))
    thing = rng.randrange(3)
    if thing == 0:
        d.rectangle((other + 1, 20, other + 4, 24), fill=(196, 92, 60))
        d.rectangle((other, 14, other + 5, 19), fill=(70, 150, 80))
    elif thing == 1:
        d.rectangle((other, 12, other + 5, 24), fill=(132, 84, 54))
        for y in (14, 18, 22):
            for x in range(5):
                d.point((other + x, y), fill=rng.choice(((200, 70, 70), (70, 110, 200), (240, 200, 90))))
    else:
        d.rectangle((other, 6, other + 4, 10), fill=(214, 170, 80))
        d.rectangle((other + 1, 7, other + 3, 9), fill=(110, 170, 190))


def night(d: Draw, rng: random.Random) -> None:
    bands(d, (10, (20, 22, 58)), (18, (30, 32, 78)), (32, (46, 44, 100)))
    sprinkle(d, rng, 9, (1, 18), ((250, 245, 200), (200, 210, 255)))
    moon = rng.choice((2, 24))
    d.ellipse((moon, 2, moon + 5, 7), fill=(250, 240, 190))
    if rng.random() < 0.6:
        d.ellipse((moon + 2, 1, moon + 6, 5), fill=(20, 22, 58))
    shift = rng.randint(-4, 4)
    d.ellipse((-10 + shift, 22, 20 + shift, 44), fill=(26, 48, 52))
    d.ellipse((14 + shift, 23, 44 + shift, 44), fill=(22, 42, 48))
    d.rectangle((0, 27, 31, 31), fill=(20, 38, 44))


PAINTERS: dict[str, Callable[[Draw, random.Random], None]] = {
    "meadow": meadow,
    "forest": forest,
    "desert": desert,
    "beach": beach,
    "snow": snow,
    "city": city,
    "room": room,
    "night": night,
}


def draw_scene(name: str, seed: int) -> np.ndarray:
    """The background as uint8 (32, 32, 3)."""
    image = Image.new("RGB", (SIZE, SIZE))
    PAINTERS[name](ImageDraw.Draw(image), random.Random(f"{name} {seed}"))
    return np.array(image)
