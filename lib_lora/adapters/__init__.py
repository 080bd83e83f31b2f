"""What a change is: pure tensor maths, one family of adapters a file.

A new family is one file here and its name in `FAMILIES`. Tensors come in by role (see `keys/spellings.py`),
so nothing here knows file names, models or hosts.
"""

from __future__ import annotations

from collections.abc import Iterable

from lib_lora.adapters.base import (
    ANY,
    INPUTS,
    NOTHING,
    OUTPUTS,
    WEIGHT,
    Adapter,
    Factors,
    Family,
    InPlace,
    fits,
    fits_widened,
    on_device,
)
from lib_lora.adapters.boft import FAMILY as BOFT
from lib_lora.adapters.dora import FAMILY as DORA
from lib_lora.adapters.dylora import truncate, truncation_notes
from lib_lora.adapters.full import FAMILY as FULL
from lib_lora.adapters.fused import split_rows
from lib_lora.adapters.glora import FAMILY as GLORA
from lib_lora.adapters.ia3 import FAMILY as IA3
from lib_lora.adapters.loha import FAMILY as LOHA
from lib_lora.adapters.lokr import FAMILY as LOKR
from lib_lora.adapters.lora import FAMILY as LORA
from lib_lora.adapters.norm import FAMILY as NORM
from lib_lora.adapters.oft import FAMILY as OFT
from lib_lora.adapters.tlora import FAMILY as TLORA
from lib_lora.adapters.trained import training_notes
from lib_lora.errors import MixedFamiliesError

FAMILIES: tuple[Family, ...] = (
    DORA,
    LORA,
    LOHA,
    LOKR,
    GLORA,
    OFT,
    BOFT,
    IA3,
    TLORA,
    FULL,
    NORM,
)
"""In the order they are looked for: DoRA stands beside another family, LoRA may have a full bias."""

NOT_A_CHANGE = frozenset({"alpha", "weight", "bias"})
"""Roles that say nothing alone: a scale without factors, or a tensor of a whole model."""


def find_family(roles: Iterable[str]) -> Family | None:
    """Return the family of one weight's tensors, None when they are no change at all.

    Raises `AdapterError` for tensors of several families and for tensors that mean nothing by themselves.
    """
    present = frozenset(roles)
    if present <= NOT_A_CHANGE:
        return None
    for family in FAMILIES:
        if present & family.marks:
            unknown = present - family.roles
            if unknown:
                raise MixedFamiliesError(f"mixes {family.name} with {_listed(unknown)}")
            return family
    raise MixedFamiliesError(f"is only {_listed(present)}, which means nothing by itself")


def _listed(roles: Iterable[str]) -> str:
    return " and ".join(sorted(roles))


__all__ = [
    "ANY",
    "FAMILIES",
    "INPUTS",
    "NOTHING",
    "OUTPUTS",
    "WEIGHT",
    "Adapter",
    "Factors",
    "Family",
    "InPlace",
    "find_family",
    "fits",
    "fits_widened",
    "on_device",
    "split_rows",
    "training_notes",
    "truncate",
    "truncation_notes",
]
