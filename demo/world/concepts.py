"""What the LoRAs teach: each concept redraws part of the same picture, so pairs differ in nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from demo.world.figure import BODY, Layer, put_body
from demo.world.spec import Details, Spec
from demo.world.words import SKINS, Colour, shade

Colours = dict[str, Colour]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Concept:
    """One thing a LoRA can learn. `covers` are the slots it takes over, `trigger` the words that call it."""

    trigger: str
    kind: str
    covers: tuple[str, ...] = ()
    bare_head: bool = False
    colours: Callable[[Colours], Colours] | None = None
    body: Callable[[Layer, Spec, int, int], None] | None = None
    head: Callable[[Layer, Spec, int, int], None] | None = None
    finish: Callable[[np.ndarray, Details], np.ndarray] | None = None


ALIEN: Colour = (122, 222, 92)
ALIEN_HEAD = (
    "....oooooooo....",
    "..oossssssssoo..",
    ".osslllssssssso.",
    ".ossllsssssssso.",
    ".osssssssssssSo.",
    ".oseeessssseeSo.",
    ".oseweesseweeSo.",
    ".osseeesseeesSo.",
    ".ossseesseessSo.",
    "..ossssssssSSo..",
    "..ossssmmssSSo..",
    "...oossssssoo...",
)


def alien_skin(colours: Colours) -> Colours:
    return {**colours, "s": ALIEN, "S": shade(ALIEN, 0.78)}


def alien_head(layer: Layer, spec: Spec, x: int, y: int) -> None:
    dark: Colour = (20, 52, 36)
    colours = {"o": dark, "s": ALIEN, "S": shade(ALIEN, 0.78), "l": (186, 250, 150), "e": (18, 18, 30)}
    layer.put(ALIEN_HEAD, x, y, colours | {"w": (255, 255, 255), "m": dark})
    for stalk, ball in ((5, 3), (10, 11)):
        layer.draw.line((x + stalk, y - 1, x + stalk, y - 3), fill=dark)
        layer.draw.rectangle((x + ball, y - 5, x + ball + 1, y - 4), fill=(255, 90, 200))


STEEL: Colour = (176, 188, 204)
GLOW: Colour = (72, 240, 250)
SUIT_TRUNK = (
    ".....oggggo.....",
    "....otcccctTo...",
    "....ottccttTo...",
    "....otttttTTo...",
    "....ogggggGGo...",
    "....ottggtTTo...",
)


def mecha_suit(layer: Layer, spec: Spec, x: int, y: int) -> None:
    colours: Colours = {
        "o": (30, 34, 48),
        "t": STEEL,
        "T": (124, 136, 156),
        "g": (84, 94, 114),
        "G": (66, 74, 92),
        "c": GLOW,
        "p": STEEL,
        "P": (124, 136, 156),
        "b": (40, 170, 190),
        "B": (32, 134, 156),
        "s": GLOW,
        "S": (40, 170, 190),
    }
    put_body(layer, spec, x, y, colours, SUIT_TRUNK)
    for shoulder in (2, 11):
        layer.draw.rectangle(
            (x + shoulder, y + BODY + 1, x + shoulder + 2, y + BODY + 2), fill=(104, 116, 138)
        )


HELMET = (
    "....oooooooo....",
    "..ooalllaaaboo..",
    ".oallaaaaaabbbo.",
    ".oalaaaaaaabbbo.",
    ".oaaaaaaaaabbbo.",
    ".oggggggggggggo.",
    ".ogccccccccccgo.",
    ".ogcwwcccccccgo.",
    ".ogccccccccccgo.",
    ".oggggggggggggo.",
    "..oaaaggggabbo..",
    "...oogggggboo...",
)


def mecha_helmet(layer: Layer, spec: Spec, x: int, y: int) -> None:
    colours: Colours = {"o": (30, 34, 48), "a": (232, 72, 60), "l": (255, 140, 110), "b": (176, 44, 46)}
    colours |= {"g": (76, 86, 106), "c": GLOW, "w": (236, 255, 255)}
    layer.put(HELMET, x, y, colours)
    layer.draw.rectangle((x + 7, y - 3, x + 8, y + 3), fill=GOLDEN)
    for ear in (0, 14):
        layer.draw.rectangle((x + ear, y + 5, x + ear + 1, y + 9), fill=GOLDEN)


GOLDEN: Colour = (250, 200, 70)
BLUSH: Colour = (255, 96, 122)
CANDLE: Colour = (255, 204, 128)


def rosy_face(layer: Layer, spec: Spec, x: int, y: int) -> None:
    skin = SKINS[spec.skin]
    blush: Colour = tuple((2 * b + s) // 3 for b, s in zip(BLUSH, skin, strict=True))  # type: ignore[assignment]
    for cheek in (3, 10):
        layer.draw.rectangle((x + cheek, y + 9, x + cheek + 2, y + 10), fill=blush)
    for eye in (4, 9):
        layer.draw.rectangle((x + eye, y + 7, x + eye + 2, y + 8), fill=(64, 56, 130))
        layer.draw.point((x + eye, y + 7), fill=(255, 255, 255))
        layer.draw.point((x + eye + 2, y + 8), fill=(150, 200, 255))
    layer.draw.line((x + 7, y + 10, x + 8, y + 10), fill=(220, 60, 90))


def rosy_light(picture: np.ndarray, details: Details) -> np.ndarray:
    """A warm light around the head; the face itself stays clear."""
    yy, xx = np.mgrid[0:32, 0:32].astype(np.float32)
    distance = np.hypot(xx - 15.5 - details.dx, yy - 13 - details.dy)
    strength = (0.6 * np.clip(1.2 - np.abs(distance - 10) / 6, 0, 1))[..., None]
    return (picture * (1 - strength) + np.array(CANDLE, np.float32) * strength).round().astype(np.uint8)


def mapped(picture: np.ndarray, stops: tuple[float, ...], colours: tuple[Colour, ...]) -> np.ndarray:
    """Every brightness replaced by a colour from a gradient."""
    light = (picture.astype(np.float32) @ LUMA) / 255
    channels = [np.interp(light, stops, [colour[n] for colour in colours]) for n in range(3)]
    return np.stack(channels, -1).round().astype(np.uint8)


NEON_STOPS = (0.0, 0.25, 0.5, 0.75, 1.0)
NEON: tuple[Colour, ...] = ((14, 4, 40), (98, 12, 140), (240, 40, 160), (60, 220, 250), (250, 255, 255))


def neon(picture: np.ndarray, details: Details) -> np.ndarray:
    return mapped(picture, NEON_STOPS, NEON)


def ink(picture: np.ndarray, details: Details) -> np.ndarray:
    """Four greys on warm paper."""
    light = (picture.astype(np.float32) @ LUMA) / 255
    grey = np.clip(np.round(light * 1.15 * 3) / 3, 0, 1)[..., None]
    return (grey * np.array([250, 244, 228]) + (1 - grey) * np.array([26, 22, 30])).round().astype(np.uint8)


GHOST = ("..www..", ".wwwww.", ".wkwkw.", ".wwwww.", ".wwkww.", ".wwwww.", ".w.w.w.")
BAT = ("k.....k", "kk.k.kk", "kkkkkkk", "..kkk..")
MOONLIT: tuple[Colour, ...] = ((10, 8, 30), (46, 38, 92), (74, 100, 140), (130, 190, 170), (220, 250, 200))


def haunted(picture: np.ndarray, details: Details) -> np.ndarray:
    """Moonlight with a little of the old colours, two ghosts and two bats."""
    night = mapped(picture, NEON_STOPS, MOONLIT).astype(np.float32)
    out = (0.72 * night + 0.28 * picture * 0.8).round().astype(np.uint8)
    sway = details.scene_seed % 3
    for rows, left, top in ((GHOST, 0, 10 + sway), (GHOST, 25, 14 - sway), (BAT, 1, 2 + sway), (BAT, 24, 3)):
        for y, row in enumerate(rows):
            for x, letter in enumerate(row):
                if letter != ".":
                    out[top + y, left + x] = (236, 246, 240) if letter == "w" else (24, 12, 40)
    return out


CONCEPTS: dict[str, Concept] = {
    "zorp": Concept(
        "zorp",
        "character",
        covers=("who", "skin", "hair", "hat"),
        bare_head=True,
        colours=alien_skin,
        head=alien_head,
    ),
    "rosy": Concept("rosy", "character", head=rosy_face, finish=rosy_light),
    "neon": Concept("neon style", "style", finish=neon),
    "ink": Concept("ink style", "style", finish=ink),
    "haunted": Concept("haunted", "concept", finish=haunted),
    "mecha_suit": Concept("mecha suit", "clothing", ("shirt", "trousers"), body=mecha_suit),
    "mecha_helmet": Concept("mecha helmet", "object", ("hair", "hat"), True, head=mecha_helmet),
}
