"""Computing a change beside an untouched layer: `y = base(x) + ((x · downᵀ) · upᵀ)`.

For weights that cannot be merged: stored compressed, already wrapped by somebody else, or no memory for a
copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lib_lora.adapters import Factors
from lib_lora.engine.merged import bias_change
from lib_lora.engine.slots import RankSlots, scales
from lib_lora.engine.view import CONV, Layer
from lib_lora.errors import EngineError
from lib_lora.plan import Contribution


class Bypass:
    """The change of one layer as something to add to its output.

    The strengths are folded into `down` in float32; both factors are then kept in the number type and on
    the device the layer's output has, which is what the host computes in, whatever it stores.
    """

    def __init__(self, layer: Layer, changes: Sequence[Contribution]) -> None:
        if any(change.factors is None for change in changes):
            families = ", ".join(sorted({c.adapter.family for c in changes if c.factors is None}))
            raise EngineError(
                f"{families} can only be merged into the model, and the weight {layer.name} cannot be "
                "merged. Choose the merged mode in the settings, or remove the rows of that family."
            )
        factors = [change.factors for change in changes if change.factors is not None]
        like = torch.empty(0)
        slots = RankSlots(None, factors, like, torch.float32)
        self._module = layer.module
        self._conv = layer.kind == CONV
        self._exact = Factors(slots.up, slots.scaled_down(scales(changes)), 1.0)
        self._exact_bias = bias_change(changes, _readable(layer.module.bias))
        self._ready: tuple[Tensor, Tensor, Tensor | None] | None = None
        if self._conv:
            self._kernel = tuple(layer.module.weight.shape[1:])

    def add_to(self, output: Tensor, x: Tensor) -> Tensor:
        """Return `output` plus the change for the input `x`; neither is written."""
        up, down, bias = self._in_form_of(output)
        x = x.to(output.dtype)
        if self._conv:
            hidden = self._module._conv_forward(x, down, None)
            changed: Tensor = output + functional.conv2d(hidden, up)
            return changed if bias is None else changed + bias[:, None, None]
        hidden = functional.linear(x, down).reshape(-1, down.shape[0])
        changed = torch.addmm(output.reshape(-1, up.shape[0]), hidden, up.t()).view(output.shape)
        return changed if bias is None else changed + bias

    @property
    def nbytes(self) -> int:
        """Bytes of the factors."""
        held = [self._exact.up, self._exact.down, *(t for t in self._ready or () if t is not None)]
        return sum(tensor.nelement() * tensor.element_size() for tensor in held)

    def _in_form_of(self, output: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        ready = self._ready
        if ready is None or ready[0].dtype != output.dtype or ready[0].device != output.device:
            with torch.inference_mode(False), torch.no_grad():
                up = self._exact.up.to(output.device, output.dtype)
                down = self._exact.down.to(output.device, output.dtype)
                if self._conv:
                    up, down = up[:, :, None, None], down.reshape(-1, *self._kernel)
                bias = None if self._exact_bias is None else self._exact_bias.to(up)
            ready = self._ready = up, down, bias
        return ready


def _readable(bias: Tensor | None) -> Tensor | None:
    return bias if bias is not None and bias.is_floating_point() else None


def class_forward(module: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the layer as its class defines it now, so that other patches of the class keep working."""
    return type(module).forward(module, *args, **kwargs)
