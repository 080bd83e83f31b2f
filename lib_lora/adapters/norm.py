"""Norm layers: `γ' = γ + strength · w_norm`, `β' = β + strength · b_norm`, one or both, `[channels]`.

LyCORIS' `norms`. Half a pair is common for layers without bias. A stored `scale` multiplies w_norm, as in
A1111.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_lora.adapters.base import NOTHING, Family, Shape, fits
from lib_lora.adapters.tensors import one_number, shown, size_of
from lib_lora.errors import MissingTensorError, TensorShapeError


@dataclass(frozen=True, eq=False)
class Norm:
    """Differences of a norm layer's weight and bias, `[channels]`; one of them may be None."""

    w_norm: Tensor | None
    b_norm: Tensor | None
    shape: Shape
    notes: tuple[str, ...] = ()
    family: str = "norm layer"
    reads: str = NOTHING
    rank: None = None

    @property
    def nbytes(self) -> int:
        """Memory the tensors take."""
        return size_of(self.w_norm, self.b_norm)

    def fits(self, host: Shape) -> bool:
        """Tell whether the change can be applied to a weight of that shape."""
        return fits(self.shape, host)

    def factors(self, shape: Shape) -> None:
        """Not of low rank."""

    def delta(self, base: Tensor) -> Tensor:
        """Return the change to the weight."""
        return torch.zeros_like(base) if self.w_norm is None else self.w_norm

    def bias(self, base: Tensor | None = None) -> Tensor | None:
        """Return the change to the bias."""
        return self.b_norm


def read(tensors: Mapping[str, Tensor]) -> Norm:
    """Make one norm layer's adapter from tensors by role; `AdapterError` when they do not belong together."""
    weight, bias = tensors.get("w_norm"), tensors.get("b_norm")
    present = [tensor for tensor in (weight, bias) if tensor is not None]
    if not present:
        raise MissingTensorError("w_norm and b_norm are missing.")
    for tensor in present:
        if tensor.dim() != 1 or tensor.shape != present[0].shape:
            raise TensorShapeError(
                f"w_norm and b_norm have shapes {' and '.join(shown(tensor) for tensor in present)}; "
                "one number per channel was expected."
            )
    scale = one_number(tensors.get("scale"), "scale")
    if weight is not None and scale is not None:
        weight = weight * scale
    return Norm(weight, bias, tuple(present[0].shape))


FAMILY = Family(
    name="norm layer",
    marks=frozenset({"w_norm", "b_norm"}),
    may_have=frozenset({"scale"}),
    read=read,
)
