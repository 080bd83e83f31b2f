"""Computing a change beside an untouched layer: `y = base(x) + ((x · downᵀ) · upᵀ) + …`.

For weights that cannot be merged: stored compressed, already wrapped by somebody else, or no memory for a
copy. Low-rank changes are two narrow products together. Of the others, what reads the outputs acts on the
outputs (OFT, (IA)³); what reads nothing, or a weight that can be read, becomes one matrix beside it, as large
as the layer; what reads the inputs of a compressed weight sends turned inputs through the layer again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lib_lora.adapters import INPUTS, NOTHING, OUTPUTS, Adapter, InPlace, on_device
from lib_lora.engine.arithmetic import exact_arithmetic, without_autocast
from lib_lora.engine.fingerprint import Fingerprint
from lib_lora.engine.merged import bias_change
from lib_lora.engine.sections import origin
from lib_lora.engine.slots import RankSlots, scales
from lib_lora.engine.view import CONV, Layer, weight_shape
from lib_lora.errors import EngineError
from lib_lora.plan import Contribution


class Bypass:
    """The change of one layer as something to add to its output.

    The strengths are folded into `down` and into the matrices in float32. What is used at every step is kept
    in the number type and on the device the layer's output has, which is what the host computes in, whatever
    it stores; the matrix as large as the layer in this form only, so that it takes no more than a copy.
    """

    def __init__(self, layer: Layer, changes: Sequence[Contribution]) -> None:
        self._module = layer.module
        self._conv = layer.kind == CONV
        self._shape = weight_shape(layer.module)
        self._kernel = self._shape[1:]
        low_rank = [change for change in changes if change.factors is not None]
        others = [change for change in changes if change.factors is None]
        self._outputs = [change for change in others if change.adapter.reads == OUTPUTS]
        self._wide: list[Contribution] = []
        inputs = []
        for change in others:
            if change.adapter.reads == NOTHING or (change.adapter.reads != OUTPUTS and self._readable):
                self._wide.append(change)
            elif change.adapter.reads == INPUTS and change.adapter.fits(self._point):
                inputs.append(change)
            elif change.adapter.reads != OUTPUTS:
                raise EngineError(
                    f"{change.adapter.family} has to read the weight {layer.name}, which is stored "
                    "compressed. Load the checkpoint without compression, or remove the rows of that family."
                )
        self._slots, self._scales = _slots(low_rank), scales(low_rank)
        self._networks = [change.network for change in low_rank]
        self._turn = self._turned(inputs)
        self._only_narrow = all(change.narrow for change in changes)
        self._bias = bias_change(changes, _readable(layer.module.bias))
        read = ["weight"] if any(change.adapter.reads != NOTHING for change in self._wide) else []
        read += [] if self._bias is None else ["bias"]
        stored = ((name, origin(layer.module, name)) for name in read)
        self._read = [(name, Fingerprint(tensor)) for name, tensor in stored if tensor is not None]
        self._form: tuple[torch.device, torch.dtype] | None = None
        self._ready: tuple[Tensor | None, ...] = ()
        self._acting: list[tuple[Adapter, float]] = []

    def add_to(self, output: Tensor, x: Tensor, ours: bool = False) -> Tensor:
        """Return `output` plus the change for the input `x`; x is not written, output only if `ours`."""
        up, down, matrix, turn, bias = self._in_form_of(output)
        ours = ours and output.data_ptr() != x.data_ptr() and not output.requires_grad
        x, changed = x.to(output.dtype), output
        if self._acting:
            changed, ours = self._with_outputs_changed(output), True
        if up is not None and down is not None:
            changed = self._with_factors(changed, x, up, down, ours)
        if matrix is not None:
            changed = changed + self._through(x, matrix)
        if turn is not None:
            again = class_forward(self._module, self._channels_first(self._channels_last(x) @ turn))
            changed = changed + self._without_bias(again)
        return changed if bias is None else changed + (bias[:, None, None] if self._conv else bias)

    def rescale(self, changes: Sequence[Contribution]) -> bool:
        """Take the strengths of another moment; False where more than these is another."""
        if not self._only_narrow or [change.network for change in changes] != self._networks:
            return False
        self._scales, self._form = scales(changes), None
        return True

    def follows(self) -> bool:
        """Tell whether what was read of the host's weight and bias is what stands there now."""
        return all(seen.unwritten(origin(self._module, name)) for name, seen in self._read)

    @property
    def reads(self) -> bool:
        """Whether it was made of anything that the host may change."""
        return bool(self._read)

    @property
    def reads_outputs(self) -> bool:
        """Whether a change is made of what the layer itself puts out."""
        return bool(self._outputs)

    @property
    def nbytes(self) -> int:
        """Bytes of factors and matrices."""
        factors = () if self._slots is None else (self._slots.up, self._slots.down)
        held = (*factors, self._turn, self._bias, *self._ready)
        return sum(tensor.nelement() * tensor.element_size() for tensor in held if tensor is not None)

    @property
    def low_rank_only(self) -> bool:
        """Whether a linear layer's changes are factors and nothing else."""
        return not self._conv and self._slots is not None and self._only_narrow

    def factors(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return up and scaled down of all low-rank changes in the number type and place of a tensor."""
        up, down, *_ = self._in_form_of(like)
        assert up is not None and down is not None
        return up, down

    # What is made in float32

    @property
    def _readable(self) -> bool:
        weight = self._module.weight
        return bool(weight.is_floating_point()) and not hasattr(weight, "quant_state")

    @property
    def _point(self) -> tuple[int, ...]:
        """Shape of a change that mixes this layer's input channels and nothing else."""
        width = self._shape[1]
        return (width, width, 1, 1) if self._conv else (width, width)

    def _matrix(self) -> Tensor | None:
        """Return the sum of changes that are made as a whole, `[out, in(, kh, kw)]`."""
        if not self._wide:
            return None
        weight = self._module.weight.detach()
        if all(change.adapter.reads == NOTHING for change in self._wide):
            base = torch.empty(self._shape, device="meta")
        else:
            base = weight.to(torch.float32).contiguous()
        total = torch.zeros(self._shape, dtype=torch.float32, device=weight.device)
        for change in self._wide:
            adapter = on_device(change.adapter, weight.device)
            if isinstance(adapter, InPlace):
                adapter.add_to(total, base, change.strength)
            else:
                total.add_(adapter.delta(base), alpha=change.strength)
        return total

    def _turned(self, changes: Sequence[Contribution]) -> Tensor | None:
        """Return what changes do to inputs, as a matrix `[in, in]` to multiply inputs with from the right."""
        if not changes:
            return None
        itself = torch.eye(self._shape[1]).view(self._point)
        turned = [change.adapter.delta(itself).flatten(1).T * change.strength for change in changes]
        return torch.stack(turned).sum(0)

    def _in_form_of(self, output: Tensor) -> tuple[Tensor | None, ...]:
        form = output.device, output.dtype
        if form != self._form:
            self._form, self._ready = None, ()
            with exact_arithmetic([output.device, self._module.weight.device]):
                up = down = None
                if self._slots is not None:
                    up, down = self._slots.up, self._slots.scaled_down(self._scales)
                parts = (up, down, self._matrix(), self._turn, self._bias)
                up, down, *others = (None if part is None else part.to(*form) for part in parts)
                if up is not None and down is not None and self._conv:
                    up, down = up[:, :, None, None], down.reshape(-1, *self._kernel)
                self._ready = up, down, *others
                self._acting = [
                    (on_device(change.adapter, output.device), change.strength) for change in self._outputs
                ]
            self._form = form
        return self._ready

    # What is computed at every step

    def _with_factors(self, output: Tensor, x: Tensor, up: Tensor, down: Tensor, ours: bool) -> Tensor:
        if self._conv:
            change = functional.conv2d(self._through(x, down), up)
            return output.add_(change) if ours else change.add_(output)
        hidden = functional.linear(x, down).reshape(-1, down.shape[0])
        rows = output.reshape(-1, up.shape[0])
        add = rows.addmm_ if ours else rows.addmm
        return add(hidden, up.t()).view(output.shape)

    def _through(self, x: Tensor, weight: Tensor) -> Tensor:
        """Compute the layer with another weight and no bias."""
        through: Tensor = (
            self._module._conv_forward(x, weight, None) if self._conv else functional.linear(x, weight)
        )
        return through

    def _with_outputs_changed(self, output: Tensor) -> Tensor:
        """Change what the weight alone put out: `T · (W · x) = (T · W) · x`; computed in float32."""
        own = self._channels_last(self._without_bias(output.float()))
        rows = own.reshape(-1, own.shape[-1]).T.contiguous()
        total = torch.zeros_like(rows)
        with without_autocast(rows.device.type):  # under which hosts sample
            for adapter, strength in self._acting:
                total.add_(adapter.delta(rows), alpha=strength)
        changed = self._channels_first(total.T.reshape(own.shape))
        return (output + changed).to(output.dtype)

    def _without_bias(self, output: Tensor) -> Tensor:
        bias = _readable(self._module.bias)
        if bias is None:
            return output
        bias = bias.detach().to(output.device, output.dtype)
        return output - (bias[:, None, None] if self._conv else bias)

    def _channels_last(self, tensor: Tensor) -> Tensor:
        return tensor.movedim(-3, -1) if self._conv else tensor

    def _channels_first(self, tensor: Tensor) -> Tensor:
        return tensor.movedim(-1, -3) if self._conv else tensor


def _slots(changes: Sequence[Contribution]) -> RankSlots | None:
    """Return low-rank changes side by side in float32, None for none."""
    factors = [change.factors for change in changes if change.factors is not None]
    return RankSlots(None, factors, torch.empty(0), torch.float32) if factors else None


def _readable(bias: Tensor | None) -> Tensor | None:
    return bias if bias is not None and bias.is_floating_point() else None


def class_forward(module: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the layer as its class defines it now, so that other patches of the class keep working."""
    return type(module).forward(module, *args, **kwargs)
