"""The spellings every trainer and host uses around a module's path: prefixes before it, suffixes behind it.

A tensor name is `<prefix><path><suffix>`. The suffix says which tensor of an adapter it is (its *role*), the
prefix which part of the model. New dialects are new rows here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

ANY_PART = ""
"""A prefix that does not say which part of the model follows."""

SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        # LoRA: kohya, LyCORIS, generic LDM
        ".lora_up.weight": "lora_up",
        ".lora_down.weight": "lora_down",
        ".lora_mid.weight": "lora_mid",
        ".lora_up": "lora_up",
        ".lora_down": "lora_down",
        # LoRA: diffusers, oldest to newest (`attn1.processor.to_q_lora.up.weight`, `to_q.lora.up.weight`)
        "_lora.up.weight": "lora_up",
        "_lora.down.weight": "lora_down",
        ".lora.up.weight": "lora_up",
        ".lora.down.weight": "lora_down",
        ".lora_linear_layer.up.weight": "lora_up",
        ".lora_linear_layer.down.weight": "lora_down",
        # LoRA: PEFT
        ".lora_A.weight": "lora_down",
        ".lora_B.weight": "lora_up",
        ".lora_A": "lora_down",
        ".lora_B": "lora_up",
        ".lora_B.bias": "lora_up_bias",
        # scale
        ".alpha": "alpha",
        ".scale": "scale",
        # DoRA
        ".dora_scale": "dora_scale",
        ".lora_magnitude_vector": "magnitude",
        ".lora_magnitude_vector.weight": "magnitude",
        # LoHa
        ".hada_w1_a": "hada_w1_a",
        ".hada_w1_b": "hada_w1_b",
        ".hada_w2_a": "hada_w2_a",
        ".hada_w2_b": "hada_w2_b",
        ".hada_t1": "hada_t1",
        ".hada_t2": "hada_t2",
        # LoKr
        ".lokr_w1": "lokr_w1",
        ".lokr_w1_a": "lokr_w1_a",
        ".lokr_w1_b": "lokr_w1_b",
        ".lokr_w2": "lokr_w2",
        ".lokr_w2_a": "lokr_w2_a",
        ".lokr_w2_b": "lokr_w2_b",
        ".lokr_t2": "lokr_t2",
        # OFT, BOFT
        ".oft_blocks": "oft_blocks",
        ".oft_diag": "oft_diag",
        ".rescale": "rescale",
        ".oft_R.weight": "oft_r",
        ".boft_R": "boft_r",
        ".boft_s": "boft_s",
        # GLoRA
        ".a1.weight": "a1",
        ".a2.weight": "a2",
        ".b1.weight": "b1",
        ".b2.weight": "b2",
        ".bm.weight": "bm",
        # (IA)³
        ".on_input": "on_input",
        ".ia3_l": "ia3_l",
        # full differences, norm layers, replacements
        ".diff": "diff",
        ".diff_b": "diff_b",
        ".w_norm": "w_norm",
        ".b_norm": "b_norm",
        ".set_weight": "set_weight",
        # T-LoRA
        ".lambda_layer": "lambda_layer",
        ".p_layer.weight": "p_layer",
        ".q_layer.weight": "q_layer",
        # a module's own tensors: part of (IA)³ beside `on_input`, otherwise the mark of a whole model
        ".weight": "weight",
        ".bias": "bias",
        # the same bias in PEFT's exports, and the sparse rest of early LyCORIS' extraction
        ".base_layer.bias": "bias",
        ".bias_indices": "bias_indices",
        ".bias_values": "bias_values",
        ".bias_size": "bias_size",
    }
)

NAMED = re.compile(r"\.(lora_A|lora_B|lora_magnitude_vector)(?:_\d+)?\.[^.]+(\.weight|\.bias)$")
"""PEFT's tensors where the adapter's name is kept: `.lora_A.default.weight`, `.lora_A_1.default_0.weight`."""

PREFIXES: tuple[tuple[str, str], ...] = (
    ("lora_unet", "unet"),
    ("oft_unet", "unet"),
    ("unet.base_model.model", "unet"),
    ("unet", "unet"),
    ("model.diffusion_model", "unet"),
    ("diffusion_model", "unet"),
    ("lora_te", "te"),
    ("lora_te1", "te1"),
    ("lora_te2", "te2"),
    ("text_encoder.base_model.model", "te1"),
    ("text_encoder", "te1"),
    ("text_encoder_2.base_model.model", "te2"),
    ("text_encoder_2", "te2"),
    ("text_encoders.clip_l.transformer", "clip_l"),
    ("clip_l.transformer", "clip_l"),
    ("clip_l", "clip_l"),
    ("text_encoders.clip_h.transformer", "clip_h"),
    ("clip_h.transformer", "clip_h"),
    ("clip_h", "clip_h"),
    ("text_encoders.clip_g.transformer", "clip_g"),
    ("clip_g.transformer", "clip_g"),
    ("clip_g", "clip_g"),
    ("cond_stage_model.transformer", "te"),
    ("cond_stage_model.model", "te"),
    ("conditioner.embedders.0.transformer", "te1"),
    ("conditioner.embedders.0.model", "te2"),
    ("conditioner.embedders.1.model", "te2"),
    ("base_model.model", ANY_PART),
    ("lycoris", ANY_PART),
    ("", ANY_PART),
)
"""What stands before a path, and the part it means: `unet`, a text encoder by place or by name.

`te` is the only one of a model, `te1` and `te2` are the first and the second; which they are is the
architecture's business. diffusers' `text_encoder` is the first of one or two.
"""


BY_PREFIX: tuple[tuple[str, str, str], ...] = (
    ("oft_unet_", "oft_blocks", "kohya_oft_blocks"),
    ("lora_unet_", "weight", "ia3"),
    ("lora_te", "weight", "ia3"),
    ("lycoris_", "weight", "ia3"),
)
"""Prefix, usual role and its meaning there: kohya's OFT reads alpha otherwise; a lone `weight` is (IA)³."""


def flat(path: str) -> str:
    """The spelling in which dots and underscores are one; no two modules of a known model share it."""
    return path.replace(".", "_")


def split_suffix(name: str) -> tuple[str, str] | None:
    """Split a tensor name into module spelling and role by the longest known suffix, or None."""
    named = NAMED.search(name)
    if named is not None and named.start() > 0 and f".{named[1]}{named[2]}" in SUFFIXES:
        return name[: named.start()], SUFFIXES[f".{named[1]}{named[2]}"]
    for start in sorted(_possible_starts(name)):
        role = SUFFIXES.get(name[start:])
        if role is not None and start > 0:
            return name[:start], _behind_prefix(name, role)
    return None


def _behind_prefix(name: str, role: str) -> str:
    for prefix, usual, meaning in BY_PREFIX:
        if role == usual and flat(name[: len(prefix)]) == prefix:
            return meaning
    return role


def _possible_starts(name: str) -> Iterator[int]:
    start = name.find(".")
    while start >= 0:
        yield start
        start = name.find(".", start + 1)
    underscored = name.rfind("_lora.")
    if underscored >= 0:
        yield underscored
