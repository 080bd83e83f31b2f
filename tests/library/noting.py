"""A file of which everything is noted, for the tests of notes."""

from __future__ import annotations

from pathlib import Path

from lib_lora.library.catalogue import Catalogue
from lib_lora.library.library import Library

ALL = {
    "title": "Neon, nächtlich",
    "role": "style",
    "trigger_words": ["neon glow", "光"],
    "weight": 0.45,
    "notes": "Use at night.\nNot by day.",
    "favourite": True,
    "rating": 4,
    "tags": ["mine", "glow"],
    "negative": "day",
}


def opened(root: Path, data: Path | None) -> Library:
    library = Library([root], data=data)
    library.scan()
    return library


def card(library: Library, label: str) -> dict[str, object]:
    catalogue = Catalogue(library)
    return catalogue.card(catalogue.get(label=label))


def noted(root: Path, data: Path) -> None:
    """A first session in which everything is noted of one file."""
    library = opened(root, data)
    Catalogue(library).note(library.find("neon"), ALL)
    library.use([library.find("neon")], [0.7])
    library.close()


def is_whole(told: dict[str, object]) -> bool:
    kept = {**told, "weight": told["preferred_weight"]}
    mine = all(kept[name] == value for name, value in ALL.items() if name != "tags")
    tags = told["tags"]
    return mine and isinstance(tags, list) and tags[:2] == ALL["tags"] and told["uses"] == 1
