"""Merging into weights of 16 bits: when their own arithmetic is exact enough, and when numbers get too large.

A merge in float32 rounds once, at the end. Graphics cards multiply 16-bit numbers many times faster, sum in
float32 and round once too, but the factors have to be rounded beforehand. That is the smaller error by far as
long as the change is small beside the weight, as trained ones are; where it is not, float32 is taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lib_lora.errors import EngineError
from lib_lora.plan import Contribution

NARROW = (torch.float16, torch.bfloat16)
WIDE_ONLY = ("cpu",)
"""Kinds of devices that take float32: few of them gain by 16-bit products, and so every number is rounded
rightly there."""

SMALL_BESIDE = 0.085
"""Up to this part of the weight's norm a change may have its factors rounded: as measured, the error is then
√(1 + 2.65 · part²) times that of the last rounding, so it stays within one hundredth of it."""


def suits_16_bits(base: Tensor, size: float, changes: Sequence[Contribution]) -> bool:
    """Tell whether low-rank changes to a weight of norm `size` may be multiplied in its own number type."""
    if base.dtype not in NARROW or base.device.type in WIDE_ONLY or not changes:
        return False
    return math.hypot(*_sizes(changes, 1)) <= SMALL_BESIDE * size


def stays_in_range(dtype: torch.dtype, size: float, changes: Sequence[Contribution]) -> bool:
    """Tell, without looking at its numbers, that the merged weight cannot leave its number type's range."""
    return size + sum(_sizes(changes, 0)) < torch.finfo(dtype).max


def check_range(exact: Tensor, dtype: torch.dtype) -> None:
    """Refuse a weight that becomes infinite when it is rounded."""
    if exact.nelement() == 0:
        return
    low, high = torch.aminmax(exact)
    limit = torch.finfo(dtype).max
    if not -limit <= float(low) <= float(high) <= limit:
        largest = max(abs(float(low)), abs(float(high)))
        shown = f"{largest:.3g}" if math.isfinite(largest) else "infinity"
        raise EngineError(
            f"At these weights the model leaves the range of half precision ({shown} is above {limit:.3g}), "
            "and the picture would be black. Use smaller weights, or start the WebUI with --no-half."
        )


def _sizes(changes: Sequence[Contribution], which: int) -> list[float]:
    """Return what `Factors.sizes` says of each low-rank change at its strength."""
    return [
        abs(change.strength * change.factors.scale) * change.factors.sizes[which]
        for change in changes
        if change.factors is not None
    ]
