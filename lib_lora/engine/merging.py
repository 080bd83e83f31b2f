"""Bringing the layers of one part to what their changes ask for: merged, or computed beside."""

from __future__ import annotations

import math
import time
from collections.abc import Hashable, MutableMapping, Sequence

import torch
from torch import Tensor

from lib_lora.adapters import OUTPUTS
from lib_lora.engine.arithmetic import exact_arithmetic
from lib_lora.engine.budget import Candidate, Decision, decide, weight_bytes
from lib_lora.engine.merged import MergedWeight
from lib_lora.engine.modes import BYPASS, LEAST_MEMORY, MERGED
from lib_lora.engine.narrow import NARROW
from lib_lora.engine.patch import Patch
from lib_lora.engine.scratch import Scratch
from lib_lora.engine.slots import factor_bytes
from lib_lora.engine.view import BESIDE, Layer, weight_shape
from lib_lora.errors import EngineError
from lib_lora.plan import Contribution

MOVES = 3
"""How often a weight may change under one attachment before it is computed beside the model instead."""

MOVED_NOTE = "the WebUI keeps moving {} weights in and out of memory, so they are changed while sampling"
SHORT_NOTE = "memory ran out while merging, so {} weights are changed while sampling"
PACE_NOTE = "{} weights change their strength too often to be merged, so they are changed while sampling"

RAN_OUT = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "allocation failed",
    "alloc_failed",  # CUBLAS_STATUS_…, CUDNN_STATUS_…: a library of the card found none
    "not enough gpu video memory",  # DirectML
    "can not allocate memory",  # Intel's cards
)
"""What errors of PyTorch say where memory ended, for devices that have no error of their own for it."""


