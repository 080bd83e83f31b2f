"""What early LyCORIS keeps of ΔW beside `up @ down`: the rest of an extraction, whole or its largest numbers.

    bias             as many numbers as ΔW, in its order
    bias_indices     [dims, n], bias_values [n], bias_size [dims]      the same, sparse (`--sparsity`)

A1111 adds it to `up @ down` before the scale, and so does this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_lora.adapters.tensors import demand, shown
from lib_lora.errors import MixedFamiliesError, TensorShapeError

ROLES = frozenset({"bias_indices", "bias_values", "bias_size"})
SIZES_LIMIT = 8


@dataclass(frozen=True, eq=False)
class Residual:
    """values `[out, width]`, or `[n]` with their places `[n]` in that matrix read row by row."""

    values: Tensor
    places: Tensor | None
    width: int

    def add_to(self, rows: Tensor, factor: float) -> None:
        """Add `factor` times it to a contiguous `[out, in·kh·kw]`, which may have more columns than ours."""
        if self.places is None:
            rows[:, : self.width].add_(self.values, alpha=factor)
            return
        places = self.places
        if rows.shape[1] != self.width:
            places = places // self.width * rows.shape[1] + places % self.width
        rows.view(-1).index_add_(0, places, self.values, alpha=factor)


def read_residual(tensors: Mapping[str, Tensor], rows: int, width: int) -> Residual | None:
    """Return what stands beside a change of `[rows, width]`, None when nothing does.

    Raises `AdapterError` for tensors of other sizes. A `bias` of one number per output is none of ours.
    """
    whole = tensors.get("bias")
    if ROLES & tensors.keys():
        if whole is not None:
            raise MixedFamiliesError("bias stands beside bias_indices; only one of them can be meant.")
        return _read_sparse(tensors, rows, width)
    if whole is None or whole.numel() != rows * width or whole.shape == (rows,):
        return None
    return Residual(whole.reshape(rows, width), None, width)


def _read_sparse(tensors: Mapping[str, Tensor], rows: int, width: int) -> Residual:
    demand(tensors, *sorted(ROLES))
    indices, values, size = (tensors[role] for role in ("bias_indices", "bias_values", "bias_size"))
    if size.numel() > SIZES_LIMIT:
        raise TensorShapeError(
            f"bias_size has {size.numel()} numbers; a change has up to {SIZES_LIMIT} sides."
        )
    sizes = [int(count) for count in size.flatten().tolist()]
    total = 1
    for count in sizes:
        total *= count
    if total != rows * width or not sizes or sizes[0] != rows or not all(0 < n <= total for n in sizes):
        raise TensorShapeError(f"bias_size is {sizes}, but the change is for [{rows}, {width}].")
    if indices.shape != (len(sizes), values.numel()) or values.dim() != 1:
        raise TensorShapeError(f"bias_indices {shown(indices)} does not fit bias_values {shown(values)}.")
    limits = torch.tensor(sizes)[:, None]
    places = indices.long()
    if bool(((places != indices) | (places < 0) | (places >= limits)).any()):
        raise TensorShapeError(f"bias_indices leaves the change of size {sizes}.")
    flat = torch.zeros(values.numel(), dtype=torch.int64)
    for count, along in zip(sizes, places, strict=True):
        flat = flat * count + along
    if bool((flat.sort().values.diff() == 0).any()):
        raise TensorShapeError("bias_indices names a place twice.")
    return Residual(values, flat, width)
