"""A weight merged for one call and dropped again, where neither a copy nor a change beside it is possible.

A fused attention hands its weights to one function, so there is no output to add a change to. Text encoders
run a few times a picture: what they cost is little beside the memory of a copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from lib_lora.engine.arithmetic import exact_arithmetic
from lib_lora.engine.budget import MERGEABLE
from lib_lora.engine.merged import MergedWeight
from lib_lora.engine.scratch import Scratch
from lib_lora.engine.view import Layer
from lib_lora.errors import EngineError
from lib_lora.plan import Contribution


@dataclass(frozen=True, eq=False)
class _Loose:
    """A weight and a bias that no module holds."""

    weight: Tensor
    bias: Tensor | None


class Temporary:
    """The changes of one layer, merged anew into whatever its weight is at a call."""

    nbytes = 0

    def __init__(self, layer: Layer, changes: Sequence[Contribution]) -> None:
        if hasattr(layer.module.weight, "quant_state"):
            raise EngineError(
                f"The weight {layer.name} is stored compressed inside an attention, where it cannot be "
                "changed. Load the checkpoint without compression, or set the row's text encoder weight to 0."
            )
        self._layer, self._changes = layer, tuple(changes)

    def follows(self) -> bool:
        """Nothing is read beforehand."""
        return True

    def tensors(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return weight and bias for the input `x`; compressed numbers are first brought to its type."""
        weight, bias = self._layer.module.weight.detach(), self._layer.module.bias
        dtype = weight.dtype if weight.dtype in MERGEABLE else x.dtype
        with exact_arithmetic([x.device]):
            base = _Loose(
                weight.to(x.device, dtype), None if bias is None else bias.detach().to(x.device, dtype)
            )
            merged = MergedWeight()
            merged.update(base, self._changes, Scratch())
            assert merged.weight is not None
            return merged.weight, base.bias if merged.bias is None else merged.bias
