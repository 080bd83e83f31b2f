"""What the numbers are about that a layer of the UNet puts out, by its canonical name.

MAP       a map of features: convolutions and their norms, each cell a place of the picture
TOKENS    the same map as a list, row by row: everything inside a transformer block but what follows
TEXT      keys and values of the prompt's words (`attn2.to_k`, `attn2.to_v`)
TIME      what a residual block is told of the moment of sampling, one number a channel
NOWHERE   what all blocks are told of the moment and of sizes; no place can be given to it

That decides how a mask acts there.
"""

from __future__ import annotations

import re

MAP, TOKENS, TEXT, TIME, NOWHERE = "map", "tokens", "text", "time", "nowhere"

_BLOCK = re.compile(r"unet\.((?:(?:input_blocks|output_blocks)\.\d+|middle_block)\.\d+)\.")
_TOKENS = re.compile(r"\.(?:transformer_blocks\.|proj_(?:in|out)$)")


def place_of(name: str, is_map: bool) -> str:
    """Return one of the constants; `is_map`: whether the layer puts out maps (convolutions, group norms)."""
    if name.endswith((".attn2.to_k", ".attn2.to_v")):
        return TEXT
    if ".emb_layers." in name:
        return TIME
    if is_map:
        return MAP
    return TOKENS if _TOKENS.search(name) else NOWHERE


def acts_nowhere(name: str) -> bool:
    """Tell whether a weight of the UNet cannot act in a part of the picture only."""
    return name.startswith(("unet.time_embed.", "unet.label_emb."))


def block_path(name: str) -> str:
    """Return the path of the residual or transformer block a layer is in, empty for those in none."""
    match = _BLOCK.match(name)
    return match[1] if match else ""


def attention_path(name: str) -> str:
    """Return the path of the attention that a key's or value's layer is in."""
    return name.removeprefix("unet.").rpartition(".")[0]
