"""docs/library.md and the demo model's card state numbers; this holds them."""

from __future__ import annotations

import math
from pathlib import Path

from lib_lora.files.header import read_header
from lib_lora.library.readers import AT_LEAST, MOST
from lib_lora.ui.thumbnails import FOLDER

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = " ".join((ROOT / "docs" / "library.md").read_text(encoding="utf-8").split())
MODELS = ROOT / "demo" / "models"
SD1 = 859_520_964 + 123_060_480 + 83_653_863  # parameters of UNet, text encoder, autoencoder


def test_who_reads_many_files() -> None:
    assert (AT_LEAST, MOST) == (1000, 3)
    assert "Where a thousand files or more are new, up to three other processes read some of them" in LIBRARY


def test_what_is_kept() -> None:
    for name in ("index-….sqlite", "mine.sqlite", "mine.jsonl", "presets/", f"{FOLDER}/"):
        assert f"| `{name}` |" in LIBRARY, name


def test_the_size_of_the_demo_s_model() -> None:
    card = (MODELS / "MODEL.md").read_text(encoding="utf-8")
    tensors = read_header(MODELS / "checkpoint" / "tiny.safetensors").tensors
    unet, everything = (
        sum(math.prod(info.shape) for name, info in tensors.items() if name.startswith(prefix))
        for prefix in ("model.", "")
    )
    assert f"UNet | {unet / 1e6:.2f} M parameters" in card
    assert round(SD1 / everything, -1) == 90
    assert "a ninetieth of its weights" in card
