"""The SD1 table against the real structure: diffusers' UNet, ldm's UNet and CLIP-L at full size."""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest
import torch
from diffusers import UNet2DConditionModel
from ldm.modules.diffusionmodules.openaimodel import UNetModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from lib_lora.keys.clip import clip_modules
from lib_lora.keys.sd1 import LAYOUT, SD1, TEXT_LAYERS
from lib_lora.keys.spellings import flat
from lib_lora.keys.unet import unet_modules

Shapes = dict[str, tuple[int, ...]]


def shapes_of(root: nn.Module) -> Shapes:
    """Shape of every module's own weight by path."""
    found = {}
    for path, module in root.named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, torch.Tensor):
            found[path] = tuple(weight.shape)
    return found


@pytest.fixture(scope="module")
def ldm_shapes() -> Shapes:
    """SD1.5's UNet as A1111 builds it, on the meta device."""
    with torch.device("meta"):
        unet = UNetModel(
            image_size=32,
            in_channels=4,
            out_channels=4,
            model_channels=320,
            attention_resolutions=[4, 2, 1],
            num_res_blocks=2,
            channel_mult=[1, 2, 4, 4],
            num_heads=8,
            use_spatial_transformer=True,
            transformer_depth=1,
            context_dim=768,
            legacy=False,
        )
    return shapes_of(unet)


@pytest.fixture(scope="module")
def diffusers_shapes() -> Shapes:
    """SD1.5's UNet as diffusers builds it; its defaults are SD1's but for the text's width."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768)
    return shapes_of(unet)


def test_the_unet_table_is_a_bijection_of_391_modules_of_equal_shape(
    ldm_shapes: Shapes, diffusers_shapes: Shapes
) -> None:
    table = dict(unet_modules(LAYOUT))
    assert len(table) == len(set(table.values()))
    pairs = {theirs: ours for theirs, ours in table.items() if theirs in diffusers_shapes}
    assert len(pairs) == len(diffusers_shapes) == len(ldm_shapes) == 391
    assert set(pairs.values()) == set(ldm_shapes)
    assert {theirs: ldm_shapes[ours] for theirs, ours in pairs.items()} == diffusers_shapes


def test_the_table_lists_beyond_the_model_only_shortcuts_that_it_lacks(ldm_shapes: Shapes) -> None:
    extra = {ours for _, ours in unet_modules(LAYOUT)} - set(ldm_shapes)
    assert extra
    assert all(name.endswith(".skip_connection") for name in extra)


def test_the_text_table_is_exactly_clip_l() -> None:
    with torch.device("meta"):
        text = CLIPTextModel(CLIPTextConfig(hidden_size=768, num_hidden_layers=12, intermediate_size=3072))
    assert set(clip_modules(TEXT_LAYERS)) == set(shapes_of(text))


def test_no_spelling_means_two_weights() -> None:
    own = [ours for pair in unet_modules(LAYOUT) for ours in pair] + list(clip_modules(TEXT_LAYERS))
    canonical = {f"unet.{ours}" for _, ours in unet_modules(LAYOUT)}
    canonical |= {f"clip_l.{path}" for path in clip_modules(TEXT_LAYERS)}
    assert len({flat(path) for path in own}) == len(set(own))
    assert set(SD1.paths().values()) == canonical
