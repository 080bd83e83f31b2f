"""Whether files pull the model the same way: the angle between their changes, for every two of them.

The cosine of two changes over all weights: 0 is "they do not get in each other's way", 1 "they are the same
and add up", -1 "they undo each other". Low ranks are compared by their factors, without making the change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_lora.adapters import ANY, NOTHING, Adapter
from lib_lora.adapters.base import Factors
from lib_lora.network import Network

Change = Factors | Tensor  # a tensor is the change itself, [out, in·kh·kw]


@dataclass(frozen=True)
class Interference:
    """matrix: cosines, None where they cannot be told. left_out: by file, changes only the model can tell."""

    matrix: tuple[tuple[float | None, ...], ...]
    left_out: tuple[int, ...]


def measure_interference(networks: Sequence[Network]) -> Interference:
    """Compare every two networks; those of different architectures have nothing in common to compare."""
    count = len(networks)
    products = [[0.0] * count for _ in networks]
    left_out = [0] * count
    for name in dict.fromkeys(name for network in networks for name in network.adapters):
        changes = [_change(network.adapters.get(name)) for network in networks]
        for first, network in enumerate(networks):
            left = changes[first]
            if left is None:
                left_out[first] += name in network.adapters
                continue
            for second in range(first, count):
                right = changes[second]
                if right is not None and networks[second].architecture == network.architecture:
                    products[first][second] += _product(left, right)
    lengths = [math.sqrt(max(products[row][row], 0.0)) for row in range(count)]

    def cosine(row: int, column: int) -> float | None:
        first, second = sorted((row, column))
        scale = lengths[first] * lengths[second]
        if networks[first].architecture != networks[second].architecture or not scale:
            return None
        return max(-1.0, min(1.0, products[first][second] / scale))

    matrix = tuple(tuple(cosine(row, column) for column in range(count)) for row in range(count))
    return Interference(matrix, tuple(left_out))


def _change(adapter: Adapter | None) -> Change | None:
    """Return a change in the form in which it is compared, None for none or one that needs the weight."""
    if adapter is None or adapter.reads != NOTHING or ANY in adapter.shape:
        return None
    factors = adapter.factors(adapter.shape)
    if factors is not None:
        return factors.exact
    return adapter.delta(torch.empty(adapter.shape, device="meta")).flatten(1)


def _product(left: Change, right: Change) -> float:
    """Return the sum of the products of two changes' numbers; 0 for changes of different size."""
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return float((left * right).sum(dtype=torch.float64)) if left.shape == right.shape else 0.0
    if isinstance(left, Tensor):
        left, right = right, left
    assert isinstance(left, Factors)
    size = (left.up.shape[0], left.down.shape[1])
    if isinstance(right, Tensor):
        if right.shape != size:
            return 0.0
        return left.scale * float(((left.up.T @ right) * left.down).sum(dtype=torch.float64))
    if (right.up.shape[0], right.down.shape[1]) != size:
        return 0.0
    inner = (left.up.T @ right.up) * (left.down @ right.down.T)
    return left.scale * right.scale * float(inner.sum(dtype=torch.float64))
