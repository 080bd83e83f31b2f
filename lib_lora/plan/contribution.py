"""One network's change to one weight, with all the numbers that bear on it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

from lib_lora.adapters import Adapter, Factors
from lib_lora.stack.region import Region
from lib_lora.stack.schedule import CONSTANT, Moment, Schedule

UNET_PART = "unet"
"""All other parts are text encoders."""


@dataclass(frozen=True, eq=False)
class Contribution:
    """One network's change to one weight; `factors` where it is of low rank, for the weight's own shape.

    strength: at the moment meant; while sampling, `at` gives the contribution of each step. region: where in
    the picture, None everywhere. side: for which prompt, empty for both.
    """

    network: Hashable
    adapter: Adapter
    factors: Factors | None
    strength: float
    schedule: Schedule = CONSTANT
    region: Region | None = None
    side: str = ""

    @property
    def key(self) -> Hashable:
        """Equal for equal changes of the same weight."""
        return self.network, self.strength

    @property
    def narrow(self) -> bool:
        """Whether it is of low rank and leaves the layer's bias alone, whatever the bias is."""
        return self.factors is not None and self.adapter.bias() is None

    def at(self, moment: Moment) -> Contribution:
        """Return the change as it is at a moment of sampling."""
        return self if self.schedule.constant else self.times(self.schedule.factor(moment))

    def times(self, factor: float) -> Contribution:
        """Return the change at a factor that its schedule has at some moment."""
        if self.schedule.constant:
            return self
        return replace(self, strength=self.strength * factor, schedule=CONSTANT)


def part_of(name: str) -> str:
    """Return the part of the model that a weight belongs to."""
    return name.partition(".")[0]


def in_text_encoder(name: str) -> bool:
    """Tell whether a weight is of a text encoder."""
    return not name.startswith(f"{UNET_PART}.")
