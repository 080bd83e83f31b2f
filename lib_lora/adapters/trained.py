"""What the trainer's arguments say that its tensors do not: options a file loses, to be told to the user.

rs-LoRA is the scale alpha/√rank instead of alpha/rank. LyCORIS bakes it into the alpha it saves, so that
alpha/rank is right for LoRA, LoHa and LoKr. Two kinds of its files do not carry it, and are weaker than in
training in every program: GLoRA saves the plain alpha, and LoKr with both halves full has no rank to be
scaled by. Kalajdzievski 2023, arXiv 2312.03732.

T-LoRA takes a part of the weight away that is computed anew from the weight; LyCORIS' default is the largest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from lib_lora.adapters.base import Adapter
from lib_lora.adapters.glora import GLoRA
from lib_lora.adapters.lokr import LoKr
from lib_lora.adapters.tlora import TLoRA


def training_notes(arguments: Mapping[str, object], adapters: Collection[Adapter]) -> tuple[str, ...]:
    """Return what to tell the user of a file from `ss_network_args` and what was read."""
    notes: tuple[str, ...] = ()
    if _said(arguments, "rs_lora", "true", "1"):
        notes += _rs_lora(adapters)
    other_start = _said(arguments, "sig_type", "last", "middle") or _said(
        arguments, "use_data_init", "false", "0"
    )
    if other_start and any(isinstance(adapter, TLoRA) for adapter in adapters):
        notes += (
            "was trained as T-LoRA from another part of the weights than the largest, "
            "which its file does not carry: it will not look as in training",
        )
    return notes


def _rs_lora(adapters: Collection[Adapter]) -> tuple[str, ...]:
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


def _said(arguments: Mapping[str, object], name: str, *values: str) -> bool:
    return str(arguments.get(name)).lower() in values
