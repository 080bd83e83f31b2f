"""What every family of adapters can do, and how a change is matched to a weight by shape.

An adapter is one file's change to one weight, without the user's number: the law of all families is
`W' = W + strength · delta(W)`, so that strength 0 is exactly W.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor

Shape = tuple[int, ...]
A = TypeVar("A")

ANY = -1
"""A size that the tensors do not tell; as the last of a shape it stands for everything that follows."""

NOTHING, OUTPUTS, INPUTS, WEIGHT = "nothing", "outputs", "inputs", "weight"
"""What a change looks at: no weight at all, so that changes add up in any order; its outputs, `T · W`; its
inputs, `W · T`, for one T each; or the weight in another way."""


@dataclass(frozen=True, eq=False)
class Factors:
    """A change of low rank, `scale · up @ down`; up `[out, rank]`, down `[rank, in·kh·kw]`.

    Both are in the number type of the file, which takes half the memory as a rule; what computes with them
    widens them first.
    """

    up: Tensor
    down: Tensor
    scale: float

    @property
    def exact(self) -> Factors:
        """The same in float32."""
        return Factors(self.up.to(torch.float32), self.down.to(torch.float32), self.scale)

    @cached_property
    def sizes(self) -> tuple[float, float]:
        """How large `up @ down` can be, as the lengths of its ranks' parts: their sum and their norm.

        No number of the product is above the sum; the norm is its own if the parts have nothing in common.
        """
        lengths = self._lengths[0] * self._lengths[1]
        return float(lengths.sum()), float(torch.linalg.vector_norm(lengths))

    @property
    def longest(self) -> tuple[float, float]:
        """The length of the longest column of up, and of the longest row of down."""
        up, down = self._lengths
        return (float(up.max()), float(down.max())) if len(up) else (0.0, 0.0)

    @cached_property
    def _lengths(self) -> tuple[Tensor, Tensor]:
        exact = self.exact
        return torch.linalg.vector_norm(exact.up, dim=0), torch.linalg.vector_norm(exact.down, dim=1)


class Adapter(Protocol):
    """One family's change to one weight; immutable, on the CPU, float32 but for roles its family keeps."""

    @property
    def family(self) -> str:
        """The field's name of the algorithm."""

    @property
    def rank(self) -> int | None:
        """Width of the bottleneck, for families that have one."""

    @property
    def reads(self) -> str:
        """What of the weight the change depends on: `NOTHING`, `OUTPUTS`, `INPUTS` or `WEIGHT`."""

    @property
    def shape(self) -> Shape:
        """Shape of the weight the change was made for, `ANY` where the tensors do not tell a size.

        `(out, in)` also stands for a convolution with as many numbers in each row.
        """

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of the file should tell the user about these tensors."""

    @property
    def nbytes(self) -> int:
        """Memory the tensors take."""

    def fits(self, host: Shape) -> bool:
        """Tell whether the change can be applied to a weight of that shape."""

    def factors(self, shape: Shape) -> Factors | None:
        """Return the change to a weight of that shape as factors, or None when it is not of low rank."""

    def delta(self, base: Tensor) -> Tensor:
        """Return the change to `base` (the weight in float32), in its shape.

        A change that reads nothing asks for the shape only, and takes a tensor on the meta device too.
        """

    def bias(self, base: Tensor | None = None) -> Tensor | None:
        """Return the change to the layer's bias `[out]`, or None; `base` is that bias, if there is one."""


@runtime_checkable
class InPlace(Protocol):
    """An adapter that can add its change without making it first: less memory, fewer passes."""

    def add_to(self, out: Tensor, base: Tensor, strength: float) -> None:
        """Add `strength · delta(base)` to `out`, a contiguous float32 tensor of the shape of `base`."""


@dataclass(frozen=True)
class Family:
    """How a file spells one family.

    marks: roles that only this family has; one of them is enough to know it. may_have: further roles,
    shared with others. read: makes the adapter from tensors by role, `AdapterError` when they are incomplete.
    keeps: roles that are taken in the number type of the file, all others in float32.
    """

    name: str
    marks: frozenset[str]
    may_have: frozenset[str]
    read: Callable[[Mapping[str, Tensor]], Adapter]
    keeps: frozenset[str] = frozenset()

    @property
    def roles(self) -> frozenset[str]:
        """All roles it may be spelled with."""
        return self.marks | self.may_have


def on_device(adapter: A, device: torch.device) -> A:
    """Return an adapter with its tensors on a device; itself where they are there already."""
    moved = {}
    for field in fields(adapter):  # type: ignore[arg-type]
        value = getattr(adapter, field.name)
        there = _moved(value, device)
        if there is not value:
            moved[field.name] = there
    return replace(adapter, **moved) if moved else adapter  # type: ignore[type-var]


def _moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, tuple) and value and all(isinstance(item, Tensor) for item in value):
        there = tuple(item.to(device) for item in value)
        return value if all(new is old for new, old in zip(there, value, strict=True)) else there
    return on_device(value, device) if is_dataclass(value) else value


def fits(made_for: Shape, host: Shape) -> bool:
    """Tell whether a change made for one shape can be applied to a weight of another.

    A matrix fits a convolution with as many numbers in each row, because both are the same numbers.
    """
    if made_for[-1:] == (ANY,):
        made_for = made_for[:-1]
        host = host[: len(made_for)]
    elif len(made_for) == 2 and len(host) > 2:
        host = (host[0], math.prod(host[1:]))
    return len(made_for) == len(host) and all(
        ours in (ANY, theirs) for ours, theirs in zip(made_for, host, strict=True)
    )


def fits_widened(made_for: Shape, host: Shape) -> bool:
    """Tell whether a host convolution only has more input channels, as inpainting models add at the end."""
    if len(host) != 4 or len(made_for) < 2 or made_for[0] not in (ANY, host[0]):
        return False
    taps = math.prod(host[2:])
    if len(made_for) == 2:
        return made_for[0] != ANY and made_for[1] % taps == 0 and 0 < made_for[1] // taps < host[1]
    return 0 < made_for[1] < host[1] and made_for[2:] in ((ANY,), host[2:])
