"""One part of a model with its share of a plan on it: prepares itself at the first forward, undoes itself
fully.

Attaching only installs. The work happens in a pre-hook on the part's root, when the host has its weights in
place, and again whenever a weight is not the one merged from any more.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from lib_lora.engine.budget import BYPASS, MERGED, Candidate, Decision, decide, weight_bytes
from lib_lora.engine.bypass import Bypass, class_forward
from lib_lora.engine.forwards import Forward, computation, compute_merged
from lib_lora.engine.merged import MergedWeight, Scratch, exact_arithmetic
from lib_lora.engine.view import CONV, LINEAR, Layer, ModelView
from lib_lora.errors import EngineError
from lib_lora.plan import Contribution

MOVES = 3
"""How often a weight may change under one attachment before it is computed beside the model instead."""

MOVED_NOTE = "the WebUI keeps moving {} weights in and out of memory, so they are changed while sampling"


@dataclass
class Patch:
    """What is installed on one layer; `foreign` is the instance forward another extension left there."""

    layer: Layer
    changes: tuple[Contribution, ...]
    foreign: Forward | None
    forward: Forward
    mode: str = ""
    merged: MergedWeight | None = None
    bypass: Bypass | None = None
    moves: int = 0


@dataclass
class Attached:
    """All patches of one part. `store` keeps merged weights from one attachment to the next."""

    view: ModelView
    part: str
    changes: Mapping[str, tuple[Contribution, ...]]
    mode: str
    store: MutableMapping[str, MergedWeight]
    ready: bool = False
    calls: int = 0
    merges: int = 0
    seconds: float = 0.0
    decision: Decision = field(default_factory=lambda: Decision({}, ()))

    def __post_init__(self) -> None:
        self.patches: list[Patch] = []
        self._live = True
        self._watched: list[Patch] = []
        self._hook = self.view.parts[self.part].register_forward_pre_hook(self._before)
        try:
            for name, changes in self.changes.items():
                self._install(self.view.layers[name], changes)
        except BaseException:
            self.detach()
            raise

    def detach(self) -> None:
        """Take everything off; other extensions' forwards are put back, and may be called safely if kept."""
        self._live = self.ready = False
        self._hook.remove()
        for patch in self.patches:
            attributes = vars(patch.layer.module)
            if attributes.get("forward") is not patch.forward:
                continue  # somebody wrapped ours: it stays inside theirs and only passes through
            if patch.foreign is None:
                del attributes["forward"]
            else:
                attributes["forward"] = patch.foreign
        self.patches = []
        self._watched = []

    def refresh(self) -> None:
        """Look at every weight again before the next forward."""
        self.ready = False

    @property
    def notes(self) -> tuple[str, ...]:
        """Why layers are not merged."""
        moved = sum(patch.moves > MOVES for patch in self.patches)
        return (*self.decision.notes, *((MOVED_NOTE.format(moved),) if moved else ()))

    def _install(self, layer: Layer, changes: tuple[Contribution, ...]) -> None:
        attributes = vars(layer.module)
        foreign = attributes.get("forward")
        if foreign is not None and layer.kind not in (LINEAR, CONV):
            raise EngineError(
                f"Another extension has replaced the norm layer {layer.name}, which a row of the stack "
                "changes. Switch that extension off, or remove the row."
            )
        patch = Patch(layer, changes, foreign, class_forward)
        patch.forward = self._forward_of(patch)
        self.patches.append(patch)
        attributes["forward"] = patch.forward

    def _forward_of(self, patch: Patch) -> Forward:
        """Make the instance forward: our weight if merged, else the layer's own output and our change."""
        module, compute = patch.layer.module, computation(patch.layer.kind)

        def forward(x: Tensor, *args: Any, **kwargs: Any) -> Any:
            if not self.ready:
                if not self._live:
                    return original(x, *args, **kwargs)
                self.prepare()
            self.calls += 1
            if patch.merged is not None:
                return compute_merged(compute, module, patch.merged, x)
            output = original(x, *args, **kwargs)
            return output if patch.bypass is None else patch.bypass.add_to(output, x)

        def original(*args: Any, **kwargs: Any) -> Any:
            if patch.foreign is not None:
                return patch.foreign(*args, **kwargs)
            return class_forward(module, *args, **kwargs)

        return forward

    def _before(self, module: Any, args: Any) -> None:
        if not self.ready:
            self.prepare()
            return
        for patch in self._watched:
            if not patch.merged.follows(patch.layer.module):  # type: ignore[union-attr]
                self.prepare()
                return

    def prepare(self) -> None:
        """Decide how each layer is applied, and merge those whose weight or changes are new."""
        settle = self.view.settle
        if settle is not None:
            for patch in self.patches:
                settle(patch.layer.module)
        self._decide()
        scratch, start, before = Scratch(), time.perf_counter(), self.merges
        devices = {patch.layer.module.weight.device for patch in self.patches}
        with exact_arithmetic(devices):
            for patch in self.patches:
                if patch.mode == MERGED:
                    self._merge(patch, scratch)
                elif patch.bypass is None:
                    patch.bypass, patch.merged = Bypass(patch.layer, patch.changes), None
                    self.store.pop(patch.layer.name, None)
        if self.merges > before:
            for device in devices:
                if device.type == "cuda":
                    torch.cuda.synchronize(device)  # so that the time told is the time it took
            self.seconds += time.perf_counter() - start
        self._watched = [patch for patch in self.patches if patch.merged is not None]
        self.ready = True

    def _decide(self) -> None:
        if all(patch.mode for patch in self.patches):
            return
        self.decision = decide(map(self._candidate, self.patches), self.mode)
        for patch in self.patches:
            patch.mode = self.decision.modes[patch.layer.name]

    def _candidate(self, patch: Patch) -> Candidate:
        layer = patch.layer
        new_bytes = 0 if layer.name in self.store else weight_bytes(layer.module)
        return Candidate(layer, new_bytes, wrapped=patch.foreign is not None)

    def _merge(self, patch: Patch, scratch: Scratch) -> None:
        name, module = patch.layer.name, patch.layer.module
        before = patch.merged
        if before is not None and not before.follows(module):
            patch.moves += 1
            if patch.moves > MOVES and patch.layer.kind in (LINEAR, CONV):
                patch.mode, patch.merged = BYPASS, None
                patch.bypass = Bypass(patch.layer, patch.changes)
                self.store.pop(name, None)
                return
        merged = self.store.setdefault(name, MergedWeight())
        self.merges += merged.update(module, patch.changes, scratch)
        patch.merged = merged
