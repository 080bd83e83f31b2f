"""OFT: rotations of blocks of a weight's rows, `ΔW = rescale · Rᵀ W − W`; PEFT rotates its columns.

    oft_blocks [n, b, b]       R = (I + Q)(I − Q)⁻¹ with Q = A − Aᵀ; alpha·out is the longest Q may be (COFT)
    oft_diag [n, b, b]         R itself, in old LyCORIS files
    rescale [out, 1(, 1, 1)]   a factor for every output
    oft_r [n, b(b − 1)/2]      PEFT: the upper triangle of Q, on the input side

alpha 0 means no limit for LyCORIS and no rotation for kohya's trainer, whose files are told by their
prefix and come as `kohya_oft_blocks`. The strength interpolates the whole result, rescale included, so
that 0 is the untouched weight; LyCORIS itself does not interpolate rescale. PEFT's files do not say how
R was computed: its default, the series `I + 2(Q + Q² + Q³ + Q⁴)`, is assumed. The formula is that of
LyCORIS' `diag_oft` and kohya's `oft`, which agree; Qiu et al. 2023, arXiv 2306.07280.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_lora.adapters.base import ANY, INPUTS, OUTPUTS, Family, Shape, fits
from lib_lora.adapters.boft import BOFT, read_stages
from lib_lora.adapters.cayley import check_block_size, check_finite, skewed, turn, upper_triangle
from lib_lora.adapters.tensors import demand, one_number, shown, size_of
from lib_lora.errors import MissingTensorError, TensorShapeError

SERIES_TERMS = 4
"""Powers of Q in PEFT's series (`num_cayley_neumann_terms` counts the identity too)."""


@dataclass(frozen=True, eq=False)
class OFT:
    """turns `[n, b, b]` = rescale · Rᵀ − I: a block of rows (or columns) gains `turn @ block`."""

    turns: Tensor
    shape: Shape
    on_input: bool = False
    notes: tuple[str, ...] = ()
    family: str = "OFT"
    rank: None = None

    @property
    def reads(self) -> str:
        """The side it turns."""
        return INPUTS if self.on_input else OUTPUTS

    @property
    def nbytes(self) -> int:
        """Memory the tensors take."""
        return size_of(self.turns)

    def fits(self, host: Shape) -> bool:
        """Tell whether the change can be applied to a weight of that shape."""
        return fits(self.shape, host)

    def factors(self, shape: Shape) -> None:
        """The change depends on the weight, so it has no factors of its own."""

    def delta(self, base: Tensor) -> Tensor:
        """Return the change in the shape of `base`."""
        blocks = self._blocks(base.reshape(base.shape[0], -1))
        change = torch.bmm(self.turns, blocks)
        if self.on_input:
            change = change.permute(2, 0, 1)  # [out, n, b]
        return change.reshape(base.shape)

    def add_to(self, out: Tensor, base: Tensor, strength: float) -> None:
        """Add the change to `out` without making it; `out` is contiguous and of the shape of `base`."""
        theirs, ours = self._blocks(base.reshape(base.shape[0], -1)), self._blocks(out.view(out.shape[0], -1))
        if not self.on_input:
            torch.baddbmm(ours, self.turns, theirs, alpha=strength, out=ours)
            return
        for turn_of, from_, to in zip(self.turns, theirs, ours, strict=True):  # [b, b], [b, out], [b, out]
            to.addmm_(turn_of, from_, alpha=strength)

    def bias(self, base: Tensor | None = None) -> None:
        """No change to the bias."""

    def _blocks(self, rows: Tensor) -> Tensor:
        """View `[out, in·kh·kw]` as `[n, b, …]`, the rotated side cut into blocks."""
        count, size, _ = self.turns.shape
        if self.on_input:
            return rows.view(-1, count, size).permute(1, 2, 0)
        return rows.view(count, size, -1)


def read(tensors: Mapping[str, Tensor]) -> OFT | BOFT:
    """Make one weight's adapter from tensors by role; `AdapterError` when they do not belong together.

    LyCORIS writes BOFT under the same names, with one dimension more.
    """
    if "oft_r" in tensors:
        return _read_peft(tensors)
    role = next((name for name in ("oft_blocks", "kohya_oft_blocks", "oft_diag") if name in tensors), None)
    if role is None:
        raise MissingTensorError("oft_blocks is missing.")
    blocks = tensors[role]
    if blocks.dim() == 4 and role == "oft_blocks":
        return read_stages(tensors)
    if blocks.dim() != 3 or blocks.shape[1] != blocks.shape[2] or not blocks.numel():
        raise TensorShapeError(f"{role} has shape {shown(blocks)}; square blocks [n, b, b] were expected.")
    check_block_size(role, blocks.shape[1])
    rows, notes = blocks.shape[0] * blocks.shape[1], []
    identity = torch.eye(blocks.shape[1])
    if role == "oft_diag":
        turns = blocks.transpose(1, 2) - identity
    else:
        alpha = one_number(tensors.get("alpha"), "alpha")
        limit = alpha * rows if alpha is not None and (alpha > 0 or role == "kohya_oft_blocks") else None
        if limit is not None and limit <= 0:
            limit = 0.0
            notes.append("has an OFT constraint of 0, with which its trainer rotates nothing")
        turns = turn(skewed(blocks, limit)).transpose(1, 2)
    factor = read_rescale(tensors, rows)
    if factor is not None:
        factor = factor.view(blocks.shape[0], -1, 1)
        turns = factor * turns + (factor - 1) * identity
    return OFT(turns.contiguous(), (rows, ANY), notes=tuple(notes))


def _read_peft(tensors: Mapping[str, Tensor]) -> OFT:
    demand(tensors, "oft_r")
    values = tensors["oft_r"]
    size = (1 + math.isqrt(1 + 8 * values.shape[-1])) // 2 if values.dim() == 2 and values.numel() else 0
    if not size or size * (size - 1) // 2 != values.shape[1]:
        raise TensorShapeError(f"oft_R has shape {shown(values)}; triangles [n, b·(b − 1)/2] were expected.")
    check_block_size("oft_R", size)
    skew = upper_triangle(values, size)
    turns, power = torch.zeros_like(skew), skew
    for _ in range(SERIES_TERMS):
        turns = turns + 2 * power
        power = power @ skew
    note = "is PEFT's OFT, taken as computed with PEFT's default, the Cayley-Neumann series"
    check_finite("oft_R", turns)
    return OFT(turns, (ANY, values.shape[0] * size), on_input=True, notes=(note,))


def read_rescale(tensors: Mapping[str, Tensor], rows: int) -> Tensor | None:
    """Return the factors of the outputs as `[out]`."""
    rescale = tensors.get("rescale")
    if rescale is None:
        return None
    if rescale.numel() != rows or rescale.shape[:1] != (rows,):
        raise TensorShapeError(
            f"rescale has shape {shown(rescale)}; one number for each of {rows} was expected."
        )
    return rescale.reshape(rows)


FAMILY = Family(
    name="OFT",
    marks=frozenset({"oft_blocks", "kohya_oft_blocks", "oft_diag", "oft_r"}),
    may_have=frozenset({"rescale", "alpha"}),
    read=read,
)
