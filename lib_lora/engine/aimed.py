"""The part of a plan that acts somewhere only, on one UNet: its masks, sides, layers and hooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from lib_lora.engine.cross import RegionalAttention
from lib_lora.engine.masked import Masked
from lib_lora.engine.masks import Mask
from lib_lora.engine.scope import Scope, SidesOf, SizeOf
from lib_lora.engine.view import CONV, GROUP_NORM, LAYER_NORM, LINEAR, Layer
from lib_lora.errors import EngineError
from lib_lora.keys.places import TEXT, attention_path, block_path, place_of
from lib_lora.plan import Contribution
from lib_lora.stack.region import Region
from lib_lora.stack.schedule import Moment

MASKABLE = (LINEAR, CONV, GROUP_NORM, LAYER_NORM)


@dataclass(frozen=True)
class Aim:
    """What regions mean in the pass being drawn, and how its rows are told apart.

    masks: by region. sides_of, size_of: asked at every call of the UNet; None where the host cannot tell.
    """

    masks: Mapping[Region, Mask] = field(default_factory=lambda: MappingProxyType({}))
    sides_of: SidesOf | None = None
    size_of: SizeOf | None = None

    def split(
        self, changes: Sequence[Contribution]
    ) -> tuple[tuple[Contribution, ...], tuple[Contribution, ...]]:
        """Return the changes that act everywhere, and those that do not; what acts nowhere is left out.

        Raises EngineError for a region without a mask.
        """
        if not any(change.region is not None or change.side for change in changes):
            return tuple(changes), ()
        everywhere: list[Contribution] = []
        somewhere: list[Contribution] = []
        for change in changes:
            if change.region is not None:
                mask = self.masks.get(change.region)
                if mask is None:
                    raise EngineError(
                        f"The WebUI does not tell where '{change.region}' is in this pass. Clear the region."
                    )
                if mask.empty:
                    continue
                change = replace(change, region=None) if mask.full else change
            (somewhere if change.region is not None or change.side else everywhere).append(change)
        return tuple(everywhere), tuple(somewhere)


class Aimed:
    """All layers of one UNet with such changes."""

    def __init__(self, root: Any, aim: Aim) -> None:
        self._root = root
        self._scope = Scope(root, aim.masks, aim.sides_of, aim.size_of)
        self._layers: list[Masked] = []
        self._words: dict[str, list[Masked]] = {}
        self._attentions: list[RegionalAttention] = []

    def layer(self, layer: Layer, changes: Sequence[Contribution]) -> Masked:
        """Prepare one layer; its forward has to ask the returned object at every call."""
        if layer.kind not in MASKABLE:
            raise EngineError(
                f"{layer.name} cannot act in a part of the picture. Clear region and side of the rows that "
                "change it."
            )
        masked = Masked(layer, changes, self._scope)
        self._layers.append(masked)
        if place_of(layer.name, False) == TEXT and any(change.region is not None for change in changes):
            self._words.setdefault(attention_path(layer.name), []).append(masked)
        return masked

    def finish(self) -> None:
        """Put the attentions to words in order, when all layers are known."""
        for path, parts in self._words.items():
            try:
                module = self._root.get_submodule(path)
            except AttributeError:
                raise EngineError(f"The checkpoint has no attention {path}. Clear the regions.") from None
            self._attentions.append(
                RegionalAttention(module, block_path(f"unet.{path}."), parts, self._scope)
            )

    def remove(self) -> None:
        """Take off everything that was put on."""
        self._scope.remove()
        for attention in self._attentions:
            attention.remove()
        self._attentions, self._layers, self._words = [], [], {}

    def step(self, moment: Moment) -> None:
        """Give every layer the strengths of this moment."""
        for masked in self._layers:
            masked.step(moment)

    @property
    def nbytes(self) -> int:
        """Bytes of what is kept beside the model."""
        return sum(masked.nbytes for masked in self._layers)
