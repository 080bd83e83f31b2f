"""BOFT: rotations in stages, each on another order of the rows, `ΔW = rescale · Rₘ…R₁ W − W`.

    oft_blocks [m, n, b, b]    LyCORIS: Q = A − Aᵀ, alpha·out the longest Q may be; R as it is, on the rows
    boft_r [m, n, b, b]        PEFT: Q = (Aᵀ − A)/2, on the columns; boft_s [out, 1] a factor for every output

**The strength interpolates the result**, `W + strength · ΔW`, as A1111 does; LyCORIS interpolates every
stage, which is another weight at strengths between 0 and 1. The linear rule keeps one law for all
families: one change, computed once, scaled by the user. At strength 1 it is LyCORIS' `boft`; Liu et al.
2023, arXiv 2311.06243.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_lora.adapters.base import ANY, OUTPUTS, WEIGHT, Family, Shape, fits
from lib_lora.adapters.cayley import check_block_size, skewed, turn
from lib_lora.adapters.tensors import demand, one_number, row_slabs, shown, size_of
from lib_lora.errors import TensorShapeError


@dataclass(frozen=True, eq=False)
class BOFT:
    """turns `[m, n, b, b]` = R − I of every stage; orders `[m, size]`, the rows each stage takes together."""

    turns: Tensor
    orders: Tensor
    rescale: Tensor | None
    shape: Shape
    on_input: bool = False
    notes: tuple[str, ...] = ()
    family: str = "BOFT"
    rank: None = None

    @property
    def reads(self) -> str:
        """The outputs; PEFT's form turns inputs and scales outputs."""
        return WEIGHT if self.on_input else OUTPUTS

    @property
    def nbytes(self) -> int:
        """Memory the tensors take."""
        return size_of(self.turns, self.orders, self.rescale)

    def fits(self, host: Shape) -> bool:
        """Tell whether the change can be applied to a weight of that shape."""
        return fits(self.shape, host)

    def factors(self, shape: Shape) -> None:
        """The change depends on the weight, so it has no factors of its own."""

    def delta(self, base: Tensor) -> Tensor:
        """Return the change in the shape of `base`.

        What is summed is what each stage adds, so that rotations by nothing change nothing.
        """
        return self._change(base.reshape(base.shape[0], -1), self.rescale).reshape(base.shape)

    def add_to(self, out: Tensor, base: Tensor, strength: float) -> None:
        """Add the change to `out`, making a slab at a time; `out` is contiguous."""
        ours, theirs = out.view(out.shape[0], -1), base.reshape(base.shape[0], -1)
        if self.on_input:  # rows are independent of each other
            for slab in row_slabs(*ours.shape):
                factor = None if self.rescale is None else self.rescale[slab]
                ours[slab].add_(self._change(theirs[slab], factor), alpha=strength)
            return
        for slab in row_slabs(ours.shape[1], ours.shape[0]):  # columns are
            ours[:, slab].add_(self._change(theirs[:, slab], self.rescale), alpha=strength)

    def bias(self, base: Tensor | None = None) -> None:
        """No change to the bias."""

    def _change(self, weight: Tensor, rescale: Tensor | None) -> Tensor:
        """Return the change of some rows or some columns of `[out, in·kh·kw]`."""
        start = weight.T if self.on_input else weight
        change = torch.zeros_like(start)
        for turns, order in zip(self.turns, self.orders, strict=True):
            count, size, _ = turns.shape
            together = (start + change)[order].view(count, size, -1)
            change = change.index_add(0, order, torch.bmm(turns, together).flatten(0, 1))
        change = change.T if self.on_input else change
        if rescale is not None:
            factor = rescale[:, None]
            change = factor * change + (factor - 1) * weight
        return change


def read_stages(tensors: Mapping[str, Tensor]) -> BOFT:
    """Make LyCORIS' form from tensors by role; `AdapterError` when they do not belong together."""
    blocks = tensors["oft_blocks"]
    size = _check_blocks("oft_blocks", blocks)
    alpha = one_number(tensors.get("alpha"), "alpha")
    turns = turn(skewed(blocks, alpha * size if alpha is not None and alpha > 0 else None))
    rescale = tensors.get("rescale")
    if rescale is not None and rescale.numel() != size:
        raise TensorShapeError(
            f"rescale has shape {shown(rescale)}; one number for each of {size} was expected."
        )
    rows = torch.arange(size)
    halves = [(blocks.shape[-1] << stage) // 2 for stage in range(blocks.shape[0])]
    orders = torch.stack([rows.view(-1, 2, half).transpose(1, 2).flatten() for half in halves])
    return BOFT(turns, orders, None if rescale is None else rescale.reshape(size), (size, ANY))


def read(tensors: Mapping[str, Tensor]) -> BOFT:
    """Make PEFT's form from tensors by role; `AdapterError` when they do not belong together."""
    demand(tensors, "boft_r", "boft_s")
    blocks, rescale = tensors["boft_r"], tensors["boft_s"]
    size = _check_blocks("boft_R", blocks)
    if not rescale.numel():
        raise TensorShapeError(f"boft_s has shape {shown(rescale)}; one number per output was expected.")
    turns = turn(skewed(blocks, None) * -0.5)
    rows, group = torch.arange(size), blocks.shape[-1] // 2
    counts = [1 << stage for stage in range(blocks.shape[0])]
    orders = torch.stack([rows.view(-1, 2, n, group).transpose(1, 2).flatten() for n in counts])
    return BOFT(turns, orders, rescale.reshape(-1), (rescale.numel(), size), on_input=True)


def _check_blocks(role: str, blocks: Tensor) -> int:
    if blocks.dim() != 4 or blocks.shape[2] != blocks.shape[3] or blocks.shape[2] % 2 or not blocks.numel():
        raise TensorShapeError(
            f"{role} has shape {shown(blocks)}; blocks [stages, n, b, b] of even b were expected."
        )
    stages, count, size, _ = blocks.shape
    check_block_size(role, size)
    if stages > count.bit_length() or count % (1 << (stages - 1)):
        raise TensorShapeError(
            f"{role} {shown(blocks)} has more stages than its {count} blocks can be mixed in."
        )
    return count * size


FAMILY = Family(
    name="BOFT",
    marks=frozenset({"boft_r", "boft_s"}),
    may_have=frozenset(),
    read=read,
)
