"""Changes of one layer that act in a part of the picture, or for one side of the prompt, beside the layer.

Low-rank changes are multiplied by their masks at the width of their ranks: `y + ((x · downᵀ) · mask) · upᵀ`.
Other families, norms and changed biases are computed whole and multiplied at their output. Either way the
change is exactly zero where the mask is. What a layer's numbers are about (`keys.places`) decides how:

MAP, TOKENS   each cell has its place
TEXT          words have none: the change acts while the attention is computed for the inside of its region
TIME          one number a channel is laid out over the block's map, inside the region
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lib_lora.adapters import Factors
from lib_lora.engine.arithmetic import exact_arithmetic
from lib_lora.engine.bypass import Bypass
from lib_lora.engine.forwards import computation
from lib_lora.engine.scope import WORDS_LOST, Scope, Size
from lib_lora.engine.slots import RankSlots, scales
from lib_lora.engine.temporary import Temporary
from lib_lora.engine.view import CONV, GROUP_NORM, LAYER_NORM, Layer, weight_shape
from lib_lora.errors import EngineError
from lib_lora.keys.places import MAP, TEXT, TIME, TOKENS, block_path, place_of
from lib_lora.plan import Contribution
from lib_lora.stack.region import Region
from lib_lora.stack.schedule import Moment

Own = Callable[[], Tensor]
"""What the layer puts out alone, without any change of ours."""


class Masked:
    """All such changes of one layer; `step` gives them the strengths of a moment of sampling."""

    def __init__(self, layer: Layer, changes: Sequence[Contribution], scope: Scope) -> None:
        self._layer, self._planned, self._scope = layer, tuple(changes), scope
        self._conv, self._norm = layer.kind == CONV, layer.kind in (GROUP_NORM, LAYER_NORM)
        self._place = place_of(layer.name, layer.kind in (CONV, GROUP_NORM))
        self._block = block_path(layer.name)
        scope.watch(self._block)
        self._narrow = tuple(change for change in changes if not self._norm and change.narrow)
        factors = [change.factors for change in self._narrow if change.factors is not None]
        self._slots = _Slots(factors, self._conv, weight_shape(layer.module)) if factors else None
        self._now = self._planned
        self._wide: list[tuple[Contribution, Bypass | Temporary]] | None = None
        self._masks: dict[tuple[Any, ...], Tensor] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of factors and matrices."""
        wide = sum(computed.nbytes for _, computed in self._wide or ())
        return wide + (0 if self._slots is None else self._slots.nbytes)

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions in which something acts at this moment, each once."""
        found = (change.region for change in self._now if change.strength != 0)
        return tuple(dict.fromkeys(region for region in found if region is not None))

    def step(self, moment: Moment) -> None:
        """Take the strengths of a moment."""
        now = tuple(change.at(moment) for change in self._planned)
        if [change.strength for change in now] != [change.strength for change in self._now]:
            self._now, self._wide = now, None

    def add_to(self, output: Tensor, x: Tensor, own: Own) -> Tensor:
        """Return `output` plus the changes for the input `x`; neither is written."""
        if all(change.strength == 0 for change in self._now):
            return output
        size = self._size(output)
        if self._slots is not None and self._place != TIME:
            output = self._add_narrow(self._slots, output, x, size)
        for change, delta in self._whole(output, x, own):
            output = self._add_whole(change, output, delta, size)
        return output

    def _size(self, output: Tensor) -> Size | None:
        """Return height and width of the map that the output is, or that it is laid out over."""
        if all(change.region is None for change in self._planned):
            return None
        if self._place == MAP:
            height, width = output.shape[-2:]
            return height, width
        if self._place == TOKENS:
            return self._scope.size_of_tokens(self._block, output.shape[-2])
        return self._scope.size_of(self._block) if self._place == TIME else None

    def _acts(self, change: Contribution) -> bool:
        """Whether a change acts in this call at all; keys and values do for one region after another.

        Raises EngineError where nobody goes through the regions.
        """
        if self._place == TEXT and change.region is not None and not self._scope.attending:
            raise EngineError(WORDS_LOST)
        return self._place != TEXT or change.region in (None, self._scope.inside)

    # Low rank

    def _add_narrow(self, slots: _Slots, output: Tensor, x: Tensor, size: Size | None) -> Tensor:
        changes = self._of_narrow()
        if not any(self._acts(change) for change in changes):
            return output
        up, down = slots.scaled(changes, output)
        x = x.to(output.dtype)
        if self._conv:
            hidden = self._layer.module._conv_forward(x, down, None) * self._rank_masks(changes, size, output)
            return output + functional.conv2d(hidden, up)
        hidden = functional.linear(x, down) * self._rank_masks(changes, size, output)
        return torch.addmm(output.reshape(-1, up.shape[0]), hidden.reshape(-1, up.shape[1]), up.t()).view(
            output.shape
        )

    def _of_narrow(self) -> list[Contribution]:
        return [now for now, planned in zip(self._now, self._planned, strict=True) if planned in self._narrow]

    def _rank_masks(self, changes: Sequence[Contribution], size: Size | None, output: Tensor) -> Tensor:
        """Return what multiplies every rank: laid out as the hidden numbers, as small as it can be."""
        alike = len({(change.region, change.side) for change in changes}) == 1
        acting = tuple(self._acts(change) for change in changes)
        key = size, acting, output.device, output.dtype, self._scope.sides
        if key not in self._masks:
            if len(self._masks) > 8:  # sizes of pictures made before
                self._masks.clear()
            columns = []
            for change, acts in zip(changes[:1] if alike else changes, acting, strict=False):
                ranks = 1 if alike or change.factors is None else change.factors.up.shape[1]
                columns.append(
                    self._weight(change, size, output, acts).expand(*self._shape(size, ranks, output))
                )
            self._masks[key] = torch.cat(columns, dim=1 if self._conv else -1)
        return self._masks[key]

    def _shape(self, size: Size | None, ranks: int, output: Tensor) -> tuple[int, ...]:
        rows = output.shape[0] if any(change.side for change in self._planned) else 1
        if self._conv:
            return (rows, ranks, *(size or (1, 1)))
        cells = 1 if size is None else size[0] * size[1]
        return (rows, cells, ranks) if output.dim() == 3 else (rows, ranks)

    # Everything else: whole outputs

    def _whole(self, output: Tensor, x: Tensor, own: Own) -> Iterator[tuple[Contribution, Tensor]]:
        """Compute the changes that are masked at the output, one by one."""
        if self._place == TIME and self._slots is not None:
            up, down = self._slots.scaled(self._of_narrow(), output)
            hidden, start = functional.linear(x.to(output.dtype), down), 0
            for change in self._of_narrow():
                assert change.factors is not None
                end = start + change.factors.up.shape[1]
                yield change, functional.linear(hidden[..., start:end], up[:, start:end])
                start = end
        if len(self._narrow) == len(self._planned):
            return
        alone = own()
        for change, computed in self._computed():
            if not self._acts(change):
                continue
            if isinstance(computed, Temporary):
                changed = computation(self._layer.kind)(self._layer.module, x, *computed.tensors(x))
                yield change, changed - alone
            elif computed.reads_outputs:
                yield change, computed.add_to(alone, x) - alone
            else:
                yield change, computed.add_to(torch.zeros_like(alone), x)

    def _computed(self) -> list[tuple[Contribution, Bypass | Temporary]]:
        if self._wide is None or not all(computed.follows() for _, computed in self._wide):
            kind = Temporary if self._norm else Bypass
            self._wide = [
                (now, kind(self._layer, [now]))
                for now, planned in zip(self._now, self._planned, strict=True)
                if planned not in self._narrow and now.strength != 0
            ]
        return self._wide

    def _add_whole(self, change: Contribution, output: Tensor, delta: Tensor, size: Size | None) -> Tensor:
        weight = self._weight(change, size, delta, True)
        if self._place == TIME and size is not None:
            # The block adds it to its map; with a height and a width of its own it is added place by place.
            delta = delta[:, :, None, None]
            output = output if output.dim() == 4 else output[:, :, None, None]
        return output + delta * weight

    def _weight(self, change: Contribution, size: Size | None, like: Tensor, acts: bool) -> Tensor:
        """Return how much a change acts, to be multiplied with numbers laid out as `like`."""
        on_map = like.dim() == 4 or self._place == TIME
        ones = like.new_ones([1] * (4 if on_map and size else like.dim()))
        if not acts:
            return ones * 0
        weight = ones
        if change.region is not None and size is not None:
            mask = self._scope.mask(change.region, size, like)
            weight = mask[None, None] if on_map else mask.reshape(1, -1, 1)
        if change.side:
            rows = self._scope.rows(change.side, like)
            weight = weight * rows.reshape(-1, *[1] * (weight.dim() - 1))
        return weight


class _Slots:
    """The low-rank changes side by side, with the strengths of the moment folded into `down`."""

    def __init__(self, factors: Sequence[Factors], conv: bool, shape: tuple[int, ...]) -> None:
        self._factors = tuple(factors)
        self._slots: RankSlots | None = None  # made when first computed with: many attachments are for texts
        self._kernel = shape[1:] if conv else None
        self._form: tuple[Any, ...] = ()
        self._ready = (torch.empty(0), torch.empty(0))

    @property
    def nbytes(self) -> int:
        slots = 0 if self._slots is None else self._slots.nbytes
        return slots + sum(tensor.nelement() * tensor.element_size() for tensor in self._ready)

    def scaled(self, changes: Sequence[Contribution], like: Tensor) -> tuple[Tensor, Tensor]:
        """Return up and down where `like` is, in its number type."""
        if self._slots is None:
            self._slots = RankSlots(None, self._factors, torch.empty(0), torch.float32)
        form = like.device, like.dtype, tuple(change.strength for change in changes)
        if form != self._form:
            with exact_arithmetic([like.device]):
                down = self._slots.scaled_down(scales(changes)).to(like.device, like.dtype)
                up = self._slots.up.to(like.device, like.dtype)
                if self._kernel is not None:
                    up, down = up[:, :, None, None], down.reshape(-1, *self._kernel)
            self._ready, self._form = (up, down), form
        return self._ready
