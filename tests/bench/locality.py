"""How much a row changes inside its region and outside: `python -m tests.bench.locality`.

The demo's model draws the same picture without and with a row in the left half. Three ways: everywhere, in
the region, and the way of the Additional Networks extension, which leaves keys and values of words unmasked
(said with rules of blocks: the same rows, so only that differs).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

DEMO = Path(__file__).resolve().parents[2] / "demo"
PROMPT = "a girl, red hair, blue shirt, in a meadow"
SEEDS = (5, 6, 7)
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
    """Print mean changes of pixels, 0 to 255, left and right."""
    sys.path.insert(0, str(DEMO))
    from app.studio import Studio, request

    studio = Studio([])

    def draw(rows: Rows, seed: int) -> np.ndarray:
        p = request(prompt=PROMPT, seed=seed, steps=10)
        processed = studio.run(p, json.dumps({"version": 1, "entries": rows}) if rows else "")
        return np.asarray(processed.images[0].convert("RGB"), dtype=float)

    plain = {seed: draw([], seed) for seed in SEEDS}
    for network in NETWORKS:
        for name, rows in ways(network).items():
            changes = np.mean([np.abs(draw(rows, seed) - plain[seed]) for seed in SEEDS], axis=0)
            middle = changes.shape[1] // 2
            left, right = changes[:, : middle - GAP].mean(), changes[:, middle + GAP :].mean()
            print(f"| {network} | {name} | {left:.1f} | {right:.1f} | {right / left:.2f} |", flush=True)


if __name__ == "__main__":
    main()
