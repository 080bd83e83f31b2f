"""rs-LoRA: the scale alpha/√rank instead of alpha/rank, and the files that lose it.

LyCORIS bakes it into the alpha it saves, so that alpha/rank is right for LoRA, LoHa and LoKr. Two kinds of
its files do not carry it, and are weaker than in training in every program: GLoRA saves the plain alpha, and
LoKr with both halves full has no rank to be scaled by. Kalajdzievski 2023, arXiv 2312.03732.
"""

from __future__ import annotations

from collections.abc import Collection

from lib_lora.adapters.base import Adapter
from lib_lora.adapters.glora import GLoRA
from lib_lora.adapters.lokr import LoKr


def rs_lora_notes(adapters: Collection[Adapter]) -> tuple[str, ...]:
    """Return what to tell the user of a file that was trained with rs-LoRA."""
    ranks = {adapter.rank for adapter in adapters if isinstance(adapter, GLoRA) and adapter.rank}
    notes = []
    if ranks:
        factor = max(ranks) ** 0.5
        notes.append(
            f"was trained with rs-LoRA, which GLoRA files do not carry: try {factor:.3g} times the weight"
        )
    if any(isinstance(adapter, LoKr) and adapter.rank is None for adapter in adapters):
        notes.append("was trained with rs-LoRA, which full LoKr files do not carry: try a higher weight")
    return tuple(notes)
