"""LoRA and LoCon: `ΔW = alpha/rank · up @ down`, on linear layers and convolutions, also with a Tucker core.

    linear, 1×1    up [out, r]          down [r, in]           also written with two trailing 1s
    conv k×k       up [out, r, 1, 1]    down [r, in, k, k]
    Tucker         up [out, r, 1, 1]    down [r, in, 1, 1]     mid [r, r, k, k]

The middle's index 0 pairs with up, 1 with down. A stored `scale` stands for alpha/rank, as in A1111. Hu
et al. 2021, arXiv 2106.09685; the convolutions as LyCORIS and kohya's trainer save them.

A bias has four meanings: `lora_up_bias` is PEFT's (`lora_bias`), added to the layer's and scaled like the
weight; `diff_b` is added as it is; `bias` with one number per output is PEFT's too (`bias="all"`), the
layer's new bias; with as many numbers as ΔW it is a part of ΔW (see `residual.py`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_lora.adapters.base import NOTHING, Factors, Family, Shape, fits
from lib_lora.adapters.residual import ROLES as RESIDUAL_ROLES
from lib_lora.adapters.residual import Residual, read_residual
from lib_lora.adapters.tensors import check_size, check_weight, demand, one_number, shown, size_of, widened
from lib_lora.errors import OversizedChangeError, TensorShapeError

LARGEST_RANK = 1 << 12
"""Width of a bottleneck; more than any layer of these models needs. Its square is computed with."""


@dataclass(frozen=True, eq=False)
class LoRA:
    """One low-rank change; up `[out, r]`, down `[r, in]` or `[r, in, kh, kw]`, both as the file stores them.

    The bias `[out]` may change by up_bias (times the scale) and diff_b, or become new_bias. With a rest
    beside up @ down the change is of low rank no more. core: whether a Tucker core was contracted into down.
    """

    up: Tensor
    down: Tensor
    scale: float
    shape: Shape
    up_bias: Tensor | None = None
    diff_b: Tensor | None = None
    new_bias: Tensor | None = None
    rest: Residual | None = None
    core: bool = False
    notes: tuple[str, ...] = ()
    family: str = "LoRA"
    reads: str = NOTHING

    @property
    def rank(self) -> int:
        """Width of the bottleneck."""
        return self.up.shape[1]

    @property
    def nbytes(self) -> int:
        """Memory the tensors take."""
        rest = () if self.rest is None else (self.rest.values, self.rest.places)
        return size_of(self.up, self.down, self.up_bias, self.diff_b, self.new_bias, *rest)

    def fits(self, host: Shape) -> bool:
        """Tell whether the change can be applied to a weight of that shape."""
        return fits(self.shape, host)

    def factors(self, shape: Shape) -> Factors | None:
        """Return the factors for a host weight of that shape; input channels beyond ours get no change."""
        return None if self.rest is not None else self._factors(shape)

    def delta(self, base: Tensor) -> Tensor:
        """Return `alpha/rank · up @ down` in the shape of `base`."""
        factors = self._factors(tuple(base.shape)).exact
        product = factors.up @ factors.down
        if self.rest is not None:
            self.rest.add_to(product, 1.0)
        return (product * factors.scale).reshape(base.shape)

    def add_to(self, out: Tensor, base: Tensor, strength: float) -> None:
        """Add the change to `out` without making it; `out` is contiguous and of the shape of `base`."""
        rows, own = out.view(out.shape[0], -1), Factors(self.up, self.down.flatten(1), self.scale).exact
        rows[:, : own.down.shape[1]].addmm_(own.up, own.down, alpha=strength * self.scale)
        if self.rest is not None:
            self.rest.add_to(rows, strength * self.scale)

    def bias(self, base: Tensor | None = None) -> Tensor | None:
        """Return the change to the bias; PEFT scales its own like the weight."""
        if self.new_bias is not None:
            return self.new_bias if base is None else self.new_bias - base
        scaled = None if self.up_bias is None else self.up_bias * self.scale
        if self.diff_b is None:
            return scaled
        return self.diff_b if scaled is None else scaled + self.diff_b

    def _factors(self, shape: Shape) -> Factors:
        return Factors(self.up, widened(self.down.flatten(1), shape), self.scale)


def read(tensors: Mapping[str, Tensor]) -> LoRA:
    """Make one weight's adapter from tensors by role; `AdapterError` when they do not belong together."""
    demand(tensors, "lora_up", "lora_down")
    up, down, mid = tensors["lora_up"], tensors["lora_down"], tensors.get("lora_mid")
    for role, tensor in (("lora_up", up), ("lora_down", down)):
        if tensor.dim() not in (2, 4) or 0 in tensor.shape[2:]:
            raise TensorShapeError(
                f"{role} has shape {shown(tensor)}; a matrix or a convolution was expected."
            )
    if math.prod(up.shape[2:]) != 1:
        raise TensorShapeError(f"lora_up has shape {shown(up)}; its kernel must be 1×1.")
    middle = up.shape[1] if mid is None else _check_middle(mid, up, down)
    if mid is None and middle != down.shape[0]:
        raise TensorShapeError(
            f"lora_up {shown(up)} has rank {middle}, but lora_down {shown(down)} has rank {down.shape[0]}."
        )
    rank, notes = down.shape[0], []
    scale, note = read_scale(tensors, rank)
    if note:
        notes.append(note)
    if rank == 0:
        notes.append("has rank 0 and changes nothing")
    shape: Shape = (up.shape[0], *down.shape[1:])
    if mid is not None:
        shape = (up.shape[0], down.shape[1], *mid.shape[2:])
        check_size(up.shape[1], *shape[1:])
        # Contracted once here, so that everything behind treats it as a plain convolution.
        down = torch.einsum("abyx, bi -> aiyx", mid, down.flatten(1).to(mid.dtype))
    elif shape[2:] == (1, 1):
        shape, down = shape[:2], down.flatten(1)
    up = up.flatten(1)
    check_weight(up.shape[0], *down.shape[1:])
    new_bias, rest = _read_old_bias(tensors, up, math.prod(down.shape[1:]))
    if new_bias is not None:
        notes.append("replaces the layer's bias; strengths between 0 and 1 blend the two")
    return LoRA(
        up,
        down,
        scale,
        shape,
        _read_bias(tensors, "lora_up_bias", up),
        _read_bias(tensors, "diff_b", up),
        new_bias,
        rest,
        mid is not None,
        tuple(notes),
    )


