"""Working memory of a merge, shared by all layers that are merged in one go."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Scratch:
    """Buffers as large as the largest layer asked for, and the scales that many layers have in common."""

    def __init__(self) -> None:
        self._buffers: dict[tuple[str, torch.device, torch.dtype], Tensor] = {}
        self._columns: dict[tuple[object, ...], Tensor] = {}

    def take(self, use: str, shape: Sequence[int], dtype: torch.dtype, device: torch.device) -> Tensor:
        """Return a contiguous tensor, valid until the next call for the same use."""
        count = 1
        for size in shape:
            count *= size
        key = use, device, dtype
        buffer = self._buffers.get(key)
        if buffer is None or buffer.nelement() < count:
            self._buffers.pop(key, None)  # given back before the larger one is asked for
            buffer = self._buffers[key] = torch.empty(count, dtype=dtype, device=device)
        return buffer[:count].view(*shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all buffers."""
        return sum(buffer.nelement() * buffer.element_size() for buffer in self._buffers.values())

    def clear(self) -> None:
        """Give everything back."""
        self._buffers.clear()
        self._columns.clear()

    def like(self, weight: Tensor, dtype: torch.dtype, use: str, plain: bool = False) -> Tensor:
        """Return a tensor in the shape and layout of a dense `weight`, or contiguous if `plain`."""
        taken = self.take(use, weight.shape, dtype, weight.device)
        return taken if plain else taken.as_strided(weight.shape, weight.stride())

    def column(self, values: tuple[float, ...], ranks: tuple[int, ...], like: Tensor) -> Tensor:
        """Return each value as often as its rank says, as one tensor `[sum of ranks]` where `like` is.

        Most layers of a stack have the same one, so that it travels to the device once and not per layer.
        """
        dtype = torch.promote_types(like.dtype, torch.float32)
        key = values, ranks, like.device, dtype
        found = self._columns.get(key)
        if found is None:
            repeated = torch.tensor(values, dtype=dtype).repeat_interleave(torch.tensor(ranks))
            found = self._columns[key] = repeated.to(like.device)
        return found
