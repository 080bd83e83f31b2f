"""One part of a model with its share of a plan on it: prepared at the first forward, undone without trace.

Attaching only installs. The work happens in a pre-hook on the part's root, when the host has its weights in
place, and again whenever a weight is not the one merged from any more. Between pictures a part rests: nothing
of it is on the model and it holds nothing of the model, but what it installs need not be made anew.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from torch import Tensor

from lib_lora.engine.aimed import Aim, Aimed
from lib_lora.engine.attention import FusedAttention
from lib_lora.engine.bypass import Bypass, class_forward
from lib_lora.engine.forwards import Forward, computation, compute_merged
from lib_lora.engine.merged import MergedWeight, Watched
from lib_lora.engine.merging import Merging
from lib_lora.engine.modes import BYPASS, LEAST_MEMORY, MERGED
from lib_lora.engine.once import Once
from lib_lora.engine.pace import Pace
from lib_lora.engine.patch import Patch
from lib_lora.engine.view import ATTENTION, CONV, LINEAR, PARAMETER, Layer, ModelView, Settle
from lib_lora.errors import EngineError
from lib_lora.plan import UNET_PART, Contribution
from lib_lora.stack.schedule import Moment

EVERYWHERE = Aim()

Changes = Mapping[str, tuple[Contribution, ...]]
"""What changes each weight of a part, by canonical name."""


class Attached:
    """All patches of one part; `resume` installs them and `rest` takes them off.

    store: merged weights by canonical name, kept from one attachment to the next. calls: how often layers of
    ours ran since attaching.
    """

    def __init__(self, part: str, store: MutableMapping[str, MergedWeight]) -> None:
        self.part = part
        self.patches: list[Patch] = []
        self.calls = 0
        self.merging = Merging(store)
        self._store = store
        self._resting: dict[str, Patch] = {}
        self._settle: Settle | None = None
        self._mode = ""
        self._ready = False
        self._watched: list[Watched] = []
        self._readers: list[Bypass] = []
        self._attentions: dict[Any, FusedAttention] = {}
        self._timed: list[tuple[Patch, tuple[Contribution, ...]]] = []
        self._awaits_step = False
        self._pace = Pace()
        self._spoken: list[tuple[Patch, tuple[Contribution, ...]]] = []
        self._awaits_text = False
        self._aimed: Aimed | None = None
        self._aim = EVERYWHERE
        self._changes: Changes = {}
        self._plain = False
        self._hook: Any = None
        self._once = Once()
        self._merges_once = False

    def resume(self, view: ModelView, changes: Changes, mode: str, aim: Aim = EVERYWHERE) -> None:
        """Install changes on a model; what rests and is still the same is taken up again."""
        before, self._mode, self._aim = (self._mode, self._aim), mode, aim
        same = self._plain and changes is self._changes and before == (mode, aim) and mode != LEAST_MEMORY
        self.calls, self._settle, self._changes, self._plain = 0, view.settle, changes, False
        self.merging.restart()
        self._merges_once = mode != BYPASS  # asked for by hosts that compute beside the layer themselves
        self._pace = Pace()
        self._hook = view.entry(self.part).register_forward_pre_hook(self._before)
        if same and self._take_up_all(view):
            return
        self._resting, self.patches = {patch.name: patch for patch in self.patches}, []
        try:
            self._install_all(view, changes)
        except BaseException:
            self.rest()
            self.patches = []
            raise
        self._resting = {}
        merged = all(patch.mode == MERGED for patch in self.patches if patch.changes)
        if not merged or before[0] != mode or mode == LEAST_MEMORY:
            for patch in self.patches:  # decided anew: there may be more memory than before, or less
                patch.mode, patch.short, patch.merged, patch.settled = "", False, None, None
        elif self._settle is None and all(patch.settled is patch.changes for patch in self.patches):
            # Nothing to settle and nothing new; whether the weights are the same, `_before` asks anyway.
            self._watch()
            self._ready = not (self._awaits_step or self._awaits_text)

    def rest(self) -> None:
        """Take everything off; other extensions' forwards are put back, and nothing of the model is held."""
        self._ready = False
        self._hook.remove()
        self._once.clear()
        special = self._aimed or self._attentions or self._timed or self._spoken
        if self._aimed is not None:
            self._aimed.remove()
        kept = []
        for patch in self.patches:
            if patch.shadow is not None:
                patch.remove_shadow()
            attributes = (patch.layer.owner if patch.home is None else patch.layer.module).__dict__
            # If somebody wrapped ours, it stays inside theirs and only passes through.
            ours = attributes.get("forward") is patch.forward
            if ours and patch.foreign is None:
                del attributes["forward"]
            elif ours:
                attributes["forward"] = patch.foreign
            if patch.rest() and ours:
                kept.append(patch)
        self._plain = not special and len(kept) == len(self.patches)
        self.patches, self._watched, self._readers = kept, [], []
        self._attentions, self._timed = {}, []
        self._spoken, self._aimed, self._settle = [], None, None
        self._awaits_step = self._awaits_text = False

    def step(self, moment: Moment) -> None:
        """Give every layer with a schedule the strengths of this moment; what changed is merged again."""
        self._awaits_step = False
        if self._pace.step(self._timed, moment):
            self._ready = False
        if self._aimed is not None:
            self._aimed.step(moment)

    def encode(self, side: str, moment: Moment) -> None:
        """Give every layer of a text encoder the changes for one side of the prompt at one moment."""
        self._awaits_text = False
        for patch, planned in self._spoken:
            now = (change.at(moment) for change in planned if change.side in ("", side))
            if patch.take(tuple(change for change in now if change.strength != 0)):
                self._ready = False
            if patch.layer.kind == PARAMETER:
                patch.remove_shadow()
                self._ready = False

    def refresh(self) -> None:
        """Look at every weight again before the next forward."""
        self._ready = False

    @property
    def extra_bytes(self) -> int:
        """Bytes of what acts in a part of the picture only, and of what is merged for one call."""
        return self._once.nbytes + (0 if self._aimed is None else self._aimed.nbytes)

    @property
    def notes(self) -> tuple[str, ...]:
        """Why layers are not merged."""
        return self.merging.notes(self.patches)

    def _take_up_all(self, view: ModelView) -> bool:
        """Put everything on again as it was, if it is all merged and nobody has touched a layer since."""
        layers, store = view.layers, self._store
        for patch in self.patches:
            if not patch.fits_again(layers.get(patch.name), store.get(patch.name)):
                return False
        watched: list[Watched] = []
        for patch in self.patches:
            layer, merged = layers[patch.name], patch.merged
            assert merged is not None
            patch.layer, patch.moves, patch.live = layer, 0, True
            layer.module.__dict__["forward"] = patch.forward
            merged.watch(layer.module, watched)
            patch.shorten()
        self._watched, self._ready = watched, self._settle is None
        return True

    def _install_all(self, view: ModelView, changes: Changes) -> None:
        for name, found in changes.items():
            if self.part == UNET_PART:
                self._install_aimed(view, view.layers[name], found)
            else:
                self._install(view.layers[name], found)
                self._take_spoken(found)
        if self._aimed is not None:
            self._aimed.finish()

    def _install_aimed(self, view: ModelView, layer: Layer, changes: tuple[Contribution, ...]) -> None:
        """Install what acts everywhere, and beside it what acts somewhere only."""
        everywhere, somewhere = self._aim.split(changes)
        if not everywhere and not somewhere:
            return
        self._install(layer, everywhere)
        if somewhere:
            if self._aimed is None:
                self._aimed = Aimed(view.parts[self.part], self._aim)
            self.patches[-1].masked = self._aimed.layer(layer, somewhere)
            self._awaits_step |= any(not change.schedule.constant for change in somewhere)

    def _take_spoken(self, changes: tuple[Contribution, ...]) -> None:
        if any(change.side or not change.schedule.constant for change in changes):
            self._spoken.append((self.patches[-1], changes))
            self._awaits_text = True

    def _install(self, layer: Layer, changes: tuple[Contribution, ...]) -> None:
        patch = self._resting.get(layer.name)
        again = patch is not None and patch.take_up(layer, changes, self._store.get(layer.name))
        if patch is None or not again:
            patch = Patch(layer, changes, idle=not changes)
        self.patches.append(patch)
        if self.part == UNET_PART and not all(change.schedule.constant for change in changes):
            self._timed.append((patch, changes))
            self._awaits_step = patch.timed = True
        if again:
            vars(layer.module)["forward"] = patch.forward
            return
        if layer.kind == PARAMETER:
            return  # nothing is called; the owner finds our tensor once it is merged
        attributes, attention = vars(layer.owner), self._attentions.get(layer.owner)
        if attention is not None:
            attention.patches[layer.module.place] = patch
            patch.forward = attributes["forward"]
            return
        patch.foreign = attributes.get("forward")
        if patch.foreign is not None and layer.kind not in (LINEAR, CONV):
            raise EngineError(
                f"Another extension has replaced the layer {layer.name}, which a row of the stack "
                "changes. Switch that extension off, or remove the row."
            )
        if layer.kind == ATTENTION:
            attention = self._attentions[layer.owner] = FusedAttention(layer.owner)
            attention.patches[layer.module.place] = patch
            patch.forward = self._forward_of_attention(attention, patch)
        else:
            patch.forward = self._forward_of(patch)
        attributes["forward"] = patch.forward

    def _forward_of(self, patch: Patch) -> Forward:
        """Make the instance forward: our weight if merged, else the layer's own output and our change."""
        compute = computation(patch.layer.kind)

        def forward(x: Tensor, *args: Any, **kwargs: Any) -> Any:
            shortcut = patch.shortcut
            if shortcut is not None and self._ready:
                call, weight, bias, parameters, dtype, device = shortcut
                if x.dtype is dtype and x.device == device:
                    self.calls += 1
                    return call(x, weight, parameters.get("bias") if bias is None else bias)
            return whole(x, *args, **kwargs)

        def whole(x: Tensor, *args: Any, **kwargs: Any) -> Any:
            if not (self._ready and patch.live):
                if not patch.live:
                    return patch.original(x, *args, **kwargs)
                self._prepare()  # a layer called past its root
            self.calls += 1
            if patch.idle:
                output = patch.original(x, *args, **kwargs)
            elif patch.merged is not None:
                output = compute_merged(compute, patch.layer.module, patch.merged, x)
            else:
                assert isinstance(patch.bypass, Bypass)
                alone = patch.foreign is None and not patch.fluid
                once = alone and self._merges_once and not (args or kwargs)
                found = self._once.compute(patch.bypass, patch.layer.module, x) if once else None
                if found is None:
                    own = patch.original(x, *args, **kwargs)
                    found = patch.bypass.add_to(own, x, ours=patch.foreign is None)
                output = found
            if patch.timed:
                patch.runs, patch.numbers = patch.runs + 1, output.numel()
            if patch.masked is None:
                return output
            idle = patch.idle
            return patch.masked.add_to(
                output, x, lambda: output if idle else patch.original(x, *args, **kwargs)
            )

        return forward

    def _forward_of_attention(self, attention: FusedAttention, patch: Patch) -> Forward:
        """Make the instance forward of a fused attention, shared by the patches of its weights."""

        def forward(*args: Any, **kwargs: Any) -> Any:
            if not (self._ready and patch.live):
                if not patch.live:
                    return class_forward(attention.module, *args, **kwargs)
                self._prepare()
            self.calls += 1
            return attention.compute(*args, **kwargs)

        return forward

    def _before(self, module: Any, args: Any) -> None:
        if self._ready:
            # `Fingerprint.still`, without a call for each of hundreds of layers at every step
            for parameters, name, reference, place, version in self._watched:
                tensor = parameters.get(name)
                if tensor is None or reference() is not tensor or tensor.data_ptr() != place:
                    break
                if version is not None and tensor._version != version:
                    break
            else:
                if all(bypass.follows() for bypass in self._readers):
                    return
        self._prepare()

    def _prepare(self) -> None:
        """Decide how each layer is applied, and merge those whose weight or changes are new."""
        self._ready = False
        if self._awaits_step:
            raise EngineError(
                "This WebUI does not tell which step it is at, so a row with a schedule cannot act. "
                "Clear 'when' in that row, or switch the row off."
            )
        if self._awaits_text:
            raise EngineError(
                "This WebUI does not tell which prompt it encodes, so a row for one side, or one whose text "
                "encoder weight changes over the steps, cannot act. Clear 'side' and 'te_schedule' in that "
                "row, or set its text encoder weight to 0."
            )
        if self._settle is not None:
            for patch in self.patches:
                patch.fluid = bool(self._settle(patch.layer.owner))
        for patch in self.patches:
            patch.shortcut = None  # it holds a weight that has to be given back before the next is asked for
        changed = [patch for patch in self.patches if patch.changes]
        self.merging.prepare(changed, self._mode)
        self._watch()
        for patch in changed:
            if patch.layer.kind == PARAMETER and not patch.idle:
                patch.put_shadow()
        self._ready = True

    def _watch(self) -> None:
        watched: list[Watched] = []
        readers = []
        for patch in self.patches:
            if patch.merged is not None:
                patch.merged.watch(patch.layer.module, watched)
            if isinstance(patch.bypass, Bypass) and patch.bypass.reads:
                readers.append(patch.bypass)
            patch.shorten()
        self._watched, self._readers = watched, readers
