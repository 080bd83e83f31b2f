"""The words the model knows, grouped for the page; `python -m demo.world.chips` writes the file."""

from __future__ import annotations

import json
from pathlib import Path

from demo.world.captions import held, worn
from demo.world.words import COLOURS, FILLER, HATS, ITEMS, POSES, SCENE_WORDS, SKINS, WHO

FILE = Path(__file__).parents[1] / "models" / "words.json"


def groups() -> dict[str, list[str]]:
    """Groups in the order in which a caption names them."""
    return {
        "who": [f"a {who}" for who in WHO],
        "skin": [f"{skin} skin" for skin in SKINS],
        "hair": [f"{colour} hair" for colour in COLOURS],
        "shirt": [f"{colour} shirt" for colour in COLOURS],
        "trousers": [f"{colour} trousers" for colour in COLOURS],
        "hat": [worn(hat) for hat in HATS if hat],
        "item": [held(item) for item in ITEMS if item],
        "pose": list(POSES),
        "scene": [texts[0] for texts in SCENE_WORDS.values()],
        "filler": list(FILLER),
    }


def text() -> str:
    """The file's text."""
    return json.dumps(groups(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
