"""LoRA and LoCon: `ΔW = alpha/rank · up @ down`, on linear layers and convolutions, also with a Tucker core.

    linear, 1×1    up [out, r]          down [r, in]           also written with two trailing 1s
    conv k×k       up [out, r, 1, 1]    down [r, in, k, k]
    Tucker         up [out, r, 1, 1]    down [r, in, 1, 1]     mid [r, r, k, k]

The middle's index 0 pairs with up, 1 with down. Hu et al. 2021, arXiv 2106.09685; the convolutions
as LyCORIS and kohya's trainer save them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from lib_lora.adapters.base import Factors, Family, Shape
from lib_lora.errors import AdapterError


@dataclass(frozen=True, eq=False)
class LoRA:
    """One low-rank change; up `[out, r]`, down `[r, in]` or `[r, in, kh, kw]`, bias change `[out]`."""

    up: Tensor
    down: Tensor
    scale: float
    shape: Shape
    up_bias: Tensor | None = None
    notes: tuple[str, ...] = ()
    family: str = "LoRA"

    @property
    def rank(self) -> int:
        """Width of the bottleneck."""
        return self.up.shape[1]

    @property
    def nbytes(self) -> int:
        """Memory the tensors take."""
        tensors = (self.up, self.down) if self.up_bias is None else (self.up, self.down, self.up_bias)
        return sum(tensor.nelement() * tensor.element_size() for tensor in tensors)

    def factors(self, shape: Shape) -> Factors:
        """Return the factors for a host weight of that shape; input channels beyond ours get no change."""
        down = self.down
        missing = shape[1] - down.shape[1]
        if missing > 0:
            spatial = down if down.dim() == 4 else down[:, :, None, None]
            down = functional.pad(spatial, (0, 0, 0, 0, 0, missing))
        return Factors(self.up, down.flatten(1), self.scale)

    def delta(self, base: Tensor) -> Tensor:
        """Return `alpha/rank · up @ down` in the shape of `base`."""
        factors = self.factors(tuple(base.shape))
        return ((factors.up @ factors.down) * factors.scale).reshape(base.shape)

    def bias(self) -> Tensor | None:
        """Return the change to the bias, which PEFT scales like the weight."""
        return None if self.up_bias is None else self.up_bias * self.scale


def read(tensors: Mapping[str, Tensor]) -> LoRA:
    """Make one weight's adapter from tensors by role; `AdapterError` when they do not belong together."""
    up, down, mid = tensors["lora_up"], tensors["lora_down"], tensors.get("lora_mid")
    for role, tensor in (("lora_up", up), ("lora_down", down)):
        if tensor.dim() not in (2, 4):
            raise AdapterError(f"{role} has shape {_shown(tensor)}; a matrix or a convolution was expected.")
    if up.flatten(1).shape[1] != up.shape[1]:
        raise AdapterError(f"lora_up has shape {_shown(up)}; its kernel must be 1×1.")
    middle = up.shape[1] if mid is None else _check_middle(mid, up, down)
    if mid is None and middle != down.shape[0]:
        raise AdapterError(
            f"lora_up {_shown(up)} has rank {middle}, but lora_down {_shown(down)} has rank {down.shape[0]}."
        )
    rank, notes = down.shape[0], []
    scale, note = read_scale(tensors.get("alpha"), rank)
    if note:
        notes.append(note)
    if rank == 0:
        notes.append("has rank 0 and changes nothing")
    shape: Shape = (up.shape[0], *down.shape[1:])
    if mid is not None:
        shape = (up.shape[0], down.shape[1], *mid.shape[2:])
        # Contracted once here, so that everything behind treats it as a plain convolution.
        down = torch.einsum("abyx, bi -> aiyx", mid, down.flatten(1))
    elif shape[2:] == (1, 1):
        shape, down = shape[:2], down.flatten(1)
    return LoRA(up.flatten(1), down, scale, shape, _read_bias(tensors, up), tuple(notes))


def read_scale(alpha: Tensor | None, rank: int) -> tuple[float, str]:
    """Return alpha/rank and a note for the user; a missing alpha means rank.

    Alpha 0 means rank too, as in kohya's and LyCORIS' trainers: none writes 0 for a LoRA that does nothing.
    """
    if alpha is None or rank == 0:
        return 1.0, ""
    if alpha.numel() != 1:
        raise AdapterError(f"alpha must be one number, but has shape {_shown(alpha)}.")
    value = float(alpha.reshape(-1)[0])
    if not math.isfinite(value):
        raise AdapterError(f"alpha is {value}, which is not a number one can multiply with.")
    if value == 0:
        return 1.0, "has alpha 0, taken as alpha = rank"
    return value / rank, ""


def _check_middle(mid: Tensor, up: Tensor, down: Tensor) -> int:
    if mid.dim() != 4:
        raise AdapterError(f"lora_mid has shape {_shown(mid)}; only convolutions can have a middle.")
    if down.flatten(1).shape[1] != down.shape[1]:
        raise AdapterError(f"lora_down has shape {_shown(down)}; beside lora_mid its kernel must be 1×1.")
    if tuple(mid.shape[:2]) != (up.shape[1], down.shape[0]):
        raise AdapterError(
            f"lora_mid {_shown(mid)} does not fit between lora_up {_shown(up)} and lora_down {_shown(down)}."
        )
    return up.shape[1]


def _read_bias(tensors: Mapping[str, Tensor], up: Tensor) -> Tensor | None:
    bias = tensors.get("lora_up_bias")
    if bias is not None and tuple(bias.shape) != (up.shape[0],):
        raise AdapterError(f"the bias beside lora_up {_shown(up)} has shape {_shown(bias)}.")
    return bias


def _shown(tensor: Tensor) -> str:
    return "[" + ", ".join(str(size) for size in tensor.shape) + "]"


FAMILY = Family(
    name="LoRA",
    needs=frozenset({"lora_up", "lora_down"}),
    may_have=frozenset({"lora_mid", "lora_up_bias", "alpha"}),
    read=read,
)
