"""Merged or beside the model: decided per layer from what its weight is, and per device from free memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lib_lora.engine.view import BESIDE, Layer

AUTO, MERGED, BYPASS = "auto", "merged", "bypass"
MODES = (AUTO, MERGED, BYPASS)

MERGEABLE = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
MARGIN = 512 * 1024**2
"""Bytes left to the sampling itself on every device."""

FreeMemory = Callable[[torch.device], "int | None"]


@dataclass(frozen=True)
class Candidate:
    """A layer to decide on.

    new_bytes: what merging would newly take; factor_bytes: what keeping the factors would take on top;
    wrapped: whether another extension changed its forward.
    """

    layer: Layer
    new_bytes: int
    factor_bytes: int = 0
    wrapped: bool = False


@dataclass(frozen=True)
class Decision:
    """How each layer is applied, by canonical name, and why where it is not merged.

    roomy: devices with memory to keep the factors too, so that moving a slider brings nothing from elsewhere.
    """

    modes: dict[str, str]
    roomy: frozenset[torch.device]
    notes: tuple[str, ...]


def decide(candidates: Iterable[Candidate], mode: str, free: FreeMemory | None = None) -> Decision:
    """Choose a mode for every layer.

    Norm layers, embeddings and bare parameters are always merged: no change can be computed beside them.
    """
    free = free or free_memory
    modes: dict[str, str] = {}
    needs: dict[torch.device, _Need] = {}
    compressed = wrapped = 0
    mergeable: list[Layer] = []
    for candidate in candidates:
        layer, weight = candidate.layer, candidate.layer.module.weight
        if layer.kind not in BESIDE:
            modes[layer.name] = MERGED
        elif weight.dtype not in MERGEABLE or hasattr(weight, "quant_state"):
            modes[layer.name], compressed = BYPASS, compressed + 1
        elif candidate.wrapped:
            modes[layer.name], wrapped = BYPASS, wrapped + 1
        elif mode == BYPASS:
            modes[layer.name] = BYPASS
        else:
            mergeable.append(layer)
            need = needs.setdefault(weight.device, _Need())
            need.weights += candidate.new_bytes
            need.factors += candidate.factor_bytes
    spare = {device: _spare(device, free) for device in needs}
    roomy = frozenset(device for device, need in needs.items() if need.all <= spare[device])
    short = {device for device, need in needs.items() if need.weights > spare[device] and mode != MERGED}
    for layer in mergeable:
        modes[layer.name] = BYPASS if layer.module.weight.device in short else MERGED
    notes = []
    if compressed:
        notes.append(f"{compressed} weights are stored compressed, so they are changed while sampling")
    if wrapped:
        notes.append(f"{wrapped} weights are also changed by another extension")
    for device in short:
        notes.append(
            f"not enough free memory on {device} to merge ({_mb(needs[device].weights)} needed, "
            f"{_mb(spare[device])} to spare), so weights are changed while sampling"
        )
    return Decision(modes, roomy, tuple(notes))


@dataclass
class _Need:
    """Bytes wanted on one device."""

    weights: int = 0
    factors: int = 0

    @property
    def all(self) -> int:
        return self.weights + self.factors


def _spare(device: torch.device, free: FreeMemory) -> float:
    available = free(device)
    return math.inf if available is None else max(0, available - MARGIN)


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


def _mb(count: float) -> str:
    return f"{count / 1024**2:,.0f} MB"
