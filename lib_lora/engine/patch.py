"""What is installed on one layer while a plan is attached."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lib_lora.engine.bypass import Bypass, class_forward
from lib_lora.engine.forwards import Forward, computation
from lib_lora.engine.masked import Masked
from lib_lora.engine.merged import MergedWeight
from lib_lora.engine.modes import BYPASS, MERGED
from lib_lora.engine.sections import Section
from lib_lora.engine.temporary import Temporary
from lib_lora.engine.view import ATTENTION, CONV, LINEAR, Layer
from lib_lora.plan import Contribution

Shortcut = tuple[Callable[..., Tensor], Tensor, "Tensor | None", Mapping[str, Any], torch.dtype, torch.device]
"""How a merged layer computes; our weight and bias; where the host's bias stands; the input it is for."""

AWAY = Layer("", "", None)
"""What a patch that rests has instead of its layer."""


@dataclass(eq=False, slots=True)
class Patch:
    """One layer's changes and how they are applied.

    foreign: the instance forward another extension left there. shadow: our tensor in the place of a bare
    parameter, as an attribute of its owner. idle: at this moment nothing acts here but what masked adds, the
    changes of a part of the picture. short: memory ran out while it was merged. live: whether it is on the
    layer. settled: the changes that `merged` was made or found to be of. home: the module, unless it is gone.
    fluid: whether the host changes the weight anew at every call, so that the layer is left to it.
    timed: whether strengths here change while sampling; then runs counts the calls in this run of the
    sampler, numbers those that came out of the last, and beside tells that merging each time would not pay.
    shortcut: all that a call needs while nothing but our weight acts here; from one layer to the next a
    processor's cache loses what it held, so a call costs by what it looks at.
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
    live: bool = True
    settled: tuple[Contribution, ...] | None = None
    home: Callable[[], Any] | None = None
    name: str = ""
    fluid: bool = False
    timed: bool = False
    runs: int = 0
    numbers: int = 0
    beside: bool = False
    shortcut: Shortcut | None = None

    def __post_init__(self) -> None:
        self.name = self.layer.name
        if not isinstance(self.layer.module, Section):
            self.home = weakref.ref(self.layer.module)

    def rest(self) -> bool:
        """Hold nothing of the model any more; tell whether the patch can be taken up again later."""
        self.live, self.shortcut = False, None
        if self.home is None or self.masked is not None or self.foreign is not None:
            return False
        self.layer, self.bypass = AWAY, None
        return True

    def take_up(self, layer: Layer, changes: tuple[Contribution, ...], merged: MergedWeight | None) -> bool:
        """Serve a layer again; False where it is another one now, or somebody has changed it."""
        if self.home is None or self.home() is not layer.module or "forward" in vars(layer.module):
            return False
        if merged is None or merged is not self.merged:  # not kept, because it could not be watched
            self.settled = None
        self.layer, self.changes, self.merged = layer, changes, merged
        self.idle, self.moves, self.live = not changes, 0, True
        self.timed, self.beside = False, False
        return True

    def fits_again(self, layer: Layer | None, merged: MergedWeight | None) -> bool:
        """Tell whether the layer only has to be given our forward again: all else is as it was."""
        return (
            layer is not None
            and self.home is not None
            and self.home() is layer.module
            and "forward" not in layer.module.__dict__
            and merged is not None
            and merged is self.merged
            and self.settled is self.changes
        )

    def take(self, changes: tuple[Contribution, ...]) -> bool:
        """Take the changes of another moment of sampling; tell whether there is anything to compute anew."""
        self.idle, self.shortcut = not changes, None
        if self.idle:
            return False
        if [change.key for change in changes] != [change.key for change in self.changes]:
            self.changes = changes
            if not isinstance(self.bypass, Bypass) or not self.bypass.rescale(changes):
                self.bypass = None
        # Idle layers are passed over when the others are merged: this one may still hold an older merge.
        return self.bypass is None and (self.merged is None or self.settled is not self.changes)

    def begin_run(self) -> None:
        """Forget what was learned from sampling: the next picture may be of another size."""
        self.runs = self.numbers = 0
        if self.beside:
            self.mode, self.bypass, self.beside = MERGED, None, False

    def go_beside(self) -> None:
        """Compute the changes at every call until this run of the sampler is over."""
        self.mode, self.merged, self.beside = BYPASS, None, True

    def shorten(self) -> None:
        """Find the shortcut, or that there is none."""
        self.shortcut = None
        merged, module, kind = self.merged, self.layer.module, self.layer.kind
        if (
            merged is None
            or merged.weight is None
            or kind not in (LINEAR, CONV)
            or isinstance(module, Section)
        ):
            return
        if self.idle or self.timed or self.masked is not None:
            return
        weight, bias, parameters = merged.weight, merged.bias, module._parameters
        if bias is None:
            bias = parameters.get("bias")
            hidden = "bias" not in parameters or "bias" in module.__dict__  # an attribute goes before it
            if hidden and getattr(module, "bias", None) is not bias:
                return
        if bias is not None and (bias.dtype != weight.dtype or bias.device != weight.device):
            return
        # A convolution is asked at every call: other extensions exchange how it pads, for tiled pictures.
        call = functional.linear if kind == LINEAR else partial(computation(kind), module)
        self.shortcut = call, weight, merged.bias, parameters, weight.dtype, weight.device

    def original(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the layer as if we were not there."""
        if self.foreign is not None:
            return self.foreign(*args, **kwargs)
        return class_forward(self.layer.owner if self.home is None else self.home(), *args, **kwargs)

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
