"""Attention to the prompt's words, once for the whole picture and once more for each region.

A row's change of keys and values (`attn2.to_k`, `to_v`) has no place: every part of the picture attends to
the same words. So the attention is computed without it, and again with it for its region, and the second is
taken inside the region only. That is exact, whatever way of computing attention the host has chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from lib_lora.engine.bypass import class_forward
from lib_lora.engine.masked import Masked
from lib_lora.engine.scope import Scope


class RegionalAttention:
    """The instance forward of one such attention, on from construction until `remove`."""

    def __init__(self, module: Any, block: str, parts: Sequence[Masked], scope: Scope) -> None:
        self._module, self._block, self._parts, self._scope = module, block, tuple(parts), scope
        self._foreign: Callable[..., Any] | None = vars(module).get("forward")
        self._live = True
        self._own = self._forward
        scope.watch(block)
        vars(module)["forward"] = self._own

    def remove(self) -> None:
        """Put back what was there; under another's wrap ours only passes through."""
        self._live = False
        attributes = vars(self._module)
        if attributes.get("forward") is self._own:
            if self._foreign is None:
                del attributes["forward"]
            else:
                attributes["forward"] = self._foreign

    def _forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        if not self._live:
            return self._original(x, *args, **kwargs)
        self._scope.attending = True
        try:
            return self._by_regions(x, *args, **kwargs)
        finally:
            self._scope.attending = False

    def _by_regions(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        everywhere = self._original(x, *args, **kwargs)
        regions = dict.fromkeys(region for part in self._parts for region in part.regions)
        output = everywhere
        for region in regions:
            self._scope.inside = region
            try:
                inside = self._original(x, *args, **kwargs)
            finally:
                self._scope.inside = None
            size = self._scope.size_of_tokens(self._block, x.shape[-2])
            output = output + (inside - everywhere) * self._scope.mask(region, size, inside).reshape(1, -1, 1)
        return output

    def _original(self, *args: Any, **kwargs: Any) -> Any:
        if self._foreign is not None:
            return self._foreign(*args, **kwargs)
        return class_forward(self._module, *args, **kwargs)
