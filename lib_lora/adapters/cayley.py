"""Rotations from skew-symmetric blocks, as OFT and BOFT store them; always in float32."""

from __future__ import annotations

import torch
from torch import Tensor

from lib_lora.errors import NonFiniteChangeError, TensorShapeError

_TOO_LARGE = "{} holds numbers so large that no rotation comes of them."
LARGEST_BLOCK = 1 << 12
"""Rows of a block; trainers make them of a few, at most of a whole layer. Its inverse takes rows³ steps."""


def skewed(blocks: Tensor, limit: float | None) -> Tensor:
    """Return `A − Aᵀ` of blocks `[…, b, b]`, shortened where the norm over all of them is above `limit`."""
    skew = blocks - blocks.transpose(-1, -2)
    norm = float(torch.linalg.vector_norm(skew))
    if limit is not None and norm > limit:
        skew = skew * (limit / norm)
    return skew


def turn(skew: Tensor) -> Tensor:
    """Return `R − I` of the Cayley rotation `R = (I + Q)(I − Q)⁻¹`, computed as `2Q(I − Q)⁻¹`.

    This way a rotation by nothing is exactly zero, and small ones keep their digits.
    """
    identity = torch.eye(skew.shape[-1], dtype=skew.dtype, device=skew.device)
    turned: Tensor
    turned, singular = torch.linalg.solve_ex(identity - skew, 2 * skew, left=False)
    if singular.any():  # in float32 the identity is lost beside enormous numbers
        raise NonFiniteChangeError(_TOO_LARGE.format("oft_blocks"))
    check_finite("oft_blocks", turned)
    return turned


def check_finite(role: str, turned: Tensor) -> None:
    """Refuse rotations by numbers so large that nothing finite comes out."""
    if not torch.isfinite(turned).all():
        raise NonFiniteChangeError(_TOO_LARGE.format(role))


def check_block_size(role: str, size: int) -> None:
    """Refuse blocks whose inverse would take minutes."""
    if size > LARGEST_BLOCK:
        raise TensorShapeError(f"{role} has blocks of {size} rows; the limit is {LARGEST_BLOCK}.")


def upper_triangle(values: Tensor, size: int) -> Tensor:
    """Return skew-symmetric blocks `[n, size, size]` from their upper triangles `[n, size·(size − 1)/2]`."""
    blocks = torch.zeros(values.shape[0], size, size, dtype=values.dtype)
    rows, columns = torch.triu_indices(size, size, 1)
    blocks[:, rows, columns] = values
    return blocks - blocks.transpose(-1, -2)
