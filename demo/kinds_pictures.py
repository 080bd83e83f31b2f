"""Draws docs/pictures/kinds.png through the extension in the demo host: every kind of file at 0, 0.5 and 1.

    python -m demo.kinds_pictures      writes docs/pictures/kinds.png and docs/pictures/kinds.json

The distance of a picture to its concept is the mean colour distance (0 to 441) in the pixels that the concept
changes; the concept is drawn onto the picture without the file, at the figure's own place.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from demo.pictures import FOLDER, ROOT, sheet
from demo.train.kinds import KINDS, Kind
from demo.train.measure import aim, lora_specs
from demo.world.captions import full_caption
from demo.world.concepts import CONCEPTS
from demo.world.judge import distance, shrink

WEIGHTS = (0.0, 0.5, 1.0)
SUBJECTS = 4
SHOWN = 2


@dataclass(frozen=True)
class Seen:
    """One kind's pictures by subject and weight, and their mean distance to the concept by weight."""

    pictures: tuple[tuple[Image.Image, ...], ...]
    distances: dict[str, float]


def see_kind(studio: Any, kind: Kind, subjects: int = SUBJECTS, **fields: Any) -> Seen:
    """Draw a kind's file at every weight and judge the pictures. `studio` is app.studio.Studio."""
    rows, far = [], []
    for seed, spec in enumerate(lora_specs(subjects)):
        prompt = f"{full_caption(spec)}, {CONCEPTS[kind.concept].trigger}"
        row = [
            studio.draw(prompt, {f"kinds/{kind.name}": w} if w else {}, seed=seed, **fields) for w in WEIGHTS
        ]
        arts = [shrink(np.asarray(picture.convert("RGB"))) for picture in row]
        target = aim(np.asarray(row[0].convert("RGB")), spec, kind.concept)
        rows.append(tuple(row))
        far.append([distance(art, target.after)[target.inside].mean() for art in arts])
    means = np.mean(far, 0)
    return Seen(tuple(rows), {f"{w:g}": round(float(d), 1) for w, d in zip(WEIGHTS, means, strict=True)})


def main() -> None:
    """Draw, measure and write."""
    sys.path.insert(0, str(ROOT / "demo"))
    from app.studio import Studio

    studio, rows, measured = Studio(), [], {}
    for kind in KINDS:
        seen = see_kind(studio, kind)
        title = f"{kind.title.replace('³', '3')} + {CONCEPTS[kind.concept].trigger}"
        rows.append((title, [picture for row in seen.pictures[:SHOWN] for picture in row]))
        measured[kind.name] = {"concept": kind.concept, "distance": seen.distances}
        print(kind.name, seen.distances, flush=True)
    columns = [f"{weight:g}" for weight in WEIGHTS] * SHOWN
    sheet(rows, columns).save(FOLDER / "kinds.png", optimize=True)
    (FOLDER / "kinds.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
