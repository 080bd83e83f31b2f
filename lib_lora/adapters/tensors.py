"""What every family does with its tensors: demand them, name their shapes, lay a change over the weight."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from lib_lora.adapters.base import Shape
from lib_lora.errors import AdapterError


def demand(tensors: Mapping[str, Tensor], *roles: str) -> None:
    """Raise `AdapterError` naming every role that is missing."""
    missing = [role for role in roles if role not in tensors]
    if missing:
        raise AdapterError(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing.")


def shown(tensor: Tensor) -> str:
    """Return a tensor's shape as users know it from error messages: `[320, 4, 1, 1]`."""
    return "[" + ", ".join(str(size) for size in tensor.shape) + "]"


def size_of(*tensors: Tensor | None) -> int:
    """Return the bytes that tensors take."""
    return sum(tensor.nelement() * tensor.element_size() for tensor in tensors if tensor is not None)


def one_number(tensor: Tensor | None, role: str) -> float | None:
    """Return the finite number a tensor of any shape holds; None for no tensor."""
    if tensor is None:
        return None
    if tensor.numel() != 1:
        raise AdapterError(f"{role} must be one number, but has shape {shown(tensor)}.")
    value = float(tensor.reshape(-1)[0])
    if not math.isfinite(value):
        raise AdapterError(f"{role} is {value}, which is not a number one can compute with.")
    return value


def matrix(tensors: Mapping[str, Tensor], role: str) -> Tensor:
    """Return a tensor as `[rows, everything else]`; anything but 2-D and 4-D is refused."""
    tensor = tensors[role]
    if tensor.dim() not in (2, 4):
        raise AdapterError(f"{role} has shape {shown(tensor)}; a matrix or a convolution was expected.")
    return tensor.flatten(1)


def check_product(left: tuple[str, Tensor], right: tuple[str, Tensor]) -> None:
    """Refuse two matrices that cannot be multiplied."""
    if left[1].shape[1] != right[1].shape[0]:
        raise AdapterError(f"{left[0]} {shown(left[1])} does not fit {right[0]} {shown(right[1])}.")


def contract(core: tuple[str, Tensor], left: tuple[str, Tensor], right: tuple[str, Tensor]) -> Tensor:
    """Return a Tucker core `[r, s, kh, kw]` times right `[s, in]`, as `[r, in, kh, kw]`; left is `[r, …]`."""
    if core[1].dim() != 4:
        raise AdapterError(f"{core[0]} has shape {shown(core[1])}; a core of four dimensions was expected.")
    if tuple(core[1].shape[:2]) != (left[1].shape[0], right[1].shape[0]):
        raise AdapterError(
            f"{core[0]} {shown(core[1])} does not fit between {left[0]} {shown(left[1])} "
            f"and {right[0]} {shown(right[1])}."
        )
    return torch.einsum("rsyx, si -> riyx", core[1], right[1])


def widened(rows: Tensor, host: Shape) -> Tensor:
    """Return rows `[n, in·kh·kw]` with zeros for the input channels that the host's weight has beyond ours.

    Channels are the slowest of the flattened axes, so the missing ones stand at the end.
    """
    missing = math.prod(host[1:]) - rows.shape[1]
    return functional.pad(rows, (0, missing)) if missing else rows


def laid_over(change: Tensor, base: Tensor) -> Tensor:
    """Return a change `[out, in·kh·kw]` in the shape of the weight."""
    return widened(change, tuple(base.shape)).reshape(base.shape)


def without_kernel(shape: Shape) -> Shape:
    """Return a 1×1 convolution's shape as a matrix's, any other as it is."""
    return shape[:2] if shape[2:] == (1, 1) else shape
