"""What every family of adapters can do, and how a change is matched to a weight by shape.

An adapter is one file's change to one weight, without the user's number: the law of all families is
`W' = W + strength · delta(W)`, so that strength 0 is exactly W.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Factors:
    """A change of low rank, `scale · up @ down`; up `[out, rank]`, down `[rank, in·kh·kw]`, both float32."""

    up: Tensor
    down: Tensor
    scale: float


class Adapter(Protocol):
    """One family's change to one weight; immutable, float32, on the CPU."""

    @property
    def family(self) -> str:
        """The field's name of the algorithm."""

    @property
    def rank(self) -> int | None:
        """Width of the bottleneck, for families that have one."""

    @property
    def shape(self) -> Shape:
        """Shape of the weight the change was made for; `(out, in)` also stands for a 1×1 convolution."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of the file should tell the user about these tensors."""

    @property
    def nbytes(self) -> int:
        """Memory the tensors take."""

    def factors(self, shape: Shape) -> Factors | None:
        """Return the change to a weight of that shape as factors, or None when it is not of low rank."""

    def delta(self, base: Tensor) -> Tensor:
        """Return the change to `base` (the weight in float32), in its shape."""

    def bias(self) -> Tensor | None:
        """Return the change to the layer's bias `[out]`, or None."""


@dataclass(frozen=True)
class Family:
    """How a file spells one family: roles it cannot do without, roles it may have, and how to read them."""

    name: str
    needs: frozenset[str]
    may_have: frozenset[str]
    read: Callable[[Mapping[str, Tensor]], Adapter]


def fits(made_for: Shape, host: Shape) -> bool:
    """Tell whether a change made for one shape can be applied to a weight of another.

    A matrix fits a 1×1 convolution and the other way round, because both are the same numbers.
    """
    return made_for == host or (len(made_for) == 2 and host == (*made_for, 1, 1))


def fits_widened(made_for: Shape, host: Shape) -> bool:
    """Tell whether a host convolution only has more input channels, as inpainting models add at the end."""
    if len(made_for) == 2 and len(host) == 4:
        made_for = (*made_for, 1, 1)
    return (
        len(made_for) == len(host) == 4
        and made_for[0] == host[0]
        and made_for[1] < host[1]
        and made_for[2:] == host[2:]
    )
