"""(IA)³: a factor for every output or every input, `ΔW = W · w` along one axis.

    weight + on_input      LyCORIS: w [channels] or [1, channels, 1, 1]; on_input 0 = outputs, 1 = inputs
    ia3_l                  PEFT: the factor itself, l = 1 + w; [out, 1] = outputs (bias too), [1, in] =
                           inputs; [1, channels, 1, 1] of convolutions does not tell

`ia3` is a LyCORIS `weight` told by its prefix. Where `on_input` is missing, the axis is the one whose
size fits, the outputs if both do. No alpha; a stored `scale` multiplies w, as in A1111. The formula is that
of LyCORIS' merged form, which leaves the bias, and of PEFT's merge. Liu et al. 2022, arXiv 2205.05638.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from lib_lora.adapters.base import ANY, INPUTS, OUTPUTS, WEIGHT, Family, Shape, fits
from lib_lora.adapters.tensors import one_number, shown, size_of
from lib_lora.errors import MissingTensorError, NotOneNumberError, TensorShapeError


@dataclass(frozen=True, eq=False)
class IA3:
    """w `[channels]`; on_input None is decided by the weight it meets; on_bias scales the bias too."""

    factor: Tensor
    on_input: bool | None
    on_bias: bool = False
    notes: tuple[str, ...] = ()
    family: str = "(IA)³"
    rank: None = None

    @property
    def shape(self) -> Shape:
        """Shape of the weight as far as it is known; of the two axes it may act on, the outputs."""
        count = self.factor.shape[0]
        return (ANY, count, ANY) if self.on_input else (count, ANY)

    @property
    def reads(self) -> str:
        """The side it scales; both are possible while the axis is open."""
        return WEIGHT if self.on_input is None else INPUTS if self.on_input else OUTPUTS

    @property
    def nbytes(self) -> int:
        """Memory the tensors take."""
        return size_of(self.factor)

    def fits(self, host: Shape) -> bool:
        """Tell whether the change can be applied to a weight of that shape."""
        if self.on_input is None:
            return len(host) >= 2 and self.factor.shape[0] in host[:2]
        return len(host) >= 2 and fits(self.shape, host)

    def factors(self, shape: Shape) -> None:
        """The change depends on the weight, so it has no factors of its own."""

    def delta(self, base: Tensor) -> Tensor:
        """Return the change in the shape of `base`."""
        return base * self._along(base)

    def add_to(self, out: Tensor, base: Tensor, strength: float) -> None:
        """Add the change to `out` without making it."""
        out.addcmul_(base, self._along(base), value=strength)

    def bias(self, base: Tensor | None = None) -> Tensor | None:
        """Return the change to the bias, which PEFT's layers scale with the output."""
        if not self.on_bias or base is None or self.factor.shape[0] != base.shape[0]:
            return None
        return base * self.factor

    def _along(self, base: Tensor) -> Tensor:
        on_input = self.factor.shape[0] != base.shape[0] if self.on_input is None else self.on_input
        kernel = (1,) * (base.dim() - 2)
        if not on_input:
            return self.factor.view(-1, 1, *kernel)
        beyond = (
            base.shape[1] - self.factor.shape[0]
        )  # input channels of an inpainting model stay as they are
        return functional.pad(self.factor, (0, beyond)).view(1, -1, *kernel)


def read(tensors: Mapping[str, Tensor]) -> IA3:
    """Make one weight's adapter from tensors by role; `AdapterError` when they do not belong together."""
    if "ia3_l" in tensors:
        return _read_peft(tensors["ia3_l"])
    weight = tensors.get("ia3", tensors.get("weight"))
    if weight is None:
        raise MissingTensorError("weight is missing beside on_input.")
    if weight.numel() != max(weight.shape, default=0):
        raise TensorShapeError(f"weight has shape {shown(weight)}; one number per channel was expected.")
    scale = one_number(tensors.get("scale"), "scale")
    factor = weight.flatten() if scale is None else weight.flatten() * scale
    switch = one_number(tensors.get("on_input"), "on_input")
    if switch is None:
        note = "does not say whether it scales inputs or outputs, which is told from its size"
        return IA3(factor, None, notes=(note,))
    if switch not in (0, 1):
        raise NotOneNumberError(f"on_input is {switch:g}; 0 (outputs) or 1 (inputs) was expected.")
    return IA3(factor, bool(switch))


def _read_peft(factor: Tensor) -> IA3:
    count = max(factor.shape, default=0)
    if factor.numel() != count:
        raise TensorShapeError(f"ia3_l has shape {shown(factor)}; one number per channel was expected.")
    change = factor.flatten() - 1
    if factor.dim() == 2 and factor.shape[1] == 1:
        return IA3(change, False, on_bias=True)
    if factor.dim() == 2:
        return IA3(change, True)
    note = "does not say whether it scales inputs or outputs, which is told from its size"
    return IA3(change, None, on_bias=True, notes=(note,))


FAMILY = Family(
    name="(IA)³",
    marks=frozenset({"ia3", "on_input", "ia3_l"}),
    may_have=frozenset({"weight", "scale"}),
    read=read,
)