def read_scale(tensors: Mapping[str, Tensor], rank: int) -> tuple[float, str]:
    """Return the stored scale, else alpha/rank, and a note for the user; a missing alpha means rank.

    Alpha 0 means rank too, as in kohya's and LyCORIS' trainers: none writes 0 for a LoRA that does nothing.
    """
    if rank > LARGEST_RANK:
        raise OversizedChangeError(f"the change has rank {rank}; the limit is {LARGEST_RANK}.")
    stored = one_number(tensors.get("scale"), "scale")
    value = one_number(tensors.get("alpha"), "alpha")
    if stored is not None:
        return stored, ""
    if value is None or rank == 0:
        return 1.0, ""
    if value == 0:
        return 1.0, "has alpha 0, taken as alpha = rank"
    return value / rank, ""


def _check_middle(mid: Tensor, up: Tensor, down: Tensor) -> int:
    if mid.dim() != 4 or 0 in mid.shape[2:]:
        raise TensorShapeError(f"lora_mid has shape {shown(mid)}; only convolutions can have a middle.")
    if down.flatten(1).shape[1] != down.shape[1]:
        raise TensorShapeError(f"lora_down has shape {shown(down)}; beside lora_mid its kernel must be 1×1.")
    if tuple(mid.shape[:2]) != (up.shape[1], down.shape[0]):
        raise TensorShapeError(
            f"lora_mid {shown(mid)} does not fit between lora_up {shown(up)} and lora_down {shown(down)}."
        )
    return up.shape[1]


def _read_bias(tensors: Mapping[str, Tensor], role: str, up: Tensor) -> Tensor | None:
    bias = tensors.get(role)
    if bias is not None and tuple(bias.shape) != (up.shape[0],):
        raise TensorShapeError(f"the bias beside lora_up {shown(up)} has shape {shown(bias)}.")
    return bias


def _read_old_bias(
    tensors: Mapping[str, Tensor], up: Tensor, width: int
) -> tuple[Tensor | None, Residual | None]:
    """Return what `bias` means: the layer's new bias (PEFT), or a part of ΔW (early LyCORIS)."""
    bias, rest = tensors.get("bias"), read_residual(tensors, up.shape[0], width)
    if bias is None or rest is not None:
        return None, rest
    if tuple(bias.shape) == (up.shape[0],):
        return bias, None
    raise TensorShapeError(f"the bias beside lora_up {shown(up)} has shape {shown(bias)}.")


FAMILY = Family(
    name="LoRA",
    marks=frozenset({"lora_up", "lora_down", "lora_mid", "lora_up_bias"}),
    may_have=frozenset({"alpha", "scale", "diff_b", "bias"}) | RESIDUAL_ROLES,
    read=read,
    keeps=frozenset({"lora_up", "lora_down"}),
)
