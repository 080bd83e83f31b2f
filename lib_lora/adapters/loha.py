"""LoHa: the elementwise product of two low-rank matrices, `ΔW = alpha/rank · (w1_a @ w1_b) ∘ (w2_a @ w2_b)`.

    flat       w_a [out, r]    w_b [r, in·kh·kw]       for convolutions too, very old files 4-D
    Tucker     w_a [r, out]    w_b [r, in]             t [r, r, kh, kw], both halves or none

In the Tucker form `a` is transposed, and the core's index 0 pairs with it. alpha/rank (w1's rank) counts
once, as in LyCORIS' `forward` and so in training; its own `merge_to` applies it twice. Hyeon-Woo et al.
2021 (FedPara), arXiv 2108.06098.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_lora.adapters.base import NOTHING, Factors, Family, Shape, fits
from lib_lora.adapters.lora import read_scale
from lib_lora.adapters.tensors import (
    check_product,
    check_weight,
    contract,
    demand,
    laid_over,
    matrix,
    row_slabs,
    size_of,
    widened,
    without_kernel,
)
from lib_lora.errors import TensorShapeError

LOW_RANK, LOW_RANK_OF_KERNELS = 16, 64
"""Up to this product of the two ranks it is cheaper to treat the change as the LoRA it then is; measured on
layers of 1280 channels, linear and 3×3."""


@dataclass(frozen=True, eq=False)
class LoHa:
    """Both products as up `[out, r]` and down `[r, in·kh·kw]`; Tucker cores are contracted into down."""

    ups: tuple[Tensor, Tensor]
    downs: tuple[Tensor, Tensor]
    scale: float
    shape: Shape
    notes: tuple[str, ...] = ()
    family: str = "LoHa"
    reads: str = NOTHING

    @property
    def rank(self) -> int:
        """Width of the bottleneck of the first product."""
        return self.downs[0].shape[0]

    @property
    def nbytes(self) -> int:
        """Memory the tensors take."""
        return size_of(*self.ups, *self.downs)

    def fits(self, host: Shape) -> bool:
        """Tell whether the change can be applied to a weight of that shape."""
        return fits(self.shape, host)

    def factors(self, shape: Shape) -> Factors | None:
        """Return the LoRA of rank r² it equals (the rows' Khatri-Rao products), where r² is small."""
        most = LOW_RANK_OF_KERNELS if shape[2:] not in ((), (1, 1)) else LOW_RANK
        if self.ups[0].shape[1] * self.ups[1].shape[1] > most:
            return None
        up = torch.einsum("or, os -> ors", *self.ups).flatten(1)
        down = torch.einsum("rn, sn -> rsn", *self.downs).flatten(0, 1)
        return Factors(up, widened(down, shape), self.scale)

    def delta(self, base: Tensor) -> Tensor:
        """Return the change in the shape of `base`."""
        product = (self.ups[0] @ self.downs[0]).mul_(self.ups[1] @ self.downs[1])
        return laid_over(product.mul_(self.scale), base)

    def add_to(self, out: Tensor, base: Tensor, strength: float) -> None:
        """Add the change to `out`, making a slab of its rows at a time; `out` is contiguous."""
        width = self.downs[0].shape[1]
        rows = out.view(out.shape[0], -1)[:, :width]
        for slab in row_slabs(*rows.shape):
            first, second = (up[slab] @ down for up, down in zip(self.ups, self.downs, strict=True))
            rows[slab].addcmul_(first, second, value=strength * self.scale)

    def bias(self, base: Tensor | None = None) -> None:
        """No change to the bias."""


def read(tensors: Mapping[str, Tensor]) -> LoHa:
    """Make one weight's adapter from tensors by role; `AdapterError` when they do not belong together."""
    demand(tensors, "hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")
    if "hada_t1" in tensors or "hada_t2" in tensors:
        demand(tensors, "hada_t1", "hada_t2")
    halves = [_read_half(tensors, half) for half in ("1", "2")]
    (up, down, kernel), (other_up, other_down, other_kernel) = halves
    sizes, others = ((half[0].shape[0], half[1].shape[1]) for half in halves)
    if sizes != others or kernel != other_kernel:
        raise TensorShapeError(
            f"the two halves change weights of different shapes, {list(sizes)} and {list(others)}."
        )
    check_weight(*sizes)
    scale, note = read_scale(tensors, down.shape[0])
    notes = [note] if note else []
    if down.shape[0] == 0 or other_down.shape[0] == 0:
        notes.append("has rank 0 and changes nothing")
    shape: Shape = (up.shape[0], down.shape[1])
    if kernel:
        taps = kernel[0] * kernel[1]
        shape = without_kernel((up.shape[0], down.shape[1] // taps, *kernel))
    return LoHa((up, other_up), (down, other_down), scale, shape, tuple(notes))


def _read_half(tensors: Mapping[str, Tensor], half: str) -> tuple[Tensor, Tensor, Shape]:
    """Return one product as up, down, and the kernel's size where the tensors tell it."""
    up_role, down_role, core_role = f"hada_w{half}_a", f"hada_w{half}_b", f"hada_t{half}"
    up, down = matrix(tensors, up_role), matrix(tensors, down_role)
    core = tensors.get(core_role)
    if core is not None:
        inner = contract((core_role, core), (up_role, up), (down_role, down))
        return up.T.contiguous(), inner.flatten(1), tuple(core.shape[2:])
    check_product((up_role, up), (down_role, down))
    return up, down, tuple(tensors[down_role].shape[2:])


FAMILY = Family(
    name="LoHa",
    marks=frozenset({"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2"}),
    may_have=frozenset({"alpha", "scale"}),
    read=read,
)
