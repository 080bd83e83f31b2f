"""LoKr: a Kronecker product, `ΔW = scale · w1 ⊗ w2`, each half full, factorised, or w2 with a Tucker core.

    w1   lokr_w1 [a, b]              or  lokr_w1_a [a, r] @ lokr_w1_b [r, b]
    w2   lokr_w2 [c, d(, kh, kw)]    or  lokr_w2_a [c, r] @ lokr_w2_b [r, d·kh·kw] (4-D too)
                                     or  lokr_t2 [r, r, kh, kw] with lokr_w2_a [r, c], lokr_w2_b [r, d]

The weight is `[a·c, b·d(, kh, kw)]`. scale is alpha/rank with w2's rank, else w1's; with both halves
full it is 1 whatever alpha says (trainers save alpha = dim there; PEFT does scale). A stored `scale` stands
for it, as in A1111. LyCORIS' own `merge_to` applies the scale twice, its `forward` once. Yeh et al. 2023
(LyCORIS), arXiv 2309.14859.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_lora.adapters.base import NOTHING, Family, Shape, fits
from lib_lora.adapters.lora import read_scale
from lib_lora.adapters.tensors import (
    check_product,
    check_size,
    check_weight,
    contract,
    demand,
    laid_over,
    matrix,
    shown,
    size_of,
    without_kernel,
)
from lib_lora.errors import MissingTensorError, MixedFamiliesError, TensorShapeError


@dataclass(frozen=True, eq=False)
class LoKr:
    """w1 `[a, b]` and w2 `[c, d·kh·kw]`, both multiplied out; rank None where both came whole."""

    w1: Tensor
    w2: Tensor
    scale: float
    shape: Shape
    rank: int | None
    notes: tuple[str, ...] = ()
    family: str = "LoKr"
    reads: str = NOTHING

    @property
    def nbytes(self) -> int:
        """Memory the tensors take."""
        return size_of(self.w1, self.w2)

    def fits(self, host: Shape) -> bool:
        """Tell whether the change can be applied to a weight of that shape."""
        return fits(self.shape, host)

    def factors(self, shape: Shape) -> None:
        """Not of low rank: a Kronecker product has the product of its halves' ranks."""

    def delta(self, base: Tensor) -> Tensor:
        """Return the change in the shape of `base`."""
        return laid_over(torch.kron(self.w1, self.w2) * self.scale, base)

    def add_to(self, out: Tensor, base: Tensor, strength: float) -> None:
        """Add the change to `out` without making it; `out` is contiguous and of the shape of `base`."""
        (a, b), (c, rest) = self.w1.shape, self.w2.shape
        if out.nelement() == a * b * c * rest:
            blocks = out.view(a, c, b, rest)
        else:  # input channels beyond ours stand behind them in every row
            blocks = out.view(a, c, -1)[:, :, : b * rest].view(a, c, b, rest)
        blocks.addcmul_(self.w1[:, None, :, None], self.w2[None, :, None, :], value=strength * self.scale)

    def bias(self, base: Tensor | None = None) -> None:
        """No change to the bias."""


def read(tensors: Mapping[str, Tensor]) -> LoKr:
    """Make one weight's adapter from tensors by role; `AdapterError` when they do not belong together."""
    w1, rank1, _ = _read_half(tensors, "lokr_w1")
    w2, rank2, kernel = _read_half(tensors, "lokr_w2")
    rank = rank1 if rank2 is None else rank2
    notes = []
    if rank is None:
        tensors = {role: tensor for role, tensor in tensors.items() if role != "alpha"}
    scale, note = read_scale(tensors, rank or 0)
    if note:
        notes.append(note)
    if rank == 0 or rank1 == 0:
        notes.append("has rank 0 and changes nothing")
    check_weight(w1.shape[0], w2.shape[0], w1.shape[1], w2.shape[1])
    taps = kernel[0] * kernel[1] if kernel else 1
    shape = (w1.shape[0] * w2.shape[0], w1.shape[1] * w2.shape[1] // taps, *kernel)
    return LoKr(w1, w2, scale, without_kernel(shape), rank, tuple(notes))


def _read_half(tensors: Mapping[str, Tensor], whole: str) -> tuple[Tensor, int | None, Shape]:
    """Return a half as a matrix, its rank where it is factorised, and the kernel's size where it is known."""
    left_role, right_role, core_role = f"{whole}_a", f"{whole}_b", "lokr_t2"
    factors = [role for role in (left_role, right_role) if role in tensors]
    if whole in tensors:
        if factors:
            raise MixedFamiliesError(f"{whole} stands beside {factors[0]}; only one of them can be meant.")
        half = matrix(tensors, whole)
        return half, None, tuple(tensors[whole].shape[2:])
    if not factors:
        raise MissingTensorError(f"{whole} is missing.")
    demand(tensors, left_role, right_role)
    left, right = matrix(tensors, left_role), matrix(tensors, right_role)
    core = tensors.get(core_role) if whole == "lokr_w2" else None
    if core is not None:
        inner = contract((core_role, core), (left_role, left), (right_role, right))
        check_size(left.shape[1], *inner.shape[1:])
        return left.T @ inner.flatten(1), right.shape[0], tuple(core.shape[2:])
    check_product((left_role, left), (right_role, right))
    if whole == "lokr_w1" and tensors[right_role].dim() == 4:
        raise TensorShapeError(f"{right_role} has shape {shown(tensors[right_role])}; a matrix was expected.")
    return left @ right, right.shape[0], tuple(tensors[right_role].shape[2:])


FAMILY = Family(
    name="LoKr",
    marks=frozenset({"lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"}),
    may_have=frozenset({"alpha", "scale"}),
    read=read,
)
