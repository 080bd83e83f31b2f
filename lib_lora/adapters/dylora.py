"""DyLoRA: a LoRA trained to be usable at every smaller rank. Its files are ordinary LoRA files.

Truncated use follows A1111's `dyn=`: the first ranks are kept and the scale stays alpha / full rank, so
that prompts written for it give the same picture. (kohya's extraction tool keeps alpha and divides by
the smaller rank, which is stronger by full/kept.) Valipour et al. 2022, arXiv 2210.07558.
"""

from __future__ import annotations

from dataclasses import replace

from lib_lora.adapters.base import Adapter
from lib_lora.adapters.lora import LoRA
from lib_lora.errors import AdapterError


def truncate(adapter: Adapter, rank: int) -> Adapter:
    """Return a LoRA with its first `rank` ranks, all of it beyond; other families as they are.

    Raises `AdapterError` for a rank below 1.
    """
    if rank < 1:
        raise AdapterError(f"{rank} ranks cannot be kept; use 1 or more.")
    if not isinstance(adapter, LoRA):
        return adapter
    return replace(adapter, up=adapter.up[:, :rank], down=adapter.down[:rank])
