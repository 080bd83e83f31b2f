"""Draws the pictures of README.md and docs/ through the extension in the demo host, and measures them.

    python -m demo.pictures                                   writes docs/pictures/*.png and *.json
    python -m demo.pictures sliders stacks recipes regions    or some of them

The effect of a weight is the mean difference of all colour values (0 to 255) to the picture without the LoRA.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
WEIGHTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2)
CELL, LEFT, TOP = 128, 120, 22
PAPER, INK = (255, 255, 255), (40, 40, 50)


@dataclass(frozen=True)
class Subject:
    """What shows a LoRA well: a prompt without its trigger words, the words, and a seed."""

    network: str
    prompt: str
    words: str
    seed: int


SUBJECTS = (
    Subject("character/zorp", "purple shirt, blue trousers, waving, on a beach", "zorp", 3),
    Subject(
        "character/rosy",
        "a girl, light skin, pink hair, white shirt, blue trousers, standing, in a meadow",
        "rosy",
        2,
    ),
    Subject(
        "style/neon",
        "a boy, tan skin, yellow hair, green shirt, black trousers, wearing a crown, standing, in a city",
        "neon style",
        8,
    ),
    Subject(
        "style/ink",
        "a girl, light skin, black hair, red shirt, blue trousers, holding a sword, walking, in the snow",
        "ink style",
        4,
    ),
    Subject(
        "concept/haunted",
        "a girl, light skin, orange hair, purple shirt, black trousers, standing, in a forest",
        "haunted",
        6,
    ),
    Subject(
        "clothing/mecha_suit",
        "a girl, light skin, red hair, yellow shirt, blue trousers, walking, in a meadow",
        "mecha suit",
        5,
    ),
    Subject(
        "object/mecha_helmet",
        "a boy, tan skin, brown hair, blue shirt, black trousers, standing, in a desert",
        "mecha helmet",
        7,
    ),
)
STACK_PROMPT = "a girl, light skin, red hair, yellow shirt, blue trousers, waving, in a meadow"
STACKS = (
    ("plain", {}),
    ("mecha suit 0.75", {"clothing/mecha_suit": 0.75}),
    ("neon 0.5", {"style/neon": 0.5}),
    ("mecha suit 0.75 + neon 0.5", {"clothing/mecha_suit": 0.75, "style/neon": 0.5}),
    ("zorp 0.7 + ink 0.5", {"character/zorp": 0.7, "style/ink": 0.5}),
    (
        "zorp 0.7 + mecha suit 0.75 + neon 0.5",
        {"character/zorp": 0.7, "clothing/mecha_suit": 0.75, "style/neon": 0.5},
    ),
)


def sheet(rows: list[tuple[str, list[Image.Image]]], columns: list[str]) -> Image.Image:
    """Pictures in a grid with labels at the left and above."""
    width = LEFT + CELL * max(len(cells) for _, cells in rows)
    page = Image.new("RGB", (width, TOP + CELL * len(rows)), PAPER)
    pen = ImageDraw.Draw(page)
    for x, label in enumerate(columns):
        pen.text((LEFT + CELL * x + CELL // 2, TOP // 2), label, fill=INK, anchor="mm")
    for y, (label, cells) in enumerate(rows):
        lines = label.replace(" + ", "\n+ ")
        pen.multiline_text((8, TOP + CELL * y + CELL // 2), lines, fill=INK, anchor="lm")
        for x, cell in enumerate(cells):
            page.paste(cell, (LEFT + CELL * x, TOP + CELL * y))
    return page.quantize(256, dither=Image.Dither.NONE)  # a third of the size, and nobody can tell


def effects(cells: list[Image.Image]) -> list[float]:
    """Mean difference of each picture to the first."""
    arrays = [np.asarray(cell.convert("RGB"), float) for cell in cells]
    return [round(float(np.abs(array - arrays[0]).mean()), 2) for array in arrays]


def open_studio(models: Path | None = None, argv: Sequence[str] = ()) -> Any:
    """Boot the demo host without a page, with its own model or that of a folder like demo/models."""
    sys.path.insert(0, str(ROOT / "demo"))
    from app.studio import Studio

    if models is not None:
        checkpoint = models / "checkpoint" / "tiny.safetensors"
        argv = [*argv, "--checkpoint", str(checkpoint), "--lora-dir", str(models / "lora")]
    return Studio(list(argv))


def draw_sliders(studio: Any) -> None:
    """Every LoRA at rising weights, and the effect of each."""
    rows, measured = [], {}
    for subject in SUBJECTS:
        prompt = f"{subject.prompt}, {subject.words}"
        cells = [studio.draw(prompt, {subject.network: w} if w else {}, seed=subject.seed) for w in WEIGHTS]
        rows.append((subject.network, cells))
        measured[subject.network] = dict(zip(map(str, WEIGHTS), effects(cells), strict=True))
    sheet(rows, [f"{weight:g}" for weight in WEIGHTS]).save(FOLDER / "sliders.png", optimize=True)
    (FOLDER / "effect.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def draw_stacks(studio: Any) -> None:
    """Several LoRAs together."""
    rows = [
        (label, [studio.draw(STACK_PROMPT, stack, seed=seed) for seed in range(5, 10)])
        for label, stack in STACKS
    ]
    sheet(rows, [f"seed {seed}" for seed in range(5, 10)]).save(FOLDER / "stacks.png", optimize=True)


def main() -> None:
    """Draw, measure and write what is wanted, or all."""
    from demo import recipes, two_figures

    known = {
        "sliders": draw_sliders,
        "stacks": draw_stacks,
        "recipes": recipes.main,
        "regions": two_figures.main,
    }
    parser = argparse.ArgumentParser(prog="python -m demo.pictures", description=__doc__)
    parser.add_argument("wanted", nargs="*", help=f"{', '.join(known)}; all if not given")
    parser.add_argument("--models", type=Path, default=None, help="another folder like demo/models")
    args = parser.parse_args()
    if unknown := set(args.wanted) - set(known):
        parser.error(f"there is no {', '.join(unknown)}")
    studio = open_studio(args.models)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in args.wanted or known:
        known[name](studio)


if __name__ == "__main__":
    main()
