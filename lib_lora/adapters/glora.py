"""GLoRA: a low-rank change and a low-rank map of W, `ΔW = alpha/rank · (b1 @ b2 + W ×_in (a1 @ a2))`.

    new      a1 [in, r]    a2 [r, in]    b1 [out, r]    b2 [r, in(, kh, kw)]    or a 1×1 b2, bm [r, r, kh, kw]
    old      a1 [r, in]    a2 [in, r]    b1 [r, in]     b2 [out, r]

Convolutions have trailing 1s. It reads W and is linear in the strength. The layouts are told apart by
which reading gives the smaller rank. LyCORIS saves GLoRA's alpha without the factor √rank of `rs_lora`:
files trained with that option are weaker by √rank in every program, and the tensors do not tell. The new
layout is LyCORIS' own; the old one is what its first versions wrote and A1111 reads. Chavan et al. 2023,
arXiv 2306.07967.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from lib_lora.adapters.base import WEIGHT, Family, Shape, fits
from lib_lora.adapters.lora import read_scale
from lib_lora.adapters.tensors import (
    check_weight,
    contract,
    demand,
    laid_over,
    matrix,
    row_slabs,
    shown,
    size_of,
    without_kernel,
)
from lib_lora.errors import TensorShapeError


@dataclass(frozen=True, eq=False)
class GLoRA:
    """In the new layout: a1 `[in, r]`, a2 `[r, in]`, b1 `[out, r]`, b2 `[r, in·kh·kw]`."""

    a1: Tensor
    a2: Tensor
    b1: Tensor
    b2: Tensor
    scale: float
    shape: Shape
    notes: tuple[str, ...] = ()
    family: str = "GLoRA"
    reads: str = WEIGHT

    @property
    def rank(self) -> int:
        """Width of the bottlenecks."""
        return self.a2.shape[0]

    @property
    def nbytes(self) -> int:
        """Memory the tensors take."""
        return size_of(self.a1, self.a2, self.b1, self.b2)

    def fits(self, host: Shape) -> bool:
        """Tell whether the change can be applied to a weight of that shape."""
        return fits(self.shape, host)

    def factors(self, shape: Shape) -> None:
        """The change depends on the weight, so it has no factors of its own."""

    def delta(self, base: Tensor) -> Tensor:
        """Return the change in the shape of `base`."""
        return laid_over(((self.b1 @ self.b2) + self._mapped(base)).mul_(self.scale), base)

    def add_to(self, out: Tensor, base: Tensor, strength: float) -> None:
        """Add the change to `out`, with kernels a slab of its rows at a time; `out` is contiguous."""
        rows = out.view(out.shape[0], -1)[:, : self.b2.shape[1]]
        alpha = strength * self.scale
        rows.addmm_(self.b1, self.b2, alpha=alpha)
        if base[0, 0].nelement() == 1:
            narrow = base.view(base.shape[0], -1)[:, : self.a1.shape[0]] @ self.a1
            rows.addmm_(narrow, self.a2, alpha=alpha)
            return
        for slab in row_slabs(*rows.shape):
            rows[slab].add_(self._mapped(base[slab]), alpha=alpha)

    def bias(self, base: Tensor | None = None) -> None:
        """No change to the bias."""

    def _mapped(self, base: Tensor) -> Tensor:
        """`W ×_in (a1 @ a2)` as `[out, in·kh·kw]`; input channels beyond ours take no part."""
        taps = base.flatten(2) if base.dim() > 2 else base[:, :, None]  # [out, in, kh·kw]
        taps = taps[:, : self.a1.shape[0]]
        if taps.shape[2] == 1:
            return (taps[:, :, 0] @ self.a1) @ self.a2
        return (self.a2.T @ (self.a1.T @ taps)).flatten(1)


def read(tensors: Mapping[str, Tensor]) -> GLoRA:
    """Make one weight's adapter from tensors by role; `AdapterError` when they do not belong together."""
    demand(tensors, "a1", "a2", "b1", "b2")
    a1, a2, b1, flat_b2 = (matrix(tensors, role) for role in ("a1", "a2", "b1", "b2"))
    b2, notes = tensors["b2"], []
    new = _is_chain(a1, a2, b1, b2)
    old = _is_chain(a2, a1, flat_b2, tensors["b1"])
    if not new and not old:
        raise TensorShapeError(
            f"a1 {shown(a1)}, a2 {shown(a2)}, b1 {shown(b1)} and b2 {shown(b2)} do not share one rank."
        )
    if new and old and a2.shape[0] == a1.shape[0]:
        notes.append("has a rank as large as the layer, taken as the newer of GLoRA's two layouts")
    if old and (not new or a1.shape[0] < a2.shape[0]):
        a1, a2, b1, b2 = a2, a1, flat_b2, tensors["b1"]
    if "bm" in tensors:
        if b2.flatten(1).shape[1] != a1.shape[0]:
            raise TensorShapeError(f"b2 has shape {shown(b2)}; beside bm its kernel must be 1×1.")
        b2 = contract(("bm", tensors["bm"]), ("b1", b1.T), ("b2", b2.flatten(1)))
    check_weight(b1.shape[0], *b2.shape[1:])
    scale, note = read_scale(tensors, a2.shape[0])
    if note:
        notes.append(note)
    if a2.shape[0] == 0:
        notes.append("has rank 0 and changes nothing")
    shape = without_kernel((b1.shape[0], *b2.shape[1:]))
    return GLoRA(a1, a2, b1, b2.flatten(1), scale, shape, tuple(notes))


def _is_chain(a1: Tensor, a2: Tensor, b1: Tensor, b2: Tensor) -> bool:
    """Tell whether tensors fit as `b1 @ b2` and `a1 @ a2` of one rank and one input."""
    rank = a2.shape[0]
    return a1.shape[1] == b1.shape[1] == b2.shape[0] == rank and a1.shape[0] == a2.shape[1] == b2.shape[1]


FAMILY = Family(
    name="GLoRA",
    marks=frozenset({"a1", "a2", "b1", "b2", "bm"}),
    may_have=frozenset({"alpha", "scale"}),
    read=read,
)
