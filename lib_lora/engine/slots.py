"""All low-rank changes of one weight side by side, so that the whole stack is one product."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from lib_lora.adapters import Factors
from lib_lora.plan import Contribution


class RankSlots:
    """`up [out, R]` and `down [R, in·kh·kw]` of several changes; R is the sum of their ranks.

    The slots hold what the files hold. Moving a slider only changes the scale each row of `down` is
    multiplied by. They are made anew when the set of networks changes and never grown or compacted, so that
    the same set always gives the same memory layout and therefore the same bits.
    """

    __slots__ = ("_ranks", "down", "key", "up")

    def __init__(self, key: Hashable, factors: Sequence[Factors], like: Tensor, dtype: torch.dtype) -> None:
        ups = [found.up for found in factors]
        downs = [arranged(found.down, like) for found in factors]
        self.key = key
        self.up = (ups[0] if len(ups) == 1 else torch.cat(ups, dim=1)).to(like.device, dtype)
        self.down = (downs[0] if len(downs) == 1 else torch.cat(downs)).to(like.device, dtype)
        self._ranks = [found.up.shape[1] for found in factors]

    def scaled_down(self, scales: Sequence[float]) -> Tensor:
        """Return `down` with the rows of each change multiplied by its scale."""
        rows = [scale for scale, rank in zip(scales, self._ranks, strict=True) for _ in range(rank)]
        column: Tensor = torch.tensor(rows, dtype=self.down.dtype, device=self.down.device)[:, None]
        return self.down * column

    @property
    def nbytes(self) -> int:
        """Bytes of both factors."""
        return sum(tensor.nelement() * tensor.element_size() for tensor in (self.up, self.down))


def slots_key(changes: Sequence[Contribution], like: Tensor) -> Hashable:
    """Equal as long as the slots can be kept: same networks, same device, same layout of the weight."""
    return tuple(change.network for change in changes), like.device, is_channels_last(like)


def factor_bytes(changes: Sequence[Contribution]) -> int:
    """Bytes the slots of these changes take."""
    factors = [change.factors for change in changes if change.factors is not None]
    return sum(4 * (found.up.nelement() + found.down.nelement()) for found in factors)


def scales(changes: Sequence[Contribution]) -> list[float]:
    """Return strength × alpha/rank of each low-rank change."""
    return [change.strength * change.factors.scale for change in changes if change.factors is not None]


def is_channels_last(tensor: Tensor) -> bool:
    """Tell whether a convolution's weight lies in memory as `[out, kh, kw, in]`."""
    return (
        tensor.dim() == 4
        and not tensor.is_contiguous()
        and tensor.is_contiguous(memory_format=torch.channels_last)
    )


def as_matrix(weight: Tensor) -> Tensor:
    """View a weight as `[out, in·kh·kw]` in the order of its memory; never a copy."""
    if weight.dim() == 2:
        return weight
    if is_channels_last(weight):
        weight = weight.permute(0, 2, 3, 1)
    return weight.view(weight.shape[0], -1)


def arranged(down: Tensor, like: Tensor) -> Tensor:
    """Return `down [rank, in·kh·kw]` with its columns in the order of `as_matrix(like)`."""
    if not is_channels_last(like):
        return down
    _, width, height, breadth = like.shape
    spatial = down.view(down.shape[0], width, height, breadth)
    return spatial.permute(0, 2, 3, 1).reshape(down.shape[0], -1)
