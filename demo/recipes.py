"""Draws docs/pictures/recipes.png, the five recipes of docs/recipes.md, and measures each.

Distances are mean colour distances (0 to 441) to the drawn concept, in the pixels that it changes; "outside"
is the mean distance to the picture without the LoRA in all others, "way" the share of the way to a concept
that a picture went (as `python -m demo.train.measure stacks` has it). Part of `python -m demo.pictures`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from demo.pictures import CELL, FOLDER, INK, LEFT, PAPER, TOP
from demo.tables import markdown, put_table
from demo.train.measure import Target, aim
from demo.world.captions import full_caption
from demo.world.concepts import CONCEPTS
from demo.world.judge import distance, shrink
from demo.world.render import enlarge
from demo.world.spec import Spec

SPECS = (
    Spec("girl", "light", "red", "yellow", "blue", "", "", "standing", "desert"),
    Spec("boy", "tan", "brown", "blue", "black", "", "", "standing", "snow"),
    Spec("girl", "dark", "black", "pink", "green", "", "", "walking", "beach"),
    Spec("boy", "light", "yellow", "purple", "brown", "", "", "waving", "meadow"),
)
SEED = 11
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Shown:
    """One recipe: labelled pictures of the first subject, and what was measured over all of them."""

    title: str
    cells: tuple[tuple[str, Image.Image], ...]
    measured: dict[str, float]


@dataclass(frozen=True)
class Subject:
    """One figure: what is asked for, and its pictures. `studio` is app.studio.Studio."""

    studio: Any
    spec: Spec
    seed: int
    fields: dict[str, Any]

    def draw(self, rows: Rows, words: str = "") -> Image.Image:
        prompt = ", ".join(part for part in (full_caption(self.spec), words) if part)
        picture = self.studio.draw_stack(prompt, rows, seed=self.seed, **self.fields)
        return picture.convert("RGB")

    def target(self, picture: Image.Image, concept: str) -> Target:
        return aim(np.asarray(picture), self.spec, concept)


def art(picture: Image.Image) -> np.ndarray:
    """Art points of a picture, float (32, 32, 3)."""
    return shrink(np.asarray(picture))


def near(picture: Image.Image, target: Target) -> float:
    """Distance to the concept."""
    return float(distance(art(picture), target.after)[target.inside].mean())


def lost(picture: Image.Image, target: Target) -> float:
    """Change of what the concept leaves alone."""
    return float(distance(art(picture), target.before)[target.outside].mean())


def ways(picture: Image.Image, targets: Sequence[Target]) -> list[float]:
    """Share of the way towards each concept."""
    before = targets[0].before
    directions = np.stack([(target.after - before).ravel() for target in targets], 1)
    found = np.linalg.lstsq(directions, (art(picture) - before).ravel(), rcond=None)[0]
    return [float(share) for share in found]


def row(network: str, weight: float, **fields: Any) -> dict[str, Any]:
    return {"network": network, "weight": weight, **fields}


Cells = list[tuple[str, Image.Image]]
Numbers = dict[str, float]


def character(subject: Subject) -> tuple[Cells, Numbers]:
    """A character at rising weights."""
    cells = [
        (f"zorp {weight:g}", subject.draw([row("character/zorp", weight)] if weight else [], "zorp"))
        for weight in (0.0, 0.4, 0.7, 1.0)
    ]
    target = subject.target(cells[0][1], "zorp")
    return cells, {f"distance at {label.split()[1]}": near(picture, target) for label, picture in cells}


def style(subject: Subject) -> tuple[Cells, Numbers]:
    """A style under a character, as strong as advised and too strong."""
    zorp, words = row("character/zorp", 0.7), "zorp, neon style"
    plain = subject.draw([], words)
    cells = [
        ("zorp 0.7", subject.draw([zorp], words)),
        ("+ neon 0.5", subject.draw([zorp, row("style/neon", 0.5)], words)),
        ("+ neon 1.2", subject.draw([zorp, row("style/neon", 1.2)], words)),
    ]
    targets = [subject.target(plain, name) for name in ("zorp", "neon")]
    numbers = {}
    for label, picture in cells:
        of_zorp, of_neon = ways(picture, targets)
        numbers |= {f"way to zorp, {label}": of_zorp, f"way to neon, {label}": of_neon}
    return [("without", plain), *cells], numbers


def concept(subject: Subject) -> tuple[Cells, Numbers]:
    """A concept without and with its trigger words."""
    rows = [row("concept/haunted", 0.8)]
    cells = [
        ("without", subject.draw([])),
        ("only the words", subject.draw([], "haunted")),
        ("haunted 0.8, no words", subject.draw(rows)),
        ("haunted 0.8 and words", subject.draw(rows, "haunted")),
    ]
    target = subject.target(cells[0][1], "haunted")
    return cells, {f"distance, {label}": near(picture, target) for label, picture in cells}


def clothing(subject: Subject) -> tuple[Cells, Numbers]:
    """Clothes at rising weights: above the band the person goes."""
    weights = (0.0, 0.6, 1.0, 1.6)
    cells = [
        (
            f"mecha suit {weight:g}",
            subject.draw([row("clothing/mecha_suit", weight)] if weight else [], "mecha suit"),
        )
        for weight in weights
    ]
    target = subject.target(cells[0][1], "mecha_suit")
    numbers = {}
    for weight, (_, picture) in zip(weights, cells, strict=True):
        numbers |= {
            f"distance at {weight:g}": near(picture, target),
            f"outside at {weight:g}": lost(picture, target),
        }
    return cells, numbers


def object_inside(subject: Subject) -> tuple[Cells, Numbers]:
    """An object by inpainting: the LoRA at 1.1 inside the mask, and nothing outside."""
    before = subject.draw([])
    target = subject.target(before, "mecha_helmet")
    mask = around(target.inside)
    fields = {
        "init_images": [before],
        "mask": Image.fromarray(enlarge(mask[..., None] * np.uint8(255))[..., 0]),
        "mask_blur": 0,
        "inpainting_fill": 1,
        "inpaint_full_res": False,
        "denoising_strength": 0.9,
        **subject.fields,
    }
    words = CONCEPTS["mecha_helmet"].trigger

    def paint(rows: Rows) -> Image.Image:
        return subject.studio.draw_stack(words, rows, seed=subject.seed, **fields).convert("RGB")

    without = paint([])
    inside = paint([row("object/mecha_helmet", 1.1, region="inpaint")])
    change = np.abs(np.asarray(inside, int) - np.asarray(before, int)).max(-1)
    outside = change[~enlarge(mask[..., None])[..., 0]]
    shown = np.asarray(before) // 2 + enlarge(mask[..., None] * np.uint8(127))
    cells = [
        ("before", before),
        ("the mask", Image.fromarray(shown.astype(np.uint8))),
        ("no LoRA", without),
        ("helmet 1.1, inpaint", inside),
    ]
    return cells, {
        "distance before": near(before, target),
        "distance without": near(without, target),
        "distance with": near(inside, target),
        "largest change outside the mask": float(outside.max()),
    }


def around(inside: np.ndarray) -> np.ndarray:
    """The rectangle that somebody would paint: all of `inside` and a point more on each side."""
    rows, columns = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
    mask = np.zeros_like(inside)
    mask[max(rows[0] - 1, 0) : rows[-1] + 2, max(columns[0] - 1, 0) : columns[-1] + 2] = True
    return mask


RECIPES: tuple[tuple[str, str, Callable[[Subject], tuple[Cells, Numbers]]], ...] = (
    ("character", "character", character),
    ("style", "style under\na character", style),
    ("concept", "concept with\ntrigger words", concept),
    ("clothing", "clothing,\nnot too high", clothing),
    ("object", "object by\ninpainting", object_inside),
)


def show(studio: Any, name: str, subjects: int = len(SPECS), **fields: Any) -> Shown:
    """Draw and measure one recipe over so many subjects."""
    _, title, draw = next(found for found in RECIPES if found[0] == name)
    drawn = [draw(Subject(studio, spec, SEED + n, fields)) for n, spec in enumerate(SPECS[:subjects])]
    numbers = [found for _, found in drawn]
    means = {key: round(float(np.mean([one[key] for one in numbers])), 2) for key in numbers[0]}
    return Shown(title, tuple(drawn[0][0]), means)


def labelled(shown: Sequence[Shown]) -> Image.Image:
    """All recipes on one page, each picture under its label."""
    height = CELL + TOP
    page = Image.new("RGB", (LEFT + CELL * max(len(one.cells) for one in shown), height * len(shown)), PAPER)
    pen = ImageDraw.Draw(page)
    for y, one in enumerate(shown):
        pen.multiline_text((8, height * y + height // 2), one.title, fill=INK, anchor="lm")
        for x, (label, picture) in enumerate(one.cells):
            pen.text((LEFT + CELL * x + CELL // 2, height * y + TOP // 2), label, fill=INK, anchor="mm")
            page.paste(picture, (LEFT + CELL * x, height * y + TOP))
    return page.quantize(256, dither=Image.Dither.NONE)


def main(studio: Any) -> None:
    """Draw, measure and write."""
    shown = {name: show(studio, name) for name, _, _ in RECIPES}
    labelled(list(shown.values())).save(FOLDER / "recipes.png", optimize=True)
    measured = {name: one.measured for name, one in shown.items()}
    (FOLDER / "recipes.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    for name, numbers in measured.items():
        put_table("recipes.md", name, markdown(list(numbers), [[f"{value:g}" for value in numbers.values()]]))
