"""What one call of the UNet is about: the size of the map in each block, and whose prompt each row is.

Sizes are never computed from a table: hooks read them off what the blocks are given, at every call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lib_lora.engine.masks import Mask
from lib_lora.errors import EngineError
from lib_lora.stack.region import Region

Size = tuple[int, int]
SizeOf = Callable[[], "Size | None"]
"""Tells height and width of the whole latent that is being sampled; None where nobody knows."""
SidesOf = Callable[[tuple[Any, ...], Mapping[str, Any]], "Sequence[str] | None"]
"""Tells from a call's arguments which side of the prompt each of its rows is of; None where nobody knows."""

TOKENS_LOST = (
    "The WebUI merges or tiles the picture's tokens (token merging, Hypertile), so it cannot be told which "
    "place each is of, and a row with a region cannot act. Switch that off in the settings, or clear the "
    "region."
)
TILED = (
    "The WebUI draws the picture in pieces (Tiled Diffusion, MultiDiffusion), so it cannot be told which "
    "part of it each is, and a row with a region cannot act. Switch that off, or clear the region."
)
WORDS_LOST = (
    "Another extension (IP-Adapter does, and others that change the attention) computes itself how words are "
    "attended to, so a row with a region cannot act on them. Switch it off, or clear the region."
)
SIDES_LOST = (
    "This WebUI does not tell which prompt a part of the batch is of, so a row cannot act for one side only. "
    "Clear 'side' in that row."
)


class Scope:
    """Shared by all layers of one UNet that act somewhere only; hooks are on until `remove`.

    masks: one for every region of the plan. attending: whether words are being attended to region by region;
    inside: the region for which they are, None for the whole picture.
    """

    def __init__(
        self,
        root: Any,
        masks: Mapping[Region, Mask],
        sides_of: SidesOf | None = None,
        size_of: SizeOf | None = None,
    ) -> None:
        self.attending = False
        self.inside: Region | None = None
        self._root = root
        self._masks = masks
        self._sides_of, self._size_of = sides_of, size_of
        self._latent: Size | None = None
        self._sides: tuple[str, ...] | None = None
        self._maps: dict[str, Size] = {}
        self._laid_out: dict[tuple[Region, int, int, torch.device, torch.dtype], Tensor] = {}
        self._rows: dict[tuple[str, torch.device, torch.dtype], Tensor] = {}
        self._hooks = [root.register_forward_pre_hook(self._begin, with_kwargs=True)]
        self._watched: set[str] = set()

    @property
    def sides(self) -> tuple[str, ...] | None:
        """Which side each row of this call is of, None where nobody knows."""
        return self._sides

    def remove(self) -> None:
        """Take the hooks off."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def watch(self, block: str) -> None:
        """Read the size of the map that a block is given, from now on."""
        if not block or block in self._watched:
            return
        self._watched.add(block)
        try:
            module = self._root.get_submodule(block)
        except AttributeError:
            return

        def read(_: Any, args: tuple[Any, ...]) -> None:
            if args and args[0].dim() == 4:
                self._maps[block] = tuple(args[0].shape[-2:])

        self._hooks.append(module.register_forward_pre_hook(read))

    def size_of(self, block: str) -> Size:
        """Return the map's size in a block, as it was given in this call."""
        size = self._maps.get(block)
        if size is None:
            raise EngineError(TOKENS_LOST)
        return size

    def size_of_tokens(self, block: str, count: int) -> Size:
        """Return height and width of the map that `count` tokens of a block are."""
        size = self._maps.get(block) or self._halved(count)
        if size is None or size[0] * size[1] != count:
            raise EngineError(TOKENS_LOST)
        return size

    def mask(self, region: Region, size: Size, like: Tensor) -> Tensor:
        """Return a region's mask `[height, width]` where `like` is, in its number type."""
        key = region, *size, like.device, like.dtype
        if key not in self._laid_out:
            self._laid_out[key] = self._masks[region].at(*size).to(like.device, like.dtype)
        return self._laid_out[key]

    def rows(self, side: str, like: Tensor) -> Tensor:
        """Return 1 for every row of the batch that is of a side, 0 for the others."""
        if self._sides is None or len(self._sides) != like.shape[0]:
            raise EngineError(SIDES_LOST)
        key = side, like.device, like.dtype
        if key not in self._rows:
            values = [float(known == side) for known in self._sides]
            self._rows[key] = torch.tensor(values, device=like.device, dtype=like.dtype)
        return self._rows[key]

    def _begin(self, _: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        x = args[0] if args else kwargs.get("x")
        self._latent = (x.shape[-2], x.shape[-1]) if isinstance(x, Tensor) and x.dim() == 4 else None
        whole = None if self._size_of is None or not self._masks else self._size_of()
        if whole is not None and self._latent is not None and self._latent != whole:
            raise EngineError(TILED)
        self._maps.clear()
        self._rows.clear()
        self.attending, self.inside = False, None
        sides = None if self._sides_of is None else self._sides_of(args, kwargs)
        self._sides = None if sides is None else tuple(sides)

    def _halved(self, count: int) -> Size | None:
        """Return which halving of the latent has as many cells, as the UNet's strides of 2 halve it."""
        size = self._latent
        while size is not None and size[0] * size[1] > count:
            size = (size[0] + 1) // 2, (size[1] + 1) // 2
        return size
