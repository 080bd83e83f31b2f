"""The modules of a Stable Diffusion UNet under their two names, diffusers and LDM, and their shapes.

Both trees hold the same weights in the same shapes; only the numbering differs. All is generated from how
deep the transformers of each level are and how wide its layers, so that one page serves SD1, SD2 and SDXL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lib_lora.keys.shapes import Shape

RESNETS_DOWN = 2
RESNETS_UP = 3
LATENT_CHANNELS = 4

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
Module = tuple[str, str, Shape]


@dataclass(frozen=True)
class UNetLayout:
    """Transformer blocks behind each residual block, level by level (0: no attention), and widths.

    widths: channels of each level. context: width of the text it reads. linear: whether transformers begin
    and end with matrices, not 1×1 convolutions. label: width of the vector of sizes and crops (SDXL).
    """

    down: tuple[int, ...]
    middle: int
    up: tuple[int, ...]
    widths: tuple[int, ...]
    context: int
    linear: bool = False
    label: int = 0

    @property
    def time(self) -> int:
        """Width of the embedded time."""
        return 4 * self.widths[0]


def unet_modules(layout: UNetLayout) -> Iterator[tuple[str, str]]:
    """Yield `(diffusers path, LDM path)` of every module that can hold weights.

    A `conv_shortcut` is listed for every residual block; a model has it only where the width changes.
    """
    for theirs, ours, _ in _walk(layout, LATENT_CHANNELS):
        yield theirs, ours


def unet_shapes(layout: UNetLayout, input_channels: int = LATENT_CHANNELS) -> Iterator[tuple[str, Shape]]:
    """Yield the LDM path and the shape of every weight of the real model."""
    for _, ours, shape in _walk(layout, input_channels):
        if shape:
            yield ours, shape


def _walk(layout: UNetLayout, input_channels: int) -> Iterator[Module]:
    """Yield both paths and the shape of every module, `()` for a shortcut that the model does not have."""
    first, time = layout.widths[0], layout.time
    yield "conv_in", "input_blocks.0.0", (first, input_channels, 3, 3)
    yield "conv_norm_out", "out.0", (first,)
    yield "conv_out", "out.2", (LATENT_CHANNELS, first, 3, 3)
    yield "time_embedding.linear_1", "time_embed.0", (time, first)
    yield "time_embedding.linear_2", "time_embed.2", (time, time)
    if layout.label:
        yield "add_embedding.linear_1", "label_emb.0.0", (time, layout.label)
        yield "add_embedding.linear_2", "label_emb.0.2", (time, time)
    skips = [first]
    yield from _down(layout, skips)
    last = layout.widths[-1]
    for index in range(2):
        yield from _resnet(f"mid_block.resnets.{index}", f"middle_block.{2 * index}", last, last, time)
    yield from _transformer("mid_block.attentions.0", "middle_block.1", layout, layout.middle, last)
    yield from _up(layout, skips)


def _down(layout: UNetLayout, skips: list[int]) -> Iterator[Module]:
    """Walk down; leaves the widths that the way up reads beside its own in `skips`."""
    per_level, width = RESNETS_DOWN + 1, skips[0]  # the third of a level is the downsampler
    for level, (depth, out) in enumerate(zip(layout.down, layout.widths, strict=True)):
        for index in range(RESNETS_DOWN):
            ours, theirs = f"input_blocks.{1 + per_level * level + index}", f"down_blocks.{level}"
            yield from _resnet(f"{theirs}.resnets.{index}", f"{ours}.0", width, out, layout.time)
            yield from _transformer(f"{theirs}.attentions.{index}", f"{ours}.1", layout, depth, out)
            width = out
            skips.append(width)
        if level < len(layout.down) - 1:
            ours = f"input_blocks.{per_level * (level + 1)}.0.op"
            yield f"down_blocks.{level}.downsamplers.0.conv", ours, (width, width, 3, 3)
            skips.append(width)


def _up(layout: UNetLayout, skips: list[int]) -> Iterator[Module]:
    width = layout.widths[-1]
    for level, (depth, out) in enumerate(zip(layout.up, reversed(layout.widths), strict=True)):
        for index in range(RESNETS_UP):
            ours, theirs = f"output_blocks.{RESNETS_UP * level + index}", f"up_blocks.{level}"
            yield from _resnet(
                f"{theirs}.resnets.{index}", f"{ours}.0", width + skips.pop(), out, layout.time
            )
            yield from _transformer(f"{theirs}.attentions.{index}", f"{ours}.1", layout, depth, out)
            width = out
        if level < len(layout.up) - 1:
            place = 2 if depth else 1  # the upsampler stands behind the transformer, if there is one
            ours = f"output_blocks.{RESNETS_UP * level + RESNETS_UP - 1}.{place}.conv"
            yield f"up_blocks.{level}.upsamplers.0.conv", ours, (width, width, 3, 3)


def _resnet(theirs: str, ours: str, width: int, out: int, time: int) -> Iterator[Module]:
    shapes: tuple[Shape, ...] = (
        (width,),
        (out, width, 3, 3),
        (out, time),
        (out,),
        (out, out, 3, 3),
        (out, width, 1, 1) if out != width else (),
    )
    for (diffusers_name, ldm_name), shape in zip(RESNET, shapes, strict=True):
        yield f"{theirs}.{diffusers_name}", f"{ours}.{ldm_name}", shape


def _transformer(theirs: str, ours: str, layout: UNetLayout, depth: int, width: int) -> Iterator[Module]:
    if depth == 0:
        return
    projection = (width, width) if layout.linear else (width, width, 1, 1)
    around: tuple[tuple[str, Shape], ...] = (
        ("norm", (width,)),
        ("proj_in", projection),
        ("proj_out", projection),
    )
    for name, shape in (*around, *_transformer_blocks(depth, width, layout.context)):
        yield f"{theirs}.{name}", f"{ours}.{name}", shape


def _transformer_blocks(depth: int, width: int, context: int) -> Iterator[tuple[str, Shape]]:
    for block in range(depth):
        for name in ("norm1", "norm2", "norm3"):
            yield f"transformer_blocks.{block}.{name}", (width,)
        widened, narrowed = FEED_FORWARD
        yield f"transformer_blocks.{block}.{widened}", (8 * width, width)  # values and gates
        yield f"transformer_blocks.{block}.{narrowed}", (width, 4 * width)
        for attention, read in (("attn1", width), ("attn2", context)):
            for name in ATTENTION:
                from_text = name in ("to_k", "to_v")
                yield f"transformer_blocks.{block}.{attention}.{name}", (width, read if from_text else width)


def attention_aliases(path: str) -> Iterator[str]:
    """Yield older spellings of an attention module: `attn1.processor.to_q`, `attn1.to_out` without `.0`."""
    for attention in (".attn1.", ".attn2."):
        if attention in path:
            yield path.replace(attention, f"{attention}processor.")
            if path.endswith(".to_out.0"):
                short = path[: -len(".0")]
                yield short
                yield short.replace(attention, f"{attention}processor.")
