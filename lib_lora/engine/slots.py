"""All low-rank changes of one weight side by side, so that the whole stack is one product."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from lib_lora.adapters import Factors
from lib_lora.engine.scratch import Scratch
from lib_lora.engine.upload import place
from lib_lora.plan import Contribution


class RankSlots:
    """`up [out, R]` and `down [R, in·kh·kw]` of several changes; R is the sum of their ranks.

    The slots hold what the files hold; moving a slider only changes what they are multiplied by. They are
    made anew when the set of networks changes and never grown or compacted, so that the same set always
    gives the same memory layout and therefore the same bits; `before` lends what it has in common.

    In 16 bits each network's factors are first brought near 1 by powers of two, so that none of their numbers
    gets too small or too large for it.
    """

    __slots__ = ("_bounds", "_powers", "_ranks", "down", "key", "up")

    def __init__(
        self,
        key: Hashable,
        factors: Sequence[Factors],
        like: Tensor,
        dtype: torch.dtype,
        before: RankSlots | None = None,
    ) -> None:
        self.key = key
        self._ranks = tuple(found.up.shape[1] for found in factors)
        self._powers = tuple(_powers(found) if torch.finfo(dtype).bits < 32 else (0, 0) for found in factors)
        self._bounds: dict[Hashable, slice] = {}
        first = factors[0].up
        if (
            len(factors) == 1
            and (like.device, dtype) == (first.device, first.dtype)
            and not any(self._powers[0])
        ):
            self.up, self.down = first, arranged(factors[0].down, like)
            return
        total, (out, inner) = sum(self._ranks), (factors[0].up.shape[0], factors[0].down.shape[1])
        self.up = torch.empty(out, total, dtype=dtype, device=like.device)
        self.down = torch.empty(total, inner, dtype=dtype, device=like.device)
        start = 0
        names = key.networks if isinstance(key, SlotsKey) else tuple(range(len(factors)))
        for name, found, (up_power, down_power) in zip(names, factors, self._powers, strict=True):
            rows = slice(start, start := start + found.up.shape[1])
            self._bounds[name] = rows
            there = None if before is None else before._lent(name, self)
            up, down = there or (_raised(found.up, up_power), _raised(arranged(found.down, like), down_power))
            place(up, self.up[:, rows])
            place(down, self.down[rows])

    def scaled(self, scales: Sequence[float], scratch: Scratch) -> tuple[Tensor, Tensor, float]:
        """Return up, down and a number: together their product is the sum of the scaled changes.

        The largest scale is left to the product itself, the smaller of the two factors takes the rest: where
        all scales are equal nothing has to be multiplied beforehand.
        """
        scales = [scale / 2.0 ** sum(powers) for scale, powers in zip(scales, self._powers, strict=True)]
        largest = max(scales, key=abs)
        if largest == 0 or all(scale == largest for scale in scales):
            return self.up, self.down, largest
        column = scratch.column(tuple(scale / largest for scale in scales), self._ranks, self.down)
        if self.up.shape[0] <= self.down.shape[1]:
            up = scratch.take("factor", self.up.shape, self.up.dtype, self.up.device)
            return torch.mul(self.up, column, out=up), self.down, largest
        down = scratch.take("factor", self.down.shape, self.down.dtype, self.down.device)
        return self.up, torch.mul(self.down, column[:, None], out=down), largest

    def scaled_down(self, scales: Sequence[float]) -> Tensor:
        """Return `down` with the rows of each change multiplied by its scale."""
        return self.down * Scratch().column(tuple(scales), self._ranks, self.down)[:, None].to(
            self.down.dtype
        )

    @property
    def nbytes(self) -> int:
        """Bytes of both factors."""
        return sum(tensor.nelement() * tensor.element_size() for tensor in (self.up, self.down))

    def _lent(self, name: Hashable, to: RankSlots) -> tuple[Tensor, Tensor] | None:
        """Return one network's factors, for slots of the same form that have it too."""
        rows = self._bounds.get(name)
        if rows is None or not isinstance(self.key, SlotsKey) or not isinstance(to.key, SlotsKey):
            return None
        return (self.up[:, rows], self.down[rows]) if self.key.form == to.key.form else None


class SlotsKey(tuple[Hashable, ...]):
    """Equal as long as the slots can be kept: same networks, and the same device, layout and number type."""

    __slots__ = ()

    @property
    def networks(self) -> tuple[Hashable, ...]:
        """Whose factors stand in the slots, in their order."""
        return tuple(self[1:])

    @property
    def form(self) -> Hashable:
        """Device, layout and number type."""
        return self[0]


def slots_key(changes: Sequence[Contribution], like: Tensor, dtype: torch.dtype) -> SlotsKey:
    """Return the key of the slots that these low-rank changes of a weight `like` this one need."""
    form = like.device, is_channels_last(like), dtype
    return SlotsKey((form, *(change.network for change in changes)))


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


def _powers(factors: Factors) -> tuple[int, int]:
    """Return the powers of two by which up and down are multiplied to be near 1."""
    return tuple(-math.frexp(length)[1] if length else 0 for length in factors.longest)  # type: ignore[return-value]


def _raised(factor: Tensor, power: int) -> Tensor:
    return factor * 2.0**power if power else factor
