"""The committed model files: they fit the size and are what a WebUI expects."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

MODELS = Path(__file__).parents[2] / "demo" / "models"
CHECKPOINT = MODELS / "checkpoint" / "tiny.safetensors"
LIMIT = 30_000_000


def test_all_weights_together_stay_below_thirty_megabytes() -> None:
    files = [CHECKPOINT, *(MODELS / "lora").rglob("*.safetensors")]
    assert sum(path.stat().st_size for path in files) <= LIMIT
    assert len(files) > 1


def test_checkpoint_is_half_precision_but_for_its_schedule() -> None:
    tensors = load_file(CHECKPOINT)
    full = {name for name, value in tensors.items() if value.dtype != torch.float16}
    assert full == {"alphas_cumprod", "betas"}
    assert all(bool(torch.isfinite(value.float()).all()) for value in tensors.values())


def test_every_lora_can_be_seen() -> None:
    for file in (MODELS / "lora").rglob("*.safetensors"):
        assert file.with_suffix(".png").stat().st_size < 100_000, file.name
        assert file.with_suffix(".json").exists(), file.name
