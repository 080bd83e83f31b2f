"""All low-rank changes of one weight side by side, so that the whole stack is one product."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from itertools import accumulate

import torch
from torch import Tensor

from lib_lora.adapters import Factors
from lib_lora.engine.scratch import Scratch
from lib_lora.engine.upload import place
from lib_lora.plan import Contribution


class RankSlots:
    """`up [out, R]` and `down [R, in·kh·kw]` of several changes; R is the sum of their ranks.

    They are made anew when the set of networks changes and never grown or compacted, so that the same set
    always gives the same memory layout and therefore the same bits; `before` lends what it has in common.

    On a graphics card the slots hold what the files hold, and moving a slider only changes what they are
    multiplied by: nothing has to be brought there again. On a processor the files' numbers are at hand, so
    `down` holds them scaled, and a slider that moves costs its own ranks only.

    In 16 bits each network's factors are first brought near 1 by powers of two, so that none of their numbers
    gets too small or too large for it.
    """

    __slots__ = ("_powers", "_ranks", "_rows", "_scales", "down", "key", "up")

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
        self._rows: tuple[slice, ...] = ()
        self._scales: list[float | None] | None = None
        up, down = factors[0].up, factors[0].down
        alone = len(factors) == 1 and not any(self._powers[0]) and like.device == up.device
        if alone and up.dtype == down.dtype == dtype:
            self.up, self.down = up, arranged(down, like)
            return
        self.up = torch.empty(up.shape[0], sum(self._ranks), dtype=dtype, device=like.device)
        self.down = torch.empty(sum(self._ranks), down.shape[1], dtype=dtype, device=like.device)
        ends = tuple(accumulate(self._ranks))
        self._rows = tuple(slice(end - rank, end) for end, rank in zip(ends, self._ranks, strict=True))
        if isinstance(key, SlotsKey) and like.device.type == "cpu" and torch.finfo(dtype).bits >= 32:
            self._scales = [None] * len(factors)
        for number, (found, rows) in enumerate(zip(factors, self._rows, strict=True)):
            lent = None if before is None or not isinstance(key, SlotsKey) else before._lent(key, number)
            up_power, down_power = self._powers[number]
            place(_raised(found.up, up_power) if lent is None else lent[0], self.up[:, rows])
            if self._scales is None:
                down = _raised(arranged(found.down, like), down_power) if lent is None else lent[1]
                place(down, self.down[rows])

    def scaled(
        self, changes: Sequence[Contribution], like: Tensor, scratch: Scratch
    ) -> tuple[Tensor, Tensor, float]:
        """Return up, down and a number: together their product is the sum of the scaled changes.

        changes: those the slots were made of, at their present strengths; like: the weight.
        """
        wanted = [
            scale / 2.0 ** sum(powers) for scale, powers in zip(scales(changes), self._powers, strict=True)
        ]
        if self._scales is not None:
            self._rescale(changes, wanted, like)
            return self.up, self.down, 1.0
        largest = max(wanted, key=abs)
        if largest == 0 or all(scale == largest for scale in wanted):
            return self.up, self.down, largest
        # The largest scale is left to the product itself, the smaller of the two factors takes the rest.
        column = scratch.column(tuple(scale / largest for scale in wanted), self._ranks, self.down)
        if self.up.shape[0] <= self.down.shape[1]:
            up = scratch.take("factor", self.up.shape, self.up.dtype, self.up.device)
            return torch.mul(self.up, column, out=up), self.down, largest
        down = scratch.take("factor", self.down.shape, self.down.dtype, self.down.device)
        return self.up, torch.mul(self.down, column[:, None], out=down), largest

    def _rescale(self, changes: Sequence[Contribution], wanted: Sequence[float], like: Tensor) -> None:
        """Let `down` hold every change at its scale; what has another one is made from the file's numbers."""
        assert self._scales is not None
        for number, (change, scale) in enumerate(zip(changes, wanted, strict=True)):
            if self._scales[number] != scale:
                assert change.factors is not None
                rows, self._scales[number] = self.down[self._rows[number]], None
                rows.copy_(arranged(change.factors.down, like)).mul_(scale)
                self._scales[number] = scale

    def scaled_down(self, scales: Sequence[float]) -> Tensor:
        """Return `down` with the rows of each change multiplied by its scale."""
        return self.down * Scratch().column(tuple(scales), self._ranks, self.down)[:, None].to(
            self.down.dtype
        )

    @property
    def nbytes(self) -> int:
        """Bytes of both factors."""
        return sum(tensor.nelement() * tensor.element_size() for tensor in (self.up, self.down))

    def _lent(self, key: SlotsKey, number: int) -> tuple[Tensor, Tensor] | None:
        """Return the factors of a network of other slots, if these hold it too, unscaled and in that form."""
        if self._scales is not None or not self._rows or not isinstance(self.key, SlotsKey):
            return None
        if self.key.form != key.form or key.networks[number] not in self.key.networks:
            return None
        rows = self._rows[self.key.networks.index(key.networks[number])]
        return self.up[:, rows], self.down[rows]


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
