"""How a network meets a model: which of its weights have a place there, and whether that is enough."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lib_lora.adapters import ANY, Adapter, fits_widened
from lib_lora.errors import NetworkMismatchError
from lib_lora.keys import ARCHITECTURES, find_architecture
from lib_lora.keys.targets import INPUT_LAYER
from lib_lora.network.network import Network, modules_of, shown

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Fit:
    """How a network meets a model.

    matched: canonical names that will be changed, of `total`. absent: names known to the architecture that
    this model lacks. unmatched: modules the architecture does not know. misfits: weights of another shape,
    described.
    """

    matched: tuple[str, ...]
    total: int
    absent: tuple[str, ...]
    unmatched: tuple[str, ...]
    misfits: tuple[str, ...]


def fit_to(network: Network, shapes: Mapping[str, Shape]) -> Fit:
    """Compare a network with the shapes of a model's weights; nothing is raised."""
    matched: list[str] = []
    absent: list[str] = []
    misfits: list[str] = []
    for name, adapter in network.adapters.items():
        shape = shapes.get(name)
        if shape is None:
            absent.append(name)
        elif adapter.fits(shape) or (name == INPUT_LAYER and _fits_wider(adapter, shape)):
            matched.append(name)
        else:
            misfits.append(f"{name} is {_size(shape)} in the checkpoint, {_size(adapter.shape)} in the file")
    return Fit(tuple(matched), network.total, tuple(absent), modules_of(network.unmatched), tuple(misfits))


def _fits_wider(adapter: Adapter, host: Shape) -> bool:
    """Tell whether a change fits the input channels that it knows of a layer that has more."""
    made_for = adapter.shape
    if not fits_widened(made_for, host):
        return False
    channels = made_for[1] // math.prod(host[2:]) if len(made_for) == 2 else made_for[1]
    return adapter.fits((host[0], channels, *host[2:]))


def check_fit(network: Network, shapes: Mapping[str, Shape], architecture: str) -> Fit:
    """Return how a network fits a model; raises `NetworkMismatchError` when it was made for another kind.

    One weight of another shape is enough: such a file belongs to another base model, and half of it would
    spoil the picture. So are fewer than half of its weights having a place.
    """
    fit = fit_to(network, shapes)
    if not fit.misfits and fit.matched and 2 * len(fit.matched) >= fit.total:
        return fit
    label = find_architecture(architecture).label
    if fit.misfits:
        more = f" and {len(fit.misfits) - 1} more" if len(fit.misfits) > 1 else ""
        why = f"{fit.misfits[0]}{more}"
    else:
        example = shown((*fit.unmatched, *fit.absent)[0])
        why = f"only {len(fit.matched)} of its {fit.total} weights have a place there (not '{example}')"
    raise NetworkMismatchError(
        f"'{network.name}' does not fit the loaded checkpoint ({label}): {why}. {_way_out(network.made_for)}"
    )


def _way_out(made_for: str) -> str:
    known = [architecture.label for architecture in ARCHITECTURES]
    if made_for in ("", *known):
        told = f"It was made for {made_for}. " if made_for else ""
        return f"{told}Load a checkpoint of the kind it was made for, or remove the row."
    listed = f"{', '.join(known[:-1])} and {known[-1]}"
    return (
        f"It was made for {made_for}, a kind of model that LoRA Stack does not change: "
        f"it works with {listed}. Remove the row."
    )


def _size(shape: Shape) -> str:
    return "×".join("any" if size == ANY else str(size) for size in shape)
