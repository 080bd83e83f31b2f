"""Merging: `ours = W0 + Σ strength · delta`, computed in float32 and rounded once.

The whole stack of low-rank changes is one `addmm`; other families follow one by one, in the stack's order.
Every one of them is computed from W0, the weight its file was trained on, whatever else is in the stack: so
the order of the rows matters to the last rounding only, and each row does what it does alone. The result is a
function of W0 and the plan: always from W0, never from an earlier result, never by subtraction.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lib_lora.adapters import InPlace, on_device
from lib_lora.engine.budget import MERGEABLE
from lib_lora.engine.fingerprint import Fingerprint
from lib_lora.engine.narrow import NARROW, check_range, stays_in_range, suits_16_bits
from lib_lora.engine.scratch import Scratch
from lib_lora.engine.sections import entry_in, origin
from lib_lora.engine.slots import RankSlots, as_matrix, is_channels_last, slots_key
from lib_lora.plan import Contribution

Watched = tuple[Mapping[str, "Tensor | None"], str, Callable[[], "Tensor | None"], int, "int | None"]
"""A module's table of parameters, one name in it, and the marks of what stood there."""


class MergedWeight:
    """Our weight (and bias) of one layer, with what it was made from; nbytes: of all of it.

    tracked: whether a change of the host's weight would be noticed after others had the model.
    """

    __slots__ = (
        "_bias_print",
        "_key",
        "_print",
        "_size",
        "_size_print",
        "_slots",
        "bias",
        "nbytes",
        "tracked",
        "weight",
    )

    def __init__(self) -> None:
        self.weight: Tensor | None = None
        self.bias: Tensor | None = None
        self._key: Hashable = None
        self._print: Fingerprint | None = None
        self._bias_print: Fingerprint | None = None
        self._slots: RankSlots | None = None
        self.nbytes = 0
        self.tracked = True
        self._size = 0.0
        self._size_print: Fingerprint | None = None

    def give_back(self) -> None:
        """Hold nothing any more, and serve nothing, whoever still knows of this."""
        self.weight = self.bias = self._key = self._print = self._bias_print = self._slots = None
        self.nbytes = 0

    def drop_slots(self) -> None:
        """Give back the factors; the next merge brings them from the files' tensors again."""
        if self._slots is not None:
            self.nbytes -= self._slots.nbytes
            self._slots = None

    def follows(self, module: Any) -> bool:
        """Tell whether the host's weight is still the one merged from."""
        if self._print is None or not self._print.still(origin(module, "weight")):
            return False
        return self._bias_print is None or self._bias_print.still(origin(module, "bias"))

    def serves(self, module: Any, changes: Sequence[Contribution]) -> bool:
        """Tell whether this is what a merge of the changes into the host's weight would give."""
        return self._key == tuple(change.key for change in changes) and self.follows(module)

    def watch(self, module: Any, watched: list[Watched]) -> None:
        """Add what has to be asked `still`, for a check that many layers go through at every step."""
        if self._print is not None:
            table, name = entry_in(module, "weight")
            watched.append((table, name, *self._print.marks))
        if self._bias_print is not None:
            table, name = entry_in(module, "bias")
            watched.append((table, name, *self._bias_print.marks))

    def update(self, module: Any, changes: Sequence[Contribution], scratch: Scratch) -> bool:
        """Merge unless nothing changed; tell whether it was necessary."""
        if self.serves(module, changes):
            return False
        self._key = None
        base = module.weight.detach()
        if base.dtype not in MERGEABLE:  # of 8 bits, which hold no change, and which PyTorch adds nothing to
            base = base.to(torch.float32)
        if base.dtype in NARROW and not self.size_known(module):
            self.told(module, float(torch.linalg.vector_norm(base, dtype=torch.float32)))
        self._merge_weight(base, changes, scratch, self._size)
        self._merge_bias(module, changes)
        self._print = _fingerprint(module, "weight")
        seen = (self._print, self._bias_print)
        self.tracked = all(one is None or one.tracked for one in seen)
        self._key = tuple(change.key for change in changes)
        held = (self.weight, self.bias)
        self.nbytes = sum(tensor.nelement() * tensor.element_size() for tensor in held if tensor is not None)
        self.nbytes += 0 if self._slots is None else self._slots.nbytes
        return True

    def told(self, module: Any, size: float) -> None:
        """Take the norm of the weight there now; on a graphics card asking for many at once saves waiting."""
        self._size, self._size_print = size, _fingerprint(module, "weight")

    def size_known(self, module: Any) -> bool:
        """Tell whether the norm of the weight there now is known."""
        return self._size_print is not None and self._size_print.still(origin(module, "weight"))

    def _merge_weight(
        self, base: Tensor, changes: Sequence[Contribution], scratch: Scratch, size: float
    ) -> None:
        if not _is_dense(base):
            base = base.contiguous()
        if not _same_form(self.weight, base):
            self.weight = None  # given back before the new one is asked for
            self.weight = torch.empty_like(base)
        assert self.weight is not None
        low_rank = [change for change in changes if change.factors is not None]
        others = [change for change in changes if change.factors is None]
        dtype = torch.promote_types(base.dtype, torch.float32)
        if not others and suits_16_bits(base, size, low_rank):
            dtype = base.dtype
        direct = dtype == base.dtype and not (others and is_channels_last(base))
        target = self.weight if direct else scratch.like(base, dtype, "sum", plain=bool(others))
        if low_rank:
            start = base if direct else target.copy_(base)
            up, down, scale = self._slots_for(low_rank, target).scaled(low_rank, target, scratch)
            torch.addmm(as_matrix(start), up, down, alpha=scale, out=as_matrix(target))
        else:
            self._slots = None
            target.copy_(base)
        if others:
            exact = _exact(base, scratch)
            for change in others:
                _add(change, target, exact)
        if not direct:
            self.weight.copy_(target)
        if base.dtype in NARROW and (others or not stays_in_range(base.dtype, size, low_rank)):
            check_range(target, base.dtype)

    def _slots_for(self, changes: Sequence[Contribution], target: Tensor) -> RankSlots:
        key = slots_key(changes, target, target.dtype)
        if self._slots is None or self._slots.key != key:
            factors = [change.factors for change in changes if change.factors is not None]
            self._slots = RankSlots(key, factors, target, target.dtype, self._slots)
        return self._slots

    def _merge_bias(self, module: Any, changes: Sequence[Contribution]) -> None:
        base = getattr(module, "bias", None)  # an embedding has none
        change = bias_change(changes, base)
        self.bias = self._bias_print = None
        if change is None:
            return
        like = module.weight if base is None else base
        exact = change.to(like.device) if base is None else base.detach().to(change.dtype) + change
        if like.dtype in NARROW:
            check_range(exact, like.dtype)
        self.bias = exact.to(like.dtype) if like.dtype in MERGEABLE else exact
        self._bias_print = None if base is None else _fingerprint(module, "bias")


