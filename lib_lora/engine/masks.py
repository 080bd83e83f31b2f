"""How strongly a row acts at every place: a number from 0 to 1 for each cell of any map of features.

    mask = box_mask((0, 0, 0.5, 1), Picture(512, 768), feather=0.05)
    mask.at(96, 64)                  # [height, width]: the mean over each cell, exactly

A mask is a picture of rectangles (a box has nine, a drawing one for each pixel) over the whole picture. What
is being sampled may be a window of it: the part that is inpainted, a face. Means over areas, not samples at
points: a cell that does not touch the region is 0, one inside it is 1, and no size of map is special.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import torch
from torch import Tensor

FINE = 256
"""Points along a side over which a soft edge is averaged, at least."""
SNAP = 1e-9
"""Closer to 0 or 1 than this is 0 or 1: sums of areas are rounded."""
FAR = 2.0
"""Beyond the picture, in its widths, its edge goes on: a region at the border stays whole there."""

Window = tuple[float, float, float, float]
WHOLE: Window = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Picture:
    """The whole picture in pixels, and the window of it being sampled: left, top, right, bottom, 0 to 1."""

    width: int
    height: int
    window: Window = WHOLE

    @property
    def key(self) -> Hashable:
        """Equal where masks are equal: the size counts by its proportions only."""
        return round(self.width / self.height, 6), tuple(round(edge, 6) for edge in self.window)


class Mask:
    """One region in one window; equal by `key`, and never changed.

    key: equal for equal masks. values: `[rows, columns]` of rectangles whose edges are `down` and `across`,
    in parts of the whole picture. feather: width of the soft edge in parts of the shorter side.
    """

    def __init__(
        self,
        key: Hashable,
        values: Tensor,
        down: Tensor,
        across: Tensor,
        picture: Picture,
        feather: float = 0.0,
    ) -> None:
        self.key: Hashable = (key, picture.key, feather)
        self._values = values.to(torch.float64)
        self._down, self._across = _extended(down), _extended(across)
        self._picture = picture
        self._feather = feather
        self._known: dict[tuple[int, int], Tensor] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mask) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def at(self, height: int, width: int) -> Tensor:
        """Return the mask for a map of that size, float32 on the CPU; not to be written."""
        size = height, width
        if size not in self._known:
            self._known[size] = _snapped(self._averaged(height, width)).to(torch.float32)
        return self._known[size]

    @property
    def share(self) -> float:
        """The part of the window it acts in, 0 to 1."""
        return float(self.at(1, 1))

    @property
    def empty(self) -> bool:
        """Whether it acts nowhere in the window."""
        return self.share == 0

    @property
    def full(self) -> bool:
        """Whether it acts everywhere in the window, wholly."""
        return self.share == 1

    def _averaged(self, height: int, width: int) -> Tensor:
        left, top, right, bottom = self._picture.window
        shorter = min(self._picture.width, self._picture.height)
        soft_x, soft_y = (
            self._feather * shorter / side for side in (self._picture.width, self._picture.height)
        )
        rows = _means(self._down, top, bottom, height, soft_y)
        columns = _means(self._across, left, right, width, soft_x)
        return rows @ self._values @ columns.T


class Rest(Mask):
    """Wherever another mask does not act: the two add up to one in every cell."""

    def __init__(self, other: Mask) -> None:
        self.key = ("rest", other.key)
        self._other = other
        self._known = {}

    def _averaged(self, height: int, width: int) -> Tensor:
        return 1.0 - self._other.at(height, width).to(torch.float64)


def box_mask(box: Window, picture: Picture, feather: float = 0.0) -> Mask:
    """Return the mask of a rectangle: left, top, width, height in fractions of the whole picture."""
    x, y, width, height = box
    rows, down = _strip(y, height)
    columns, across = _strip(x, width)
    return Mask(("box", box), torch.outer(rows, columns), down, across, picture, feather)


def _strip(start: float, length: float) -> tuple[Tensor, Tensor]:
    """Return 1 for a stretch between 0 and 1 and 0 for what is left on either side, and the edges."""
    edges = [0.0, start, min(start + length, 1.0), 1.0]
    kept = [index for index in range(3) if edges[index + 1] > edges[index]]
    values = torch.tensor([float(index == 1) for index in kept])
    return values, torch.tensor([edges[index] for index in kept] + [1.0], dtype=torch.float64)


def drawn_mask(key: Hashable, values: Tensor, picture: Picture, feather: float = 0.0) -> Mask:
    """Return the mask of a drawing `[height, width]`, 0 to 1, over the whole picture; `key` names it."""
    height, width = values.shape
    return Mask(
        key,
        values,
        torch.linspace(0, 1, height + 1, dtype=torch.float64),
        torch.linspace(0, 1, width + 1, dtype=torch.float64),
        picture,
        feather,
    )


def _extended(edges: Tensor) -> Tensor:
    edges = edges.to(torch.float64).clone()
    edges[0], edges[-1] = -FAR, 1 + FAR
    return edges


def _means(edges: Tensor, start: float, end: float, count: int, soft: float) -> Tensor:
    """Return `[count, rectangles]`: how much of each of `count` equal cells each rectangle covers.

    soft: width over which everything is averaged beforehand, by many fine points in each cell.
    """
    points = count if soft == 0 else count * -(-FINE // count)
    steps = torch.linspace(start, end, points + 1, dtype=torch.float64)
    low, high = steps[:-1], steps[1:]
    if soft > 0:
        centre, half = (low + high) / 2, max(soft, (end - start) / points) / 2
        low, high = centre - half, centre + half
    covered = torch.minimum(high[:, None], edges[None, 1:]) - torch.maximum(low[:, None], edges[None, :-1])
    covered = covered.clamp_(min=0) / (high - low)[:, None]
    return covered.reshape(count, points // count, -1).mean(1)


def _snapped(values: Tensor) -> Tensor:
    values = torch.where(values < SNAP, 0.0, values)
    return torch.where(values > 1 - SNAP, 1.0, values)
