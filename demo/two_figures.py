"""Draws docs/pictures/regions.png, two LoRAs left and right in one picture, and measures each half's colours.

The model draws 128×128; twice as wide it draws two figures of one prompt. A half's colour is the share of its
points (in percent) that lie near the alien's green, or near the suit's steel, light or shaded, and its glow.
Part of `python -m demo.pictures`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from demo.pictures import FOLDER, INK, LEFT, PAPER
from demo.tables import markdown, put_table
from demo.world.concepts import ALIEN, GLOW, STEEL
from demo.world.words import Colour

PROMPT = "a girl, light skin, red hair, purple shirt, black trousers, standing, in a desert"
SEEDS = (2, 8, 15, 16, 11, 23)  # a figure stands in each half, with the rows too
SHOWN = 3
LEFT_HALF, RIGHT_HALF = "box:0,0,0.5,1", "box:0.5,0,0.5,1"
ALIEN_LEFT = {"network": "character/zorp", "region": LEFT_HALF}
SUIT_RIGHT = {"network": "clothing/mecha_suit", "region": RIGHT_HALF}
SHADED: Colour = (124, 136, 156)  # the suit where no light falls on it
NEAR = 45.0  # colour distance, 0 to 441
COLOURS: dict[str, tuple[Colour, ...]] = {"alien": (ALIEN,), "suit": (STEEL, SHADED, GLOW)}

Rows = list[dict[str, Any]]
WAYS: tuple[tuple[str, Rows], ...] = (
    ("without", []),
    ("both everywhere", [{"network": "character/zorp"}, {"network": "clothing/mecha_suit"}]),
    ("each in its half", [ALIEN_LEFT, SUIT_RIGHT]),
    ("each in its half,\ntext encoder 0", [{**ALIEN_LEFT, "te": 0}, {**SUIT_RIGHT, "te": 0}]),
)


@dataclass(frozen=True)
class Seen:
    """One way's pictures, and of every colour the percentage in the left and in the right half."""

    pictures: tuple[Image.Image, ...]
    shares: dict[str, tuple[float, float]]


def see(studio: Any, rows: Rows, seeds: tuple[int, ...] = SEEDS, **fields: Any) -> Seen:
    """Draw one way and measure its colours. `studio` is app.studio.Studio."""
    pictures = tuple(
        studio.draw_stack(PROMPT, rows, seed=seed, **{"width": 256, "height": 128, **fields}).convert("RGB")
        for seed in seeds
    )
    points = np.stack([halves(picture) for picture in pictures])
    shares = {}
    for name, colours in COLOURS.items():
        near = np.min([np.sqrt(((points - colour) ** 2).sum(-1)) for colour in colours], 0) < NEAR
        left, right = (100 * near.mean((0, 2, 3))).round(1)
        shares[name] = float(left), float(right)
    return Seen(pictures, shares)


def halves(picture: Image.Image) -> np.ndarray:
    """Art points of the two halves, float (2, 32, 32, 3)."""
    art = np.asarray(picture, np.float32).reshape(32, 4, 2, 32, 4, 3).mean((1, 4))
    return art.swapaxes(0, 1)


def main(studio: Any) -> None:
    """Draw, measure and write."""
    width, height = 256, 128
    page = Image.new("RGB", (LEFT + width * SHOWN, height * len(WAYS)), PAPER)
    pen, measured = ImageDraw.Draw(page), {}
    for y, (label, rows) in enumerate(WAYS):
        seen = see(studio, rows)
        measured[label.replace("\n", " ")] = seen.shares
        pen.multiline_text((8, height * y + height // 2), label, fill=INK, anchor="lm")
        for x, picture in enumerate(seen.pictures[:SHOWN]):
            page.paste(picture, (LEFT + width * x, height * y))
        print(label.replace("\n", " "), seen.shares, flush=True)
    page.quantize(256, dither=Image.Dither.NONE).save(FOLDER / "regions.png", optimize=True)
    (FOLDER / "regions.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    head = ["", *(f"{name}, {half}" for name in COLOURS for half in ("left", "right"))]
    rows = [[way, *(share for pair in shares.values() for share in pair)] for way, shares in measured.items()]
    put_table("aiming.md", "regions", markdown(head, rows))
