"""Rotations from skew-symmetric blocks, as OFT and BOFT store them; always in float32."""

from __future__ import annotations

import torch
from torch import Tensor


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
    turned: Tensor = torch.linalg.solve(identity - skew, 2 * skew, left=False)
    return turned


def upper_triangle(values: Tensor, size: int) -> Tensor:
    """Return skew-symmetric blocks `[n, size, size]` from their upper triangles `[n, size·(size − 1)/2]`."""
    blocks = torch.zeros(values.shape[0], size, size, dtype=values.dtype)
    rows, columns = torch.triu_indices(size, size, 1)
    blocks[:, rows, columns] = values
    return blocks - blocks.transpose(-1, -2)