class Merging:
    """Decides and merges; counts what it did since `restart`. The store keeps merged weights by name."""

    def __init__(self, store: MutableMapping[str, MergedWeight]) -> None:
        self.merges = 0
        self.seconds = 0.0
        self._store = store
        self._decision = Decision({}, frozenset(), ())

    def restart(self) -> None:
        """Begin to count anew; what is decided stays."""
        self.merges, self.seconds = 0, 0.0

    def notes(self, patches: Sequence[Patch]) -> tuple[str, ...]:
        """Say why layers are not merged."""
        counts = (
            (MOVED_NOTE, sum(patch.moves > MOVES for patch in patches)),
            (PACE_NOTE, sum(patch.beside for patch in patches)),
            (SHORT_NOTE, sum(patch.short for patch in patches)),
        )
        return (*self._decision.notes, *(note.format(count) for note, count in counts if count))

    def prepare(self, patches: Sequence[Patch], mode: str) -> None:
        """Make every layer ready for its next call."""
        for patch in patches:
            if patch.fluid:
                self._leave_to_host(patch)
        if not all(patch.mode for patch in patches):
            self._decision = decide([self._candidate(patch, mode) for patch in patches], mode)
            for patch in patches:
                patch.mode = self._decision.modes[patch.layer.name]
        pending = [patch for patch in patches if not patch.idle and not self._is_ready(patch)]
        if not pending:
            return
        start, before = time.perf_counter(), self.merges
        for patch in pending:
            check_size(patch)
        devices = {patch.layer.module.weight.device for patch in pending}
        with exact_arithmetic(devices):
            self._measure(pending)
            scratch = Scratch()
            for patch in pending:
                self._prepare(patch, scratch)
        if self.merges > before:
            if not before:
                for device in devices:
                    if device.type == "cuda":
                        torch.cuda.synchronize(device)  # so that the time told is the time it took
            self.seconds += time.perf_counter() - start

    def _candidate(self, patch: Patch, mode: str) -> Candidate:
        layer = patch.layer
        kept = layer.name in self._store and mode != LEAST_MEMORY  # which gives back what others keep
        new_bytes = 0 if kept else weight_bytes(layer.module)
        return Candidate(
            layer,
            new_bytes,
            factor_bytes(patch.changes),
            wrapped=patch.foreign is not None or patch.fluid,
            beside_bytes=beside_bytes(layer, patch.changes),
        )

    def _leave_to_host(self, patch: Patch) -> None:
        """Merge no weight that the host computes anew at every call: what it does then would be left out."""
        layer = patch.layer
        if layer.kind not in BESIDE:
            raise EngineError(
                f"The WebUI itself changes {layer.name} while sampling, which a row of the stack changes "
                "too. Take the WebUI's own networks out of the prompt, or remove the row."
            )
        if patch.mode == MERGED:
            patch.mode, patch.merged = BYPASS, None

    def _is_ready(self, patch: Patch) -> bool:
        if patch.merged is not None:
            if patch.settled is patch.changes:
                return patch.merged.follows(patch.layer.module)
            if patch.merged.serves(patch.layer.module, patch.changes):
                patch.settled = patch.changes
                return True
            return False
        return patch.bypass is not None and patch.bypass.follows()

    def _measure(self, pending: Sequence[Patch]) -> None:
        """Ask for the norms of all weights that a graphics card has to tell, in one question per device."""
        asked: dict[Hashable, list[tuple[Patch, Tensor]]] = {}
        for patch in pending:
            weight = patch.layer.module.weight
            if patch.mode != MERGED or weight.dtype not in NARROW or weight.device.type == "cpu":
                continue
            if not self._kept(patch).size_known(patch.layer.module):
                norm = torch.linalg.vector_norm(weight.detach(), dtype=torch.float32)
                asked.setdefault(weight.device, []).append((patch, norm))
        for found in asked.values():
            sizes = torch.stack([norm for _, norm in found]).tolist()
            for (patch, _), size in zip(found, sizes, strict=True):
                self._kept(patch).told(patch.layer.module, size)

    def _kept(self, patch: Patch) -> MergedWeight:
        return self._store.setdefault(patch.layer.name, MergedWeight())

    def _prepare(self, patch: Patch, scratch: Scratch) -> None:
        if patch.mode == MERGED and self._may_merge(patch):
            if self._merge(patch, scratch):
                return
            patch.short = True
        self._store.pop(patch.layer.name, None)
        patch.mode, patch.merged = BYPASS, None
        patch.make_bypass()

    def _may_merge(self, patch: Patch) -> bool:
        """Count how often the weight moved under us; merging for every step would cost more than it saves."""
        layer = patch.layer
        if patch.merged is not None and not patch.merged.follows(layer.module):
            patch.moves += 1
        return patch.moves <= MOVES or layer.kind not in BESIDE

    def _merge(self, patch: Patch, scratch: Scratch) -> bool:
        """Merge one layer; tell whether memory sufficed. Nothing of a merge that failed is used."""
        module, merged, patch.settled = patch.layer.module, self._kept(patch), None
        try:
            try:
                updated = merged.update(module, patch.changes, scratch)
            except Exception as error:
                if not ran_out(error):
                    raise
                self._make_room(scratch)
                updated = merged.update(module, patch.changes, scratch)
        except Exception as error:
            if not ran_out(error):
                raise
            if patch.layer.kind not in BESIDE:
                raise EngineError(
                    f"There is not enough memory to change {patch.layer.name}. Close other programs, choose "
                    "a smaller picture, or set 'How LoRAs are applied' to 'Least memory' in the settings."
                ) from error
            patch.merged = None
            self._store.pop(patch.layer.name, None)
            return False
        self.merges += updated
        if module.weight.device not in self._decision.roomy:
            merged.drop_slots()
        patch.merged, patch.settled = merged, patch.changes
        return True

    def _make_room(self, scratch: Scratch) -> None:
        """Give back the factors; what is merged needs them only for moving a slider quickly."""
        self._decision = self._decision.without_room()
        scratch.clear()
        for kept in self._store.values():
            kept.drop_slots()


def check_size(patch: Patch) -> None:
    """Refuse a layer that has another size by now than the stack was prepared for."""
    shape = weight_shape(patch.layer.module)
    inner = math.prod(shape[1:])
    factors = [change.factors for change in patch.changes if change.factors is not None]
    if any(found.down.shape[1] != inner for found in factors):
        raise EngineError(
            f"Another extension has changed the size of {patch.layer.name} (IC-Light gives the first layer "
            "more inputs), which a row of the stack changes. Switch that extension off, or remove the row."
        )


def ran_out(error: BaseException) -> bool:
    """Tell whether an error means that memory ended."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in RAN_OUT)


def beside_bytes(layer: Layer, changes: Sequence[Contribution]) -> int:
    """Bytes that computing beside a layer takes: narrow factors, or a matrix as large as the layer."""
    weight = layer.module.weight
    low_rank = [change for change in changes if change.factors is not None]
    numbers = factor_bytes(low_rank) // 4
    others = [change.adapter for change in changes if change.factors is None]
    if any(adapter.reads != OUTPUTS for adapter in others):
        numbers += weight.nelement()
    return int(numbers * weight.element_size()) + sum(a.nbytes for a in others if a.reads == OUTPUTS)
