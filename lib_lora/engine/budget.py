"""Merged or beside the model: decided per layer from what its weight is, and per device from free memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lib_lora.engine.view import CONV, LINEAR, Layer

AUTO, MERGED, BYPASS = "auto", "merged", "bypass"
MODES = (AUTO, MERGED, BYPASS)

MERGEABLE = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
MARGIN = 512 * 1024**2
"""Bytes left to the sampling itself on every device."""

FreeMemory = Callable[[torch.device], "int | None"]


@dataclass(frozen=True)
class Candidate:
    """A layer to decide on: bytes that merging would newly take, and whether others changed its forward."""

    layer: Layer
    new_bytes: int
    wrapped: bool = False


@dataclass(frozen=True)
class Decision:
    """How each layer is applied, by canonical name, and why where it is not merged."""

    modes: dict[str, str]
    notes: tuple[str, ...]


def decide(candidates: Iterable[Candidate], mode: str, free: FreeMemory | None = None) -> Decision:
    """Choose a mode for every layer.

    Norm layers are always merged: they are small, and their change cannot be computed beside them.
    """
    free = free or free_memory
    modes: dict[str, str] = {}
    needs: dict[torch.device, int] = {}
    compressed = wrapped = 0
    mergeable: list[Layer] = []
    for candidate in candidates:
        layer, weight = candidate.layer, candidate.layer.module.weight
        if layer.kind not in (LINEAR, CONV):
            modes[layer.name] = MERGED
        elif weight.dtype not in MERGEABLE or hasattr(weight, "quant_state"):
            modes[layer.name], compressed = BYPASS, compressed + 1
        elif candidate.wrapped:
            modes[layer.name], wrapped = BYPASS, wrapped + 1
        elif mode == BYPASS:
            modes[layer.name] = BYPASS
        else:
            mergeable.append(layer)
            needs[weight.device] = needs.get(weight.device, 0) + candidate.new_bytes
    short = {} if mode == MERGED else _short_devices(needs, free)
    for layer in mergeable:
        modes[layer.name] = BYPASS if layer.module.weight.device in short else MERGED
    notes = []
    if compressed:
        notes.append(f"{compressed} weights are stored compressed, so they are changed while sampling")
    if wrapped:
        notes.append(f"{wrapped} weights are also changed by another extension")
    for device, (needed, available) in short.items():
        notes.append(
            f"not enough free memory on {device} to merge "
            f"({_mb(needed)} needed, {_mb(available)} to spare), so weights are changed while sampling"
        )
    return Decision(modes, tuple(notes))


def _short_devices(needs: dict[torch.device, int], free: FreeMemory) -> dict[torch.device, tuple[int, int]]:
    short: dict[torch.device, tuple[int, int]] = {}
    for device, needed in needs.items():
        available = free(device)
        if needed and available is not None and needed > available - MARGIN:
            short[device] = needed, max(0, available - MARGIN)
    return short


def free_memory(device: torch.device) -> int | None:
    """Bytes that can be had on a device, None when nobody knows."""
    if device.type == "cuda":
        unused, _ = torch.cuda.mem_get_info(device)
        return int(unused + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    if device.type == "cpu":
        return _available_main_memory()
    return None


def _available_main_memory(path: Path = Path("/proc/meminfo")) -> int | None:
    try:
        text = path.read_text(encoding="ascii")
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def weight_bytes(module: Any) -> int:
    """Bytes a copy of the layer's weight takes."""
    weight = module.weight
    return int(weight.nelement() * weight.element_size())


def _mb(count: int) -> str:
    return f"{count / 1024**2:,.0f} MB"
