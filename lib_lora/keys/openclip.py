"""OpenCLIP's names for the modules of a text encoder, in which the attention's q, k and v are one matrix.

    transformer.resblocks.3.ln_1                    text_model.encoder.layers.3.layer_norm1
    transformer.resblocks.3.attn.in_proj_weight     …self_attn.q_proj, k_proj, v_proj: its rows, a third each
    text_projection (a parameter, transposed)       text_projection

SD 2 and SDXL carry such an encoder. AUTOMATIC1111 keeps OpenCLIP's modules, Forge and diffusers rebuild it
with Hugging Face's names, and trainers write either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

FUSED = 3
"""Weights in one fused projection, in the order of `ATTENTION_ROWS`."""
ATTENTION_ROWS = ("q_proj", "k_proj", "v_proj")
FUSED_NAME = "in_proj"

_LAYER = re.compile(r"text_model\.encoder\.layers\.(\d+)\.(.+)")
_BLOCK = re.compile(r"transformer\.resblocks\.(\d+)\.(.+)")
_IN_LAYER = (
    ("layer_norm1", "ln_1"),
    ("layer_norm2", "ln_2"),
    ("mlp.fc1", "mlp.c_fc"),
    ("mlp.fc2", "mlp.c_proj"),
    ("self_attn.out_proj", "attn.out_proj"),
)
_AROUND = (
    ("text_model.embeddings.token_embedding", "token_embedding"),
    ("text_model.embeddings.position_embedding", "positional_embedding"),
    ("text_model.final_layer_norm", "ln_final"),
    ("text_projection", "text_projection"),
)


def openclip_path(path: str) -> str | None:
    """Return OpenCLIP's path of a module, None for q, k and v, which have no module there."""
    inside = _LAYER.fullmatch(path)
    if inside is None:
        return dict(_AROUND).get(path)
    name = dict(_IN_LAYER).get(inside[2])
    return None if name is None else f"transformer.resblocks.{inside[1]}.{name}"


def canonical_path(path: str) -> str | None:
    """Return the Hugging Face path of an OpenCLIP module; for `attn` the layer's `self_attn`."""
    inside = _BLOCK.fullmatch(path)
    if inside is None:
        return {theirs: ours for ours, theirs in _AROUND}.get(path)
    names = {theirs: ours for ours, theirs in _IN_LAYER} | {"attn": "self_attn"}
    name = names.get(inside[2])
    return None if name is None else f"text_model.encoder.layers.{inside[1]}.{name}"


def fused_modules(layers: int) -> Iterator[tuple[str, str]]:
    """Yield OpenCLIP's path of every fused projection and the canonical one, `….self_attn.in_proj`."""
    for layer in range(layers):
        yield (
            f"transformer.resblocks.{layer}.attn.{FUSED_NAME}",
            f"text_model.encoder.layers.{layer}.self_attn.{FUSED_NAME}",
        )


def fused_rows(name: str) -> tuple[str, ...]:
    """Return the canonical names whose weights a fused projection stacks, none for any other name."""
    stem, dot, last = name.rpartition(".")
    return tuple(f"{stem}{dot}{rows}" for rows in ATTENTION_ROWS) if last == FUSED_NAME else ()
