"""Says what the recipes and the regions of docs/ come to with a trained model, as JSON; run by test_recipes.

A process of its own, because the demo host stays in the process that boots it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from demo.pictures import open_studio
from demo.recipes import RECIPES, SPECS, Subject, around, object_inside, show
from demo.two_figures import WAYS, see

SUBJECTS, SEEDS = 2, (1, 2, 3)
STEPS = 12


def deltas(studio: Any) -> dict[str, float]:
    """The largest change that a layer gets from the object row of the recipe, inside its mask and outside."""
    from lib_lora.engine.masked import Masked

    subject = Subject(studio, SPECS[0], 11, {"steps": 3})
    mask = around(subject.target(subject.draw([]), "mecha_helmet").inside)
    original, found = Masked.add_to, {"inside": 0.0, "outside": 0.0, "layers": 0.0}

    def add_to(self: Masked, output: Any, x: Any, own: Any) -> Any:
        result = original(self, output, x, own)
        change = (result - output).abs().float().numpy()
        side = round(change.shape[1] ** 0.5) if change.ndim == 3 else 0
        if change.ndim == 4:
            grid = change.max((0, 1))
        elif side * side == change.shape[1]:
            grid = change.max((0, 2)).reshape(side, side)
        else:
            return result  # of the prompt's words, which have no place
        rows, columns = grid.shape
        inside = mask.reshape(rows, len(mask) // rows, columns, len(mask) // columns).any((1, 3))
        found["layers"] += 1
        found["inside"] = max(found["inside"], float(grid[inside].max()))
        found["outside"] = max(found["outside"], float(grid[~inside].max(initial=0)))
        return result

    Masked.add_to = add_to  # type: ignore[method-assign]
    try:
        object_inside(subject)
    finally:
        Masked.add_to = original  # type: ignore[method-assign]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=None, help="another folder like demo/models")
    parser.add_argument("--data-dir", default="", help="of the host")
    args = parser.parse_args()
    studio = open_studio(args.models, ["--data-dir", args.data_dir] if args.data_dir else [])
    told = {
        "recipes": {name: show(studio, name, SUBJECTS, steps=STEPS).measured for name, *_ in RECIPES},
        "regions": {
            label.replace("\n", " "): see(studio, rows, SEEDS, steps=STEPS).shares for label, rows in WAYS
        },
        "deltas": deltas(studio),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
