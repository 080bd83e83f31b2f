"""A change to q, k and v at once, as trainers of OpenCLIP write it, taken apart into one for each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lib_lora.adapters.base import ANY, NOTHING, Adapter, Factors, Shape, fits
from lib_lora.errors import AdapterError


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows from `start` to `stop`, of `total`, of another change, which must not read the weight."""

    inner: Adapter
    start: int
    stop: int
    total: int
    reads: str = NOTHING

    @property
    def family(self) -> str:
        """The family of the whole."""
        return self.inner.family

    @property
    def rank(self) -> int | None:
        """Width of the bottleneck."""
        return self.inner.rank

    @property
    def shape(self) -> Shape:
        """Shape of the weight the rows belong to."""
        return (self.stop - self.start, *self.inner.shape[1:])

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be told of the whole."""
        return self.inner.notes

    @property
    def nbytes(self) -> int:
        """Its share of the memory of the whole."""
        return self.inner.nbytes * (self.stop - self.start) // self.total

    def fits(self, host: Shape) -> bool:
        """Tell whether the rows can be applied to a weight of that shape."""
        return fits(self.shape, host)

    def factors(self, shape: Shape) -> Factors | None:
        """Return the rows' factors, None where the whole has none."""
        whole = self.inner.factors((self.total, *shape[1:]))
        return None if whole is None else Factors(whole.up[self.start : self.stop], whole.down, whole.scale)

    def delta(self, base: Tensor) -> Tensor:
        """Return the change in the shape of `base`."""
        whole = torch.empty(self.total, *base.shape[1:], device=base.device)
        return self.inner.delta(whole)[self.start : self.stop]

    def bias(self, base: Tensor | None = None) -> Tensor | None:
        """Return the change to the rows' bias."""
        whole = None
        if base is not None:  # what puts another bias in its place reads it, each number its own
            whole = base.new_zeros(self.total)
            whole[self.start : self.stop] = base
        change = self.inner.bias(whole)
        return None if change is None else change[self.start : self.stop]


def split_rows(adapter: Adapter, parts: int) -> tuple[Rows, ...]:
    """Return a change as that many changes of equal size, one below the other.

    Raises `AdapterError` for a change that reads the weight as a whole, or does not have so many rows.
    """
    total = adapter.shape[0]
    if adapter.reads != NOTHING:
        raise AdapterError(f"{adapter.family} on a fused attention cannot be taken apart into q, k and v.")
    if total == ANY or total % parts:
        raise AdapterError(f"a change of {total} rows was expected to hold {parts} equal parts.")
    size = total // parts
    return tuple(Rows(adapter, part * size, (part + 1) * size, total) for part in range(parts))
