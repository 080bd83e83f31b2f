"""Merged or beside the model: decided per layer from what its weight is, and from the free memory.

auto          merged as far as memory reaches, the layers that gain most first
merged        fastest: merged wherever it is possible, until memory really ends
least memory  beside the layer wherever that takes less than a copy
bypass        beside the layer wherever it is possible: for hosts that compute beside it too
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from lib_lora.engine.modes import BYPASS, LEAST_MEMORY, MERGED
from lib_lora.engine.view import BESIDE, Layer

MERGEABLE = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
MARGIN = 512 * 1024**2
"""Bytes left to the sampling itself in main memory, where the model computes on the processor."""
CARD_MARGIN = 1536 * 1024**2
"""Bytes left on a graphics card: a step and the decoding of a picture of 1024² take about as much."""

FreeMemory = Callable[[torch.device], "int | None"]


@dataclass(frozen=True)
class Candidate:
    """A layer to decide on.

    new_bytes: what merging would newly take; factor_bytes: what keeping the factors would take on top;
    beside_bytes: what computing beside the layer would take; wrapped: whether another extension changed its
    forward.
    """

    layer: Layer
    new_bytes: int
    factor_bytes: int = 0
    wrapped: bool = False
    beside_bytes: int = 0

    @property
    def price(self) -> int:
        """Bytes that merging takes more than computing beside."""
        return self.new_bytes - self.beside_bytes

    @property
    def gain(self) -> float:
        """How much merging saves per byte and step: few numbers in a layer mean many rows go through it."""
        weight = self.layer.module.weight
        numbers, out = max(1, int(weight.nelement())), int(weight.shape[0])
        return (out + numbers / max(1, out)) / numbers


@dataclass(frozen=True)
class Decision:
    """How each layer is applied, by canonical name, and why where it is not merged.

    roomy: devices with memory to keep the factors too, so that moving a slider brings nothing from elsewhere.
    """

    modes: dict[str, str]
    roomy: frozenset[torch.device]
    notes: tuple[str, ...]

    def without_room(self) -> Decision:
        """Return the same with no memory to spare for factors."""
        return replace(self, roomy=frozenset())


def decide(candidates: Iterable[Candidate], mode: str, free: FreeMemory | None = None) -> Decision:
    """Choose a mode for every layer.

    Norm layers, embeddings and bare parameters are always merged: no change can be computed beside them.
    """
    free = free or free_memory
    modes: dict[str, str] = {}
    compressed = wrapped = 0
    mergeable: dict[torch.device, list[Candidate]] = {}
    for candidate in candidates:
        layer, weight = candidate.layer, candidate.layer.module.weight
        if layer.kind not in BESIDE:
            modes[layer.name] = MERGED
        elif weight.dtype not in MERGEABLE or hasattr(weight, "quant_state"):
            modes[layer.name], compressed = BYPASS, compressed + 1
        elif candidate.wrapped:
            modes[layer.name], wrapped = BYPASS, wrapped + 1
        elif mode == BYPASS or (mode == LEAST_MEMORY and candidate.price > 0):
            modes[layer.name] = BYPASS
        else:
            mergeable.setdefault(weight.device, []).append(candidate)
    notes = []
    if compressed:
        notes.append(f"{compressed} weights are stored compressed, so they are changed while sampling")
    if wrapped:
        notes.append(f"{wrapped} weights are also changed by another extension")
    roomy = set()
    for device, found in mergeable.items():
        spare = _spare(device, free)
        merged = found if mode == MERGED else _affordable(found, spare)
        modes |= {candidate.layer.name: BYPASS for candidate in found}
        modes |= {candidate.layer.name: MERGED for candidate in merged}
        if sum(candidate.new_bytes + candidate.factor_bytes for candidate in found) <= spare:
            roomy.add(device)
        if len(merged) < len(found):
            needed = sum(candidate.new_bytes for candidate in found)
            notes.append(
                f"not enough free memory on {device} to merge all ({_mb(needed)} needed, {_mb(spare)} to "
                f"spare), so {len(found) - len(merged)} of {len(found)} weights are changed while sampling"
            )
    return Decision(modes, frozenset(roomy), tuple(notes))


def _affordable(candidates: Sequence[Candidate], spare: float) -> list[Candidate]:
    """Return what can be merged within some bytes: what costs nothing, then what gains most per byte."""
    left = spare - sum(candidate.beside_bytes for candidate in candidates)
    free = [candidate for candidate in candidates if candidate.price <= 0]
    left -= sum(candidate.price for candidate in free)
    if left >= sum(candidate.price for candidate in candidates if candidate.price > 0):
        return list(candidates)
    merged = free
    for candidate in sorted(candidates, key=lambda candidate: candidate.gain, reverse=True):
        if 0 < candidate.price <= left:
            merged.append(candidate)
            left -= candidate.price
    return merged


def _spare(device: torch.device, free: FreeMemory) -> float:
    available = free(device)
    margin = MARGIN if device.type == "cpu" else CARD_MARGIN
    return math.inf if available is None else max(0, available - margin)


def is_short(device: torch.device, free: FreeMemory | None = None) -> bool:
    """Tell whether less is free on a device than sampling itself is left."""
    return _spare(device, free or free_memory) == 0


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
