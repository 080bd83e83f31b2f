"""How much a row changes inside its region and outside: `python -m tests.bench.locality`.

The demo's model draws two figures in a picture twice as wide as usual, without and with a row in the left
half. Five ways: everywhere; in the region; the way of the Additional Networks extension, which leaves keys
and values of words unmasked (said with rules of blocks: the same rows, so only that differs); the last two
also with the text encoder at 0. Prints a table.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from demo.pictures import open_studio
from demo.tables import markdown

PROMPT = "a girl, light skin, red hair, purple shirt, black trousers, standing, in a desert"
SEEDS = (3, 4, 7, 8, 11, 13, 14, 15, 16)  # the model draws a figure in each half
SIZE = {"width": 256, "height": 128, "steps": 10}
NETWORKS = ("clothing/mecha_suit", "style/neon", "character/zorp")
LEFT = "box:0,0,0.5,1"
WORDS = ":attn2_to_k attn2_to_v:"
GAP = 4
"""Columns on either side of the edge that are not counted."""

Rows = list[dict[str, Any]]


def ways(network: str) -> dict[str, Rows]:
    """The rows of each way, by its name."""
    row = {"network": network}
    unmasked = {**row, "te": 0, "blocks": f"NONE;{WORDS}1"}
    return {
        "everywhere": [row],
        "in its region": [{**row, "region": LEFT}],
        "in its region, text encoder 0": [{**row, "region": LEFT, "te": 0}],
        "AddNet's way": [{**row, "region": LEFT, "blocks": f"ALL;{WORDS}0"}, unmasked],
        "AddNet's way, text encoder 0": [
            {**row, "region": LEFT, "te": 0, "blocks": f"ALL;{WORDS}0"},
            unmasked,
        ],
    }


def main() -> None:
    """Measure mean changes of pixels, 0 to 255, left and right."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.locality", description=__doc__)
    parser.add_argument("--models", type=Path, default=None, help="another folder like demo/models")
    studio = open_studio(parser.parse_args().models)

    def draw(rows: Rows, seed: int) -> np.ndarray:
        return np.asarray(studio.draw_stack(PROMPT, rows, seed=seed, **SIZE).convert("RGB"), dtype=float)

    plain = {seed: draw([], seed) for seed in SEEDS}
    table: dict[str, list[str]] = {}
    for network in NETWORKS:
        for name, rows in ways(network).items():
            changes = np.mean([np.abs(draw(rows, seed) - plain[seed]) for seed in SEEDS], axis=0)
            middle = changes.shape[1] // 2
            left, right = changes[:, : middle - GAP].mean(), changes[:, middle + GAP :].mean()
            table.setdefault(name, []).append(f"{left:.1f} / {right:.1f} = {right / left:.2f}")
            print(network, name, table[name][-1], flush=True)
    print(markdown(["", *NETWORKS], [[name, *cells] for name, cells in table.items()]))


if __name__ == "__main__":
    main()
