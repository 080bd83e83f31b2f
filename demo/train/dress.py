"""What stands beside a LoRA file: its preview picture and the .json that the WebUI reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from demo.train.recipes import RECIPES, Recipe
from demo.train.sampler import load_model, paint, with_loras
from demo.world.concepts import CONCEPTS

SEED = 7
NOTES = {
    "character": "0.6 to 0.8 beside a style; name shirt and trousers as you like.",
    "style": "0.4 to 0.5, below the character's weight.",
    "concept": "0.6 to 0.8 with its trigger word.",
    "clothing": "Up to 0.8; above that the figure gives way.",
    "object": "1 and above with inpainting: mask the head.",
}


def sidecar(recipe: Recipe) -> str:
    """The text of NAME.json in the WebUI's own format."""
    kind = CONCEPTS[recipe.name].kind
    notes = NOTES[kind] if recipe.weight > 0.3 else "0.1 to 0.3; above that it fights for the style."
    facts = {
        "description": recipe.text,
        "sd version": "SD1",
        "activation text": recipe.trigger,
        "preferred weight": recipe.weight,
        "notes": notes,
    }
    return json.dumps(facts, indent=4, ensure_ascii=False) + "\n"


def dress(models: Path) -> list[Path]:
    """Write previews and sidecars beside every LoRA; returns what was written."""
    model, written = load_model(models / "checkpoint" / "tiny.safetensors"), []
    for recipe in RECIPES:
        path = models / "lora" / recipe.folder / f"{recipe.name}.safetensors"
        with with_loras(model.painter, [(path, 1.0 if recipe.weight > 0.3 else 0.7)]):
            picture = paint(model, [recipe.preview], [SEED], steps=30)[0]
        image = Image.fromarray(np.repeat(np.repeat(picture, 2, 0), 2, 1))
        image.save(path.with_suffix(".png"), optimize=True)
        path.with_suffix(".json").write_text(sidecar(recipe), encoding="utf-8")
        written += [path.with_suffix(".png"), path.with_suffix(".json")]
    return written
