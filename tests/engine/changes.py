"""Made-up adapters and changes for the engine's tests, and the exact result they should have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_lora.adapters import WEIGHT, Adapter, Factors
from lib_lora.adapters.lora import read
from lib_lora.plan import Contribution

Shape = tuple[int, ...]


def lora(shape: Shape, rank: int = 3, alpha: float = 2.0, seed: int = 0, tucker: bool = False) -> Adapter:
    """A LoRA of a quarter of the usual weight's size for a linear or convolution weight."""
    generator = torch.Generator().manual_seed(seed)
    out, width, *kernel = shape
    points = (1,) * len(kernel)
    fan = width * (torch.Size(kernel).numel() if kernel else 1)
    up = torch.randn(out, rank, *points, generator=generator) * 0.25
    tensors = {"lora_up": up, "alpha": torch.tensor(alpha)}
    if tucker:
        tensors["lora_mid"] = torch.randn(rank, rank, *kernel, generator=generator)
        tensors["lora_down"] = torch.randn(rank, width, *points, generator=generator) / fan**0.5
    else:
        tensors["lora_down"] = torch.randn(rank, width, *kernel, generator=generator) / fan**0.5
    return read(tensors)


def change(adapter: Adapter, shape: Shape, strength: float = 0.7, network: str = "a") -> Contribution:
    """A planned change of a weight of that shape."""
    return Contribution(network, adapter, adapter.factors(shape), strength)


def exact(base: Tensor, changes: Sequence[Contribution]) -> Tensor:
    """The result in float64, from the formula and not from the engine."""
    result = base.detach().double()
    for found in changes:
        factors = found.factors
        assert factors is not None
        delta = (factors.up.double() @ factors.down.double()) * (factors.scale * found.strength)
        result = result + delta.reshape(base.shape)
    return result


@dataclass(frozen=True, eq=False)
class Doubling:
    """A change that is not of low rank and depends on the weight: delta is the weight itself."""

    shape: Shape
    bias_shift: float | None = None
    family: str = "Doubling"
    reads: str = WEIGHT
    rank: int | None = None
    notes: tuple[str, ...] = ()
    nbytes: int = 0

    def fits(self, host: Shape) -> bool:
        return self.shape == host

    def factors(self, shape: Shape) -> Factors | None:
        return None

    def delta(self, base: Tensor) -> Tensor:
        return base.clone()

    def bias(self, base: Tensor | None = None) -> Tensor | None:
        if self.bias_shift is None:
            return None
        return torch.full((self.shape[0],), self.bias_shift) + (0 if base is None else base)


@dataclass(frozen=True, eq=False)
class DoublingInPlace(Doubling):
    """The same, done in place."""

    def add_to(self, out: Tensor, base: Tensor, strength: float) -> None:
        assert out.is_contiguous()
        assert out.data_ptr() != base.data_ptr()
        out.add_(base, alpha=strength)