def _fingerprint(module: Any, which: str) -> Fingerprint | None:
    stored = origin(module, which)
    return None if stored is None else Fingerprint(stored)


def _exact(base: Tensor, scratch: Scratch) -> Tensor:
    """Return W0 as a contiguous float32 tensor: itself where it is one."""
    if base.dtype == torch.float32 and base.is_contiguous():
        return base
    return scratch.like(base, torch.float32, "base", plain=True).copy_(base)


def _add(change: Contribution, target: Tensor, base: Tensor) -> None:
    """Add a change that is not of low rank, made for `base`."""
    adapter = on_device(change.adapter, target.device)
    if isinstance(adapter, InPlace) and target.dtype == base.dtype:
        adapter.add_to(target, base, change.strength)
    else:
        target.add_(adapter.delta(base), alpha=change.strength)


def bias_change(changes: Sequence[Contribution], bias: Tensor | None) -> Tensor | None:
    """Return the sum of all changes to a layer's bias in float32, None when there is none."""
    base: Tensor | None = None
    total: Tensor | None = None
    for change in changes:
        if change.narrow:
            continue  # asked first, because bringing the host's bias here makes a graphics card wait
        if base is None and bias is not None:
            base = bias.detach().float().cpu()
        added = change.adapter.bias(base)
        if added is not None:
            scaled = added * change.strength
            total = scaled if total is None else total + scaled
    return total if total is None or bias is None else total.to(bias.device)


def _is_dense(weight: Tensor) -> bool:
    if weight.dim() == 4:
        return weight.is_contiguous() or weight.is_contiguous(memory_format=torch.channels_last)
    return weight.is_contiguous()


def _same_form(ours: Tensor | None, base: Tensor) -> bool:
    return (
        ours is not None
        and ours.shape == base.shape
        and ours.dtype == base.dtype
        and ours.device == base.device
        and ours.stride() == base.stride()
    )
