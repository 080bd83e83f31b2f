"""Full differences and replacements: `ΔW = diff`, or `ΔW = set_weight − W`; a bias likewise.

No alpha and no rank: an alpha beside `diff` is ignored, as by every program; a stored `scale` multiplies
`diff`, as in A1111. A replacement at strength 1 is the stored value, at 0 the checkpoint's. `diff_b` may
stand alone. LyCORIS' `full` (the difference), Forge's `set_weight`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_lora.adapters.base import ANY, NOTHING, WEIGHT, Family, Shape, fits
from lib_lora.adapters.tensors import demand, laid_over, one_number, shown, size_of, without_kernel
from lib_lora.errors import MixedFamiliesError, TensorShapeError


@dataclass(frozen=True, eq=False)
class Full:
    """The weight's difference or new value, and the bias' difference `[out]`; each may be None."""

    diff: Tensor | None
    value: Tensor | None
    diff_b: Tensor | None
    shape: Shape
    notes: tuple[str, ...] = ()
    family: str = "full difference"
    rank: None = None

    @property
    def reads(self) -> str:
        """A difference looks at no weight, a replacement at the one it replaces."""
        return NOTHING if self.value is None else WEIGHT

    @property
    def nbytes(self) -> int:
        """Memory the tensors take."""
        return size_of(self.diff, self.value, self.diff_b)

    def fits(self, host: Shape) -> bool:
        """Tell whether the change can be applied to a weight of that shape."""
        return fits(self.shape, host)

    def factors(self, shape: Shape) -> None:
        """Not of low rank."""

    def delta(self, base: Tensor) -> Tensor:
        """Return the change in the shape of `base`; a replacement leaves input channels beyond its own."""
        if self.diff is not None:
            return self._over(self.diff, base)
        if self.value is None:
            return torch.zeros_like(base)
        known = self._over(torch.ones_like(self.value), base)
        return self._over(self.value, base) - base * known

    def add_to(self, out: Tensor, base: Tensor, strength: float) -> None:
        """Add the change to `out`, a contiguous tensor of the shape of `base`."""
        weight = self.value if self.diff is None else self.diff
        if weight is None:
            return
        if weight.nelement() != out.nelement():
            out.add_(self.delta(base), alpha=strength)
            return
        out.add_(weight.view(out.shape), alpha=strength)
        if self.diff is None:
            out.sub_(base, alpha=strength)

    def bias(self, base: Tensor | None = None) -> Tensor | None:
        """Return the change to the bias."""
        return self.diff_b

    def _over(self, tensor: Tensor, base: Tensor) -> Tensor:
        return tensor.reshape(base.shape) if base.dim() == 1 else laid_over(tensor.flatten(1), base)


def read(tensors: Mapping[str, Tensor]) -> Full:
    """Make one weight's adapter from tensors by role; `AdapterError` when they do not belong together."""
    diff, value, diff_b = tensors.get("diff"), tensors.get("set_weight"), tensors.get("diff_b")
    if diff is not None and value is not None:
        raise MixedFamiliesError("diff stands beside set_weight; only one of them can be meant.")
    weight = value if diff is None else diff
    if weight is None:
        demand(tensors, "diff_b")
    for role, tensor in (("diff", diff), ("set_weight", value)):
        if tensor is not None and tensor.dim() not in (1, 2, 4):
            raise TensorShapeError(f"{role} has shape {shown(tensor)}, which no layer has.")
    scale = one_number(tensors.get("scale"), "scale")
    if diff is not None and scale is not None:
        diff = diff * scale
    if diff_b is not None and (
        diff_b.dim() != 1 or (weight is not None and diff_b.shape[0] != weight.shape[0])
    ):
        beside = "" if weight is None else f" beside a weight of shape {shown(weight)}"
        raise TensorShapeError(
            f"diff_b has shape {shown(diff_b)}{beside}; one number per output was expected."
        )
    if weight is not None:
        shape = without_kernel(tuple(weight.shape))
    else:
        assert diff_b is not None
        shape = (diff_b.shape[0], ANY)
    notes = () if value is None else ("replaces the weight; strengths between 0 and 1 blend the two",)
    return Full(diff, value, diff_b, shape, notes)


FAMILY = Family(
    name="full difference",
    marks=frozenset({"diff", "diff_b", "set_weight"}),
    may_have=frozenset({"alpha", "scale"}),
    read=read,
)
