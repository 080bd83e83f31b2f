"""A weight merged for one call and written over by the next layer's: quicker than beside it for many rows.

Computing beside a layer `[m, n]` costs 2·M·R·(m + n) operations for M rows, merging 2·m·n·R. So where k* is
below one call, merging at every call costs less, though it is used only once; and all it needs is memory for
one weight at a time. On processors in float32 only, where it is measured.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lib_lora.engine.arithmetic import exact_arithmetic
from lib_lora.engine.bypass import Bypass
from lib_lora.engine.merging import ran_out
from lib_lora.engine.pace import calls_to_pay
from lib_lora.engine.scratch import Scratch


class Once:
    """The buffer for all layers of a part that are computed so."""

    def __init__(self) -> None:
        self._scratch = Scratch()
        self._short = False

    def compute(self, bypass: Bypass, module: Any, x: Tensor) -> Tensor | None:
        """Return a linear layer's output with its changes, None where beside it is quicker or needed."""
        weight = module.weight
        if self._short or not bypass.low_rank_only or not _plain(x) or not _plain(weight):
            return None
        if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
            return None  # gradients would read the buffer after it was written over
        if calls_to_pay(weight.shape, x.numel() // weight.shape[1]) >= 1:
            return None
        try:
            merged = self._merge(bypass, weight.detach())
        except Exception as error:
            if not ran_out(error):
                raise
            self._short = True
            self._scratch.clear()
            return None
        return functional.linear(x, merged, module.bias)

    def _merge(self, bypass: Bypass, weight: Tensor) -> Tensor:
        with exact_arithmetic([weight.device]):
            up, down = bypass.factors(weight)
            target = self._scratch.take("once", weight.shape, weight.dtype, weight.device)
            return torch.addmm(weight, up, down, out=target)

    @property
    def nbytes(self) -> int:
        """Bytes of the buffer."""
        return self._scratch.nbytes

    def clear(self) -> None:
        """Give the buffer back, and try again next time."""
        self._short = False
        self._scratch.clear()


def _plain(tensor: Tensor) -> bool:
    return (
        tensor.dtype == torch.float32 and tensor.device.type == "cpu" and not hasattr(tensor, "quant_state")
    )
