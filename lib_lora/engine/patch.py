"""What is installed on one layer while a plan is attached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from lib_lora.engine.bypass import Bypass, class_forward
from lib_lora.engine.forwards import Forward
from lib_lora.engine.masked import Masked
from lib_lora.engine.merged import MergedWeight
from lib_lora.engine.temporary import Temporary
from lib_lora.engine.view import ATTENTION, Layer
from lib_lora.plan import Contribution


@dataclass
class Patch:
    """One layer's changes and how they are applied.

    foreign: the instance forward another extension left there. shadow: our tensor in the place of a bare
    parameter, as an attribute of its owner. idle: at this moment nothing acts here but what masked adds, the
    changes of a part of the picture. short: memory ran out while it was merged.
    """

    layer: Layer
    changes: tuple[Contribution, ...]
    foreign: Forward | None = None
    forward: Forward = class_forward
    mode: str = ""
    merged: MergedWeight | None = None
    bypass: Bypass | Temporary | None = None
    moves: int = 0
    shadow: Tensor | None = None
    idle: bool = False
    masked: Masked | None = None
    short: bool = False

    def take(self, changes: tuple[Contribution, ...]) -> bool:
        """Take the changes of another moment of sampling; tell whether there is anything to compute anew."""
        self.idle = not changes
        if self.idle or [change.key for change in changes] == [change.key for change in self.changes]:
            return not self.idle and self.merged is None and self.bypass is None
        self.changes, self.bypass = changes, None
        return True

    def original(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the layer as if we were not there."""
        if self.foreign is not None:
            return self.foreign(*args, **kwargs)
        return class_forward(self.layer.owner, *args, **kwargs)

    def make_bypass(self) -> None:
        """Compute the changes at every call from now on."""
        kind = Temporary if self.layer.kind == ATTENTION else Bypass
        self.bypass = kind(self.layer, self.changes)

    def put_shadow(self) -> None:
        """Let the owner of a bare parameter find our merged one: an attribute goes before a parameter."""
        section = self.layer.module
        assert self.merged is not None and self.merged.weight is not None
        weight = self.merged.weight
        self.shadow = weight.t() if section.transposed else weight
        vars(section.owner)[section.weight_name] = self.shadow

    def remove_shadow(self) -> None:
        """Let the owner find its own parameter again."""
        section = self.layer.module
        if self.shadow is not None and vars(section.owner).get(section.weight_name) is self.shadow:
            del vars(section.owner)[section.weight_name]
        self.shadow = None
