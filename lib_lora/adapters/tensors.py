"""What every family does with its tensors: demand them, name their shapes, lay a change over the weight."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from lib_lora.adapters.base import Shape
from lib_lora.errors import (
    MissingTensorError,
    NotOneNumberError,
    OversizedChangeError,
    TensorShapeError,
)

LARGEST_WEIGHT = 1 << 27
"""Numbers in a weight; the largest layers have half. Two files of kilobytes multiply to any size."""

SLAB = 1 << 20
"""Numbers of a change made at a time, where it has to be made before it is added: 4 MB in float32."""


def demand(tensors: Mapping[str, Tensor], *roles: str) -> None:
    """Raise `AdapterError` naming every role that is missing."""
    missing = [role for role in roles if role not in tensors]
    if missing:
        raise MissingTensorError(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing.")


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
        raise NotOneNumberError(f"{role} must be one number, but has shape {shown(tensor)}.")
    value = float(tensor)
    if not math.isfinite(value):
        raise NotOneNumberError(f"{role} is {value}, which is not a number one can compute with.")
    return value


def matrix(tensors: Mapping[str, Tensor], role: str) -> Tensor:
    """Return a tensor as `[rows, everything else]`; anything but 2-D and 4-D is refused."""
    tensor = tensors[role]
    if tensor.dim() not in (2, 4) or 0 in tensor.shape[2:]:
        raise TensorShapeError(f"{role} has shape {shown(tensor)}; a matrix or a convolution was expected.")
    return tensor.flatten(1)


def check_product(left: tuple[str, Tensor], right: tuple[str, Tensor]) -> None:
    """Refuse two matrices that cannot be multiplied, or whose product no layer has."""
    if left[1].shape[1] != right[1].shape[0]:
        raise TensorShapeError(f"{left[0]} {shown(left[1])} does not fit {right[0]} {shown(right[1])}.")
    check_weight(left[1].shape[0], right[1].shape[1])


def check_weight(*sizes: int) -> None:
    """Refuse a change of no numbers, or of more than any layer has, before memory is asked for."""
    if 0 in sizes:
        raise TensorShapeError(
            f"the change would be of {' × '.join(map(str, sizes))} numbers, which is none."
        )
    check_size(*sizes)


def check_size(*sizes: int) -> None:
    """Refuse a tensor of more numbers than any layer has, before memory is asked for."""
    if math.prod(sizes) > LARGEST_WEIGHT:
        raise OversizedChangeError(
            f"the change would be of {' × '.join(map(str, sizes))} numbers, more than any layer has."
        )


def contract(core: tuple[str, Tensor], left: tuple[str, Tensor], right: tuple[str, Tensor]) -> Tensor:
    """Return a Tucker core `[r, s, kh, kw]` times right `[s, in]`, as `[r, in, kh, kw]`; left is `[r, …]`."""
    if core[1].dim() != 4 or 0 in core[1].shape[2:]:
        raise TensorShapeError(
            f"{core[0]} has shape {shown(core[1])}; a core of four dimensions was expected."
        )
    if tuple(core[1].shape[:2]) != (left[1].shape[0], right[1].shape[0]):
        raise TensorShapeError(
            f"{core[0]} {shown(core[1])} does not fit between {left[0]} {shown(left[1])} "
            f"and {right[0]} {shown(right[1])}."
        )
    check_size(core[1].shape[0], right[1].shape[1], *core[1].shape[2:])
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


def row_slabs(rows: int, width: int) -> Iterator[slice]:
    """Cut `[rows, width]` into slabs of rows of about `SLAB` numbers, one row at least."""
    step = max(1, SLAB // max(1, width))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def without_kernel(shape: Shape) -> Shape:
    """Return a 1×1 convolution's shape as a matrix's, any other as it is."""
    return shape[:2] if shape[2:] == (1, 1) else shape
