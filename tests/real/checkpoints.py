"""A second checkpoint of the loaded one's structure, for everything that changes models."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

TWIN = "real-suite-twin"


def write_twin(checkpoint: Path) -> None:
    """Write a checkpoint beside the given one with the layers that LoRAs change drawn towards others."""
    path = checkpoint.with_name(f"{TWIN}.safetensors")
    if path.exists() and path.stat().st_mtime > checkpoint.stat().st_mtime:
        return
    chance = torch.Generator().manual_seed(99)
    tensors = {}
    with safe_open(checkpoint, "pt") as file:
        for key in sorted(file.keys()):
            tensor = file.get_tensor(key)
            if "transformer_blocks" in key and tensor.dim() == 2:
                noise = torch.randn(tensor.shape, generator=chance) * float(tensor.float().std())
                tensor = (tensor.float() + 0.3 * noise).to(tensor.dtype)
            tensors[key] = tensor.contiguous()
    save_file(tensors, path)
    for suffix in (".yaml",):
        if checkpoint.with_suffix(suffix).exists():
            shutil.copy(checkpoint.with_suffix(suffix), path.with_suffix(suffix))
