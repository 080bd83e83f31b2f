"""The modules of a Stable Diffusion UNet under their two names: diffusers and LDM.

Both trees hold the same weights in the same shapes; only the numbering differs. The lists are generated from
how deep the transformers of each level are, so that one page serves SD1, SD2 and SDXL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

RESNETS_DOWN = 2
RESNETS_UP = 3

RESNET = (
    ("norm1", "in_layers.0"),
    ("conv1", "in_layers.2"),
    ("time_emb_proj", "emb_layers.1"),
    ("norm2", "out_layers.0"),
    ("conv2", "out_layers.3"),
    ("conv_shortcut", "skip_connection"),
)
"""diffusers and LDM name inside a residual block."""

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
FEED_FORWARD = ("ff.net.0.proj", "ff.net.2")


@dataclass(frozen=True)
class UNetLayout:
    """Transformer blocks behind each residual block, level by level; 0 is a level without attention."""

    down: tuple[int, ...]
    middle: int
    up: tuple[int, ...]


def unet_modules(layout: UNetLayout) -> Iterator[tuple[str, str]]:
    """Yield `(diffusers path, LDM path)` of every module that can hold weights.

    A `conv_shortcut` is listed for every residual block; a model has it only where the width changes.
    """
    yield "conv_in", "input_blocks.0.0"
    yield "conv_norm_out", "out.0"
    yield "conv_out", "out.2"
    yield "time_embedding.linear_1", "time_embed.0"
    yield "time_embedding.linear_2", "time_embed.2"
    yield from _down(layout)
    for index in range(2):
        yield from _resnet(f"mid_block.resnets.{index}", f"middle_block.{2 * index}")
    yield from _transformer("mid_block.attentions.0", "middle_block.1", layout.middle)
    yield from _up(layout)


def _down(layout: UNetLayout) -> Iterator[tuple[str, str]]:
    per_level = RESNETS_DOWN + 1  # the third is the downsampler
    for level, depth in enumerate(layout.down):
        for index in range(RESNETS_DOWN):
            ours, theirs = f"input_blocks.{1 + per_level * level + index}", f"down_blocks.{level}"
            yield from _resnet(f"{theirs}.resnets.{index}", f"{ours}.0")
            yield from _transformer(f"{theirs}.attentions.{index}", f"{ours}.1", depth)
        if level < len(layout.down) - 1:
            yield f"down_blocks.{level}.downsamplers.0.conv", f"input_blocks.{per_level * (level + 1)}.0.op"


def _up(layout: UNetLayout) -> Iterator[tuple[str, str]]:
    for level, depth in enumerate(layout.up):
        for index in range(RESNETS_UP):
            ours, theirs = f"output_blocks.{RESNETS_UP * level + index}", f"up_blocks.{level}"
            yield from _resnet(f"{theirs}.resnets.{index}", f"{ours}.0")
            yield from _transformer(f"{theirs}.attentions.{index}", f"{ours}.1", depth)
        if level < len(layout.up) - 1:
            place = 2 if depth else 1  # the upsampler stands behind the transformer, if there is one
            last = RESNETS_UP * level + RESNETS_UP - 1
            yield f"up_blocks.{level}.upsamplers.0.conv", f"output_blocks.{last}.{place}.conv"


def _resnet(theirs: str, ours: str) -> Iterator[tuple[str, str]]:
    for diffusers_name, ldm_name in RESNET:
        yield f"{theirs}.{diffusers_name}", f"{ours}.{ldm_name}"


def _transformer(theirs: str, ours: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth == 0:
        return
    for name in ("norm", "proj_in", "proj_out", *_transformer_blocks(depth)):
        yield f"{theirs}.{name}", f"{ours}.{name}"


def _transformer_blocks(depth: int) -> Iterator[str]:
    for block in range(depth):
        for name in ("norm1", "norm2", "norm3", *FEED_FORWARD):
            yield f"transformer_blocks.{block}.{name}"
        for attention in ("attn1", "attn2"):
            for name in ATTENTION:
                yield f"transformer_blocks.{block}.{attention}.{name}"


def attention_aliases(path: str) -> Iterator[str]:
    """Yield older spellings of an attention module: `attn1.processor.to_q`, `attn1.to_out` without `.0`."""
    for attention in (".attn1.", ".attn2."):
        if attention in path:
            yield path.replace(attention, f"{attention}processor.")
            if path.endswith(".to_out.0"):
                short = path[: -len(".0")]
                yield short
                yield short.replace(attention, f"{attention}processor.")
