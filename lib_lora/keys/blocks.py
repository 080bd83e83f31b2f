"""Which block of the UNet a canonical name lies in, by the names of LoRA Block Weight."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

BASE = "BASE"
_PLACE = re.compile(r"unet\.(input_blocks|middle_block|output_blocks)\.(\d+)")
_SHORT: Mapping[str, str] = MappingProxyType({"input_blocks": "IN", "output_blocks": "OUT"})


def block_of(name: str, last_out: str) -> str:
    """Return the block of a weight: IN00 to OUT11; BASE for text encoders and embeddings of time and size.

    The UNet's last layers (`out`) count as its last block, `last_out`.
    """
    place = _PLACE.match(name)
    if place is None:
        return last_out if name.startswith("unet.out.") else BASE
    return "M00" if place[1] == "middle_block" else f"{_SHORT[place[1]]}{int(place[2]):02d}"
