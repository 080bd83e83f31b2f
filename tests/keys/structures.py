"""The real structures on the meta device: what diffusers, ldm and transformers build at full size."""

from __future__ import annotations

import os
from collections.abc import Callable

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from diffusers import UNet2DConditionModel
from ldm.modules.diffusionmodules import openaimodel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

Shapes = dict[str, tuple[int, ...]]

FOUR_DOWN = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
FOUR_UP = ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3
TEXT_AND_SIZES = {
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "use_linear_projection": True,
}
DIFFUSERS = {
    "sd1": {"cross_attention_dim": 768},
    "sd2": {
        "cross_attention_dim": 1024,
        "attention_head_dim": [5, 10, 20, 20],
        "use_linear_projection": True,
    },
    "sdxl": {
        "block_out_channels": (320, 640, 1280),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": [1, 2, 10],
        "attention_head_dim": [5, 10, 20],
        "cross_attention_dim": 2048,
        "projection_class_embeddings_input_dim": 2816,
        **TEXT_AND_SIZES,
    },
    "refiner": {
        "block_out_channels": (384, 768, 1536, 1536),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": 4,
        "attention_head_dim": [6, 12, 24, 24],
        "cross_attention_dim": 1280,
        "projection_class_embeddings_input_dim": 2560,
        **TEXT_AND_SIZES,
    },
}
"""The `unet/config.json` of the public models, as far as it is not diffusers' default."""

LDM = {
    "sd1": {"context_dim": 768, "num_heads": 8, "legacy": False},
    "sd2": {"context_dim": 1024, "num_head_channels": 64, "use_linear_in_transformer": True},
    "sdxl": {
        "context_dim": 2048,
        "num_head_channels": 64,
        "use_linear_in_transformer": True,
        "attention_resolutions": [4, 2],
        "channel_mult": [1, 2, 4],
    },
    "refiner": {
        "context_dim": 1280,
        "num_head_channels": 64,
        "use_linear_in_transformer": True,
        "model_channels": 384,
        "attention_resolutions": [4, 2],
    },
}
"""The `unet_config` of the public models' yaml files."""

LABELS = {"sdxl": 2816, "refiner": 2560}
DEPTHS = {"sd1": dict.fromkeys((320, 640, 1280), 1), "sdxl": {640: 2, 1280: 10}, "refiner": {768: 4, 1536: 4}}


def shapes_of(root: nn.Module) -> Shapes:
    """Shape of every module's own weight by path."""
    found = {}
    for path, module in root.named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, torch.Tensor):
            found[path] = tuple(weight.shape)
    return found


def diffusers_unet(name: str, **changed: int) -> Shapes:
    """The UNet as diffusers builds it."""
    with torch.device("meta"):
        return shapes_of(UNet2DConditionModel(sample_size=64, **{**DIFFUSERS[name], **changed}))


def ldm_unet(name: str, in_channels: int = 4) -> Shapes:
    """The UNet as A1111 builds it.

    SDXL's `sgm` differs from `ldm` in two points, which are added here: transformers as deep as their level
    asks for, and an embedding of sizes and crops.
    """
    options = {
        "image_size": 32,
        "in_channels": in_channels,
        "out_channels": 4,
        "model_channels": 320,
        "attention_resolutions": [4, 2, 1],
        "num_res_blocks": 2,
        "channel_mult": [1, 2, 4, 4],
        "use_spatial_transformer": True,
        **LDM[name],
    }
    depths, plain = DEPTHS.get(name, DEPTHS["sd1"]), openaimodel.SpatialTransformer
    openaimodel.SpatialTransformer = _deepened(plain, depths)
    try:
        with torch.device("meta"):
            unet = openaimodel.UNetModel(**options)
            if name in LABELS:
                time = 4 * options["model_channels"]
                inner = nn.Sequential(nn.Linear(LABELS[name], time), nn.SiLU(), nn.Linear(time, time))
                unet.label_emb = nn.Sequential(inner)
    finally:
        openaimodel.SpatialTransformer = plain
    return shapes_of(unet)


def _deepened(transformer: Callable[..., nn.Module], depths: dict[int, int]) -> Callable[..., nn.Module]:
    def build(channels: int, *args: object, depth: int, context_dim: int, **options: object) -> nn.Module:
        deep = depths[channels]
        return transformer(channels, *args, depth=deep, context_dim=[context_dim] * deep, **options)

    return build


def hugging_face_text(width: int, layers: int, projection: bool) -> Shapes:
    """A text encoder as transformers builds it."""
    config = CLIPTextConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        projection_dim=width,
    )
    with torch.device("meta"):
        return shapes_of((CLIPTextModelWithProjection if projection else CLIPTextModel)(config))
