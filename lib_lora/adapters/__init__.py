"""What a change is: pure tensor maths, one family of adapters a file.

A new family is one file here and its name in `FAMILIES`. Tensors come in by role (see `keys/spellings.py`),
so nothing here knows file names, models or hosts.
"""

from __future__ import annotations

from collections.abc import Iterable

from lib_lora.adapters.base import Adapter, Factors, Family, fits, fits_widened
from lib_lora.adapters.lora import FAMILY as LORA
from lib_lora.errors import AdapterError

FAMILIES: tuple[Family, ...] = (LORA,)

OTHER_FAMILIES: tuple[tuple[str, frozenset[str]], ...] = (
    ("DoRA", frozenset({"dora_scale"})),
    ("LoHa", frozenset({"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2"})),
    (
        "LoKr",
        frozenset({"lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"}),
    ),
    ("OFT", frozenset({"oft_blocks", "oft_diag", "oft_r", "rescale"})),
    ("BOFT", frozenset({"boft_r", "boft_s"})),
    ("GLoRA", frozenset({"a1", "a2", "b1", "b2"})),
    ("(IA)³", frozenset({"on_input", "ia3_l"})),
    ("full difference", frozenset({"diff", "diff_b", "set_weight"})),
    ("norm layer", frozenset({"w_norm", "b_norm"})),
    ("T-LoRA", frozenset({"lambda_layer", "p_layer", "q_layer"})),
    ("stored scale", frozenset({"scale"})),
)
"""Families that are recognised and cannot be applied yet, by the roles only they have."""

NOT_A_CHANGE = frozenset({"alpha", "weight", "bias"})
"""Roles that say nothing alone: a scale without factors, or a tensor of a whole model."""


def find_family(roles: Iterable[str]) -> Family | None:
    """Return the family of one weight's tensors, None when they are no change at all.

    Raises `AdapterError` for a family that cannot be applied yet and for an incomplete set of tensors.
    """
    present = frozenset(roles)
    for name, marks in OTHER_FAMILIES:
        if present & marks:
            raise AdapterError(f"is of the family {name}, which is not supported in this version")
    if present <= NOT_A_CHANGE:
        return None
    for family in FAMILIES:
        if family.needs <= present:
            unknown = present - family.needs - family.may_have
            if unknown:
                raise AdapterError(f"mixes {family.name} with {_listed(unknown)}")
            return family
    nearest = max(FAMILIES, key=lambda family: len(family.needs & present))
    raise AdapterError(f"lacks {_listed(nearest.needs - present)}")


def _listed(roles: Iterable[str]) -> str:
    return " and ".join(sorted(roles))


__all__ = [
    "FAMILIES",
    "OTHER_FAMILIES",
    "Adapter",
    "Factors",
    "Family",
    "find_family",
    "fits",
    "fits_widened",
]
