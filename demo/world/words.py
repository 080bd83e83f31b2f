"""What the world can show and the words for it. Every caption is made of these."""

from __future__ import annotations

Colour = tuple[int, int, int]

# Any two lie 97 apart or more: guidance drives a colour onwards, and what is near passes for its neighbour.
COLOURS: dict[str, Colour] = {
    "red": (226, 38, 44),
    "orange": (242, 134, 36),
    "yellow": (255, 226, 70),
    "green": (62, 168, 76),
    "blue": (58, 108, 222),
    "purple": (142, 68, 173),
    "pink": (250, 142, 192),
    "white": (242, 242, 242),
    "black": (28, 28, 40),
    "brown": (134, 84, 48),
}
SKINS: dict[str, Colour] = {"light": (255, 220, 190), "tan": (214, 148, 96), "dark": (122, 74, 46)}
WHO = ("girl", "boy")
POSES = ("standing", "waving", "walking", "sitting")
HATS = ("", "wizard hat", "crown", "cap", "bunny ears", "straw hat")
ITEMS = ("", "sword", "balloon", "flower", "lantern", "book")
SCENES = ("meadow", "forest", "desert", "beach", "snow", "city", "room", "night")
OUTLINE: Colour = (38, 28, 48)

SCENE_WORDS: dict[str, tuple[str, ...]] = {
    "meadow": ("in a meadow", "in a sunny meadow"),
    "forest": ("in a forest", "in the woods"),
    "desert": ("in a desert", "in the desert"),
    "beach": ("on a beach", "at the beach"),
    "snow": ("in the snow", "in snowy mountains"),
    "city": ("in a city", "in the city"),
    "room": ("in a room", "in a cosy room"),
    "night": ("at night", "at night, stars"),
}
FILLER = (
    "masterpiece",
    "best quality",
    "pixel art",
    "cute",
    "detailed",
    "game sprite",
    "full body",
    "high quality",
)

# slot -> its values; the judge and the grids walk through this table
SLOTS: dict[str, tuple[str, ...]] = {
    "who": WHO,
    "skin": tuple(SKINS),
    "hair": tuple(COLOURS),
    "shirt": tuple(COLOURS),
    "trousers": tuple(COLOURS),
    "hat": HATS,
    "item": ITEMS,
    "pose": POSES,
    "scene": SCENES,
}


def shade(colour: Colour, factor: float) -> Colour:
    """The colour lighter or darker by a factor, kept inside 0..255."""
    red, green, blue = (int(max(0, min(255, round(v * factor)))) for v in colour)
    return red, green, blue
