"""DoRA: any other change as a direction, with a trained length, `ΔW = g · V/‖V‖ − W` where `V = W + Δ`.

    dora_scale [out, 1(, 1, 1)] or [out]     lengths of the outputs' rows       LyCORIS from 3.2, PEFT
    dora_scale [1, in(, 1, 1)]               lengths of the inputs' columns     older LyCORIS, OneTrainer
    magnitude [out] or [1, out, 1, 1]        PEFT's own name: always the outputs

Δ carries alpha/rank but no strength; the strength interpolates the result, so that 0 is the untouched
weight. The axis is told by name and shape, never assumed. At strength 1 it is LyCORIS' `weight_decompose`
(both `wd_on_output`) and PEFT's `use_dora`; between, A1111's rule. Liu et al. 2024, arXiv 2402.09353.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_lora.adapters.base import ANY, WEIGHT, Adapter, Factors, Family, InPlace, Shape
from lib_lora.adapters.full import FAMILY as FULL
from lib_lora.adapters.glora import FAMILY as GLORA
from lib_lora.adapters.ia3 import FAMILY as IA3
from lib_lora.adapters.loha import FAMILY as LOHA
from lib_lora.adapters.lokr import FAMILY as LOKR
from lib_lora.adapters.lora import FAMILY as LORA
from lib_lora.adapters.oft import FAMILY as OFT
from lib_lora.adapters.tensors import laid_over, shown, size_of
from lib_lora.adapters.tlora import FAMILY as TLORA
from lib_lora.errors import MissingTensorError, TensorShapeError

INNER: tuple[Family, ...] = (LORA, LOHA, LOKR, GLORA, OFT, IA3, TLORA, FULL)
"""The families a length may stand beside; LyCORIS trains the first three so, programs accept the others."""

EPSILON = torch.finfo(torch.float32).eps
"""Added to every norm, as in LyCORIS, so that a row of zeros stays one."""


@dataclass(frozen=True, eq=False)
class DoRA:
    """A change and the lengths `[out]` of rows or `[in]` of columns that the changed weight gets."""

    inner: Adapter
    lengths: Tensor
    on_input: bool
    notes: tuple[str, ...] = ()
    reads: str = WEIGHT

    @property
    def family(self) -> str:
        """The family, and the one inside where it is not LoRA."""
        return "DoRA" if self.inner.family == "LoRA" else f"DoRA ({self.inner.family})"

    @property
    def rank(self) -> int | None:
        """Width of the bottleneck of the change inside; a length alone would still change the weight."""
        return self.inner.rank or None

    @property
    def shape(self) -> Shape:
        """Shape of the weight the change inside was made for."""
        return self.inner.shape

    @property
    def nbytes(self) -> int:
        """Memory the tensors take."""
        return self.inner.nbytes + size_of(self.lengths)

    def fits(self, host: Shape) -> bool:
        """Tell whether the change can be applied to a weight of that shape."""
        return self.inner.fits(host) and self.lengths.shape[0] == host[1 if self.on_input else 0]

    def factors(self, shape: Shape) -> None:
        """The change depends on the weight, so it has no factors of its own."""

    def delta(self, base: Tensor) -> Tensor:
        """Return the change in the shape of `base`; channels beyond ours stay and count in no length."""
        own = base[:, : self._inputs(base)]
        direction = own + self.inner.delta(own)
        ratio = self.lengths / self._lengths_of(direction)
        change = direction.mul_(self._along(ratio, base)).sub_(own)
        return laid_over(change.flatten(1), base)

    def add_to(self, out: Tensor, base: Tensor, strength: float) -> None:
        """Add the change to `out` without making it; `out` is contiguous and of the shape of `base`.

        With c = g/‖V‖ the change is `(c − 1)·W + c·up @ down`, and the norms follow from W and the factors.
        """
        factors = self.inner.factors(tuple(base.shape))
        if self._inputs(base) < base.shape[1]:
            out.add_(self.delta(base), alpha=strength)
            return
        if factors is None:
            assert isinstance(self.inner, InPlace)
            direction = base.clone()
            self.inner.add_to(direction, base, 1.0)
            ratio = self.lengths / self._lengths_of(direction)
            out.addcmul_(direction, self._along(ratio, base), value=strength).sub_(base, alpha=strength)
            return
        down = factors.down * factors.scale
        ratio = self.lengths / (self._norms(base, Factors(factors.up, down, 1.0)) + EPSILON)
        out.addcmul_(base, self._along(ratio - 1, base), value=strength)
        if self.on_input:
            up, down = factors.up, down * ratio.repeat_interleave(math.prod(base.shape[2:]))
        else:
            up = factors.up * ratio[:, None]
        out.view(out.shape[0], -1).addmm_(up, down, alpha=strength)

    def bias(self, base: Tensor | None = None) -> Tensor | None:
        """Return the change to the bias, which has no length."""
        return self.inner.bias(base)

    def _inputs(self, base: Tensor) -> int:
        """Return how many input channels the change inside was made for."""
        known = self.inner.shape[1]
        if known == ANY:
            return base.shape[1]
        flat = len(self.inner.shape) == 2 and base.dim() == 4
        return known // math.prod(base.shape[2:]) if flat else known

    def _lengths_of(self, direction: Tensor) -> Tensor:
        axes = (0, *range(2, direction.dim())) if self.on_input else tuple(range(1, direction.dim()))
        lengths: Tensor = torch.linalg.vector_norm(direction, dim=axes) + EPSILON
        return lengths

    def _along(self, values: Tensor, base: Tensor) -> Tensor:
        kernel = (1,) * (base.dim() - 2)
        return values.view(1, -1, *kernel) if self.on_input else values.view(-1, 1, *kernel)

    def _norms(self, base: Tensor, factors: Factors) -> Tensor:
        """Return ‖W + up @ down‖ along the axis as `√(‖W‖² + 2⟨W, up @ down⟩ + ‖up @ down‖²)`."""
        rows, up, down = base.reshape(base.shape[0], -1), factors.up, factors.down
        if self.on_input:
            mixed = down * (2 * (up.T @ rows) + (up.T @ up) @ down)
            columns = torch.linalg.vector_norm(rows, dim=0).square() + mixed.sum(0)
            squares = columns.view(base.shape[1], -1).sum(1)
        else:
            mixed = up * (2 * (rows @ down.T) + up @ (down @ down.T))
            squares = torch.linalg.vector_norm(rows, dim=1).square() + mixed.sum(1)
        norms: Tensor = squares.clamp_(min=0).sqrt_()
        return norms


def read(tensors: Mapping[str, Tensor]) -> DoRA:
    """Make one weight's adapter from tensors by role; `AdapterError` when they do not belong together."""
    role = "magnitude" if "magnitude" in tensors else "dora_scale"
    lengths = tensors[role]
    rest = {name: tensor for name, tensor in tensors.items() if name not in ("magnitude", "dora_scale")}
    inner = _read_inner(rest, role)
    made_for = inner.shape
    count = lengths.numel()
    if count != max(lengths.shape, default=0) or len(made_for) < 2:
        raise TensorShapeError(
            f"{role} has shape {shown(lengths)}; one number per output or input was expected."
        )
    rows, columns = made_for[:2]
    for_inputs = columns in (ANY, *(taps * count for taps in _taps(made_for, lengths)))
    for_outputs = rows in (ANY, count)
    on_input, notes = False, list(inner.notes)
    if role == "dora_scale" and lengths.dim() > 1 and lengths.shape[0] == 1 and count > 1:
        # [1, n, …]: columns, unless only the outputs are so many (PEFT's lengths under another name).
        on_input = for_inputs or not for_outputs
        if lengths.dim() == 4 and for_inputs and for_outputs:
            notes.append("has lengths that could be of outputs or of inputs, taken as of inputs")
    if not (for_inputs if on_input else for_outputs):
        raise TensorShapeError(
            f"{role} has shape {shown(lengths)}, but the change is for [{rows}, {columns}]."
        )
    return DoRA(inner, lengths.flatten(), on_input, tuple(notes))


def _taps(made_for: Shape, lengths: Tensor) -> tuple[int, ...]:
    """Return the sizes of kernels that may hide in a change's second size, where it is stored flat."""
    return (1, 9, 25, 49) if len(made_for) == 2 and lengths.dim() == 4 else (1,)


def _read_inner(tensors: Mapping[str, Tensor], role: str) -> Adapter:
    for family in INNER:
        if family.marks & tensors.keys():
            return family.read(tensors)
    raise MissingTensorError(
        f"{role} stands alone; it has a meaning only beside a change like lora_up and lora_down."
    )


FAMILY = Family(
    name="DoRA",
    marks=frozenset({"dora_scale", "magnitude"}),
    may_have=frozenset().union(*(family.roles for family in INNER)),
    read=read,
)
