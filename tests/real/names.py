"""How trainers name the layers of a checkpoint of SD 1, SD 2 or SDXL: kohya's names, from the checkpoint's.

UNet: diffusers' places for SD 1 and 2 (`lora_unet_down_blocks_0_attentions_0_…`), the checkpoint's own for
SDXL (`lora_unet_input_blocks_4_1_…`). OpenCLIP's text encoder gets Hugging Face's names, its fused q, k and v
one each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

UNET = "model.diffusion_model."
HUGGING_FACE: Mapping[str, str] = {
    "cond_stage_model.transformer.": "lora_te_",
    "conditioner.embedders.0.transformer.": "lora_te1_",
}
OPENCLIP: Mapping[str, str] = {
    "cond_stage_model.model.": "lora_te_",
    "conditioner.embedders.1.model.": "lora_te2_",
}
TEXTS = (*HUGGING_FACE, *OPENCLIP)
_RESNET = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_BLOCK = re.compile(r"transformer\.resblocks\.(\d+)\.(.+)")
_FUSED = "attn.in_proj_weight"
_INNER = {"attn.out_proj": "self_attn.out_proj", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}


@dataclass(frozen=True)
class Layer:
    """A weight of the checkpoint that trainers change: the part it is of, its path there, its kohya name."""

    part: str
    path: str
    name: str
    weight: Tensor


def layers(key: str, tensor: Tensor, sdxl: bool) -> Iterator[Layer]:
    """Yield what trainers make of an entry of a checkpoint: itself, three of a fused one, often nothing."""
    path = key.removesuffix(".weight")
    if path != key and key.startswith(UNET):
        inner = path.removeprefix(UNET)
        if name := "lora_unet_" + inner.replace(".", "_") if sdxl else _diffusers(inner):
            yield Layer(UNET, inner, name, tensor)
    for part, prefix in HUGGING_FACE.items():
        if path != key and key.startswith(part):
            inner = path.removeprefix(part)
            yield Layer(part, inner, prefix + inner.replace(".", "_"), tensor)
    for part, prefix in OPENCLIP.items():
        if key.startswith(part) and (found := _BLOCK.fullmatch(key.removeprefix(part))):
            for name, weight in _split(found[2], tensor):
                inner = f"text_model.encoder.layers.{found[1]}.{name}"
                yield Layer(part, inner, prefix + inner.replace(".", "_"), weight)


def _split(inner: str, tensor: Tensor) -> Iterator[tuple[str, Tensor]]:
    if inner == _FUSED:
        for letter, rows in zip("qkv", tensor.chunk(3), strict=True):
            yield f"self_attn.{letter}_proj", rows
    elif inner.endswith(".weight") and (name := _INNER.get(inner.removesuffix(".weight"))):
        yield name, tensor


def _diffusers(path: str) -> str | None:
    parts = path.split(".")
    if parts[0] == "middle_block":
        inner = ".".join(parts[2:])
        if parts[1] == "1":
            return "lora_unet_mid_block_attentions_0_" + inner.replace(".", "_")
        return f"lora_unet_mid_block_resnets_{int(parts[1]) // 2}_{_RESNET[inner]}"
    found = re.fullmatch(r"(input|output)_blocks\.(\d+)", ".".join(parts[:2]))
    if found is None or found[0] == "input_blocks.0":
        return None
    down, index = found[1] == "input", int(found[2])
    level, place = divmod(index - 1 if down else index, 3)
    block, inner = f"lora_unet_{'down' if down else 'up'}_blocks_{level}", ".".join(parts[3:])
    if inner == "op":
        return f"{block}_downsamplers_0_conv"
    if inner == "conv":
        return f"{block}_upsamplers_0_conv"
    if inner in _RESNET:
        return f"{block}_resnets_{place}_{_RESNET[inner]}"
    return f"{block}_attentions_{place}_{inner.replace('.', '_')}"
