"""DyLoRA: a LoRA trained to be usable at every smaller rank. Its files are ordinary LoRA files.

Truncated use follows A1111's `dyn=`: the first ranks are kept and the scale stays alpha / full rank, so
that prompts written for it give the same picture. (kohya's extraction tool keeps alpha and divides by
the smaller rank, which is stronger by full/kept; its training used √(full/kept).) As there, only plain `up @
down` is cut: a Tucker core and other families stay whole. Valipour et al. 2022, arXiv 2210.07558.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from lib_lora.adapters.base import Adapter
from lib_lora.adapters.dora import DoRA
from lib_lora.adapters.lora import LoRA
from lib_lora.errors import AdapterError


def truncate(adapter: Adapter, rank: int) -> Adapter:
    """Return a LoRA, or one under DoRA's lengths, with its first `rank` ranks, all of it beyond.

    Other families are returned as they are. Raises `AdapterError` for a rank below 1.
    """
    if rank < 1:
        raise AdapterError(f"{rank} ranks cannot be kept; use 1 or more.")
    if isinstance(adapter, DoRA):
        return replace(adapter, inner=truncate(adapter.inner, rank))
    if not isinstance(adapter, LoRA) or adapter.core:
        return adapter
    return replace(adapter, up=adapter.up[:, :rank], down=adapter.down[:rank])


def truncation_notes(adapters: Collection[Adapter], rank: int) -> tuple[str, ...]:
    """Return what to tell the user of weights that keep all of their ranks although `rank` were asked for."""
    whole = sum(truncate(adapter, 1) is adapter for adapter in map(_under_lengths, adapters))
    if not whole:
        return ()
    return (f"dyn={rank} does nothing for {whole} of {len(adapters)} weights: only a plain LoRA can be cut",)


def _under_lengths(adapter: Adapter) -> Adapter:
    return adapter.inner if isinstance(adapter, DoRA) else adapter
