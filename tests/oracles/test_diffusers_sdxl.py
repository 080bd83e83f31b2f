"""SDXL files in every spelling against diffusers' loader: the same change on every weight of all parts."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from lib_lora.keys.sdxl import LAYOUT
from lib_lora.keys.spellings import flat
from lib_lora.keys.unet import unet_modules
from lib_lora.network import open_network

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from diffusers import UNet2DConditionModel
    from diffusers.loaders import StableDiffusionXLLoraLoaderMixin

pytestmark = pytest.mark.filterwarnings("ignore")

TABLE = dict(unet_modules(LAYOUT))
WEIGHT, RANK, ALPHA = 0.8, 2, 3.0
PARTS = {"unet": "unet", "clip_l": "text_encoder", "clip_g": "text_encoder_2"}
Module = tuple[str, str]
"""A part of the model and the path in diffusers' tree."""


class Pipeline(StableDiffusionXLLoraLoaderMixin):
    """As much of a pipeline as loading a LoRA needs."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.unet = UNet2DConditionModel(
            sample_size=8,
            block_out_channels=(32, 32, 64),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=[1, 2, 10],
            attention_head_dim=[1, 2, 4],
            cross_attention_dim=32,
            use_linear_projection=True,
        ).eval()
        self.text_encoder = _text(CLIPTextModel, 16)
        self.text_encoder_2 = _text(CLIPTextModelWithProjection, 24)
        self.components = {name: getattr(self, name) for name in PARTS.values()}
        self.hf_device_map = None


def _text(kind: type[nn.Module], width: int) -> nn.Module:
    config = CLIPTextConfig(
        vocab_size=32,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=8,
        projection_dim=width,
    )
    return kind(config).eval()


def canonical(module: Module) -> str:
    part, path = module
    return f"{part}.{TABLE[path] if part == 'unet' else path}"


def kohya(module: Module) -> str:
    part, path = module
    return flat({"unet": "lora_unet", "clip_l": "lora_te1", "clip_g": "lora_te2"}[part] + "." + path)


def kohya_sgm(module: Module) -> str:
    part, path = module
    return kohya((part, TABLE[path] if part == "unet" else path))


def dotted(module: Module) -> str:
    part, path = module
    return f"{PARTS[part]}.{path}"


Spelling = Callable[[Module], str]
DIALECTS: tuple[tuple[str, Spelling, dict[str, str], bool], ...] = (
    ("kohya, SGM names", kohya_sgm, {"up": ".lora_up.weight", "down": ".lora_down.weight"}, True),
    ("kohya, diffusers names", kohya, {"up": ".lora_up.weight", "down": ".lora_down.weight"}, True),
    ("lora_A and lora_B", dotted, {"up": ".lora_B.weight", "down": ".lora_A.weight"}, False),
    (
        "lora.up and lora.down",
        dotted,
        {
            "up": ".lora.up.weight",
            "down": ".lora.down.weight",
            "up of text": ".lora_linear_layer.up.weight",
            "down of text": ".lora_linear_layer.down.weight",
        },
        False,
    ),
)


def targets(pipeline: Pipeline) -> dict[Module, nn.Module]:
    """The linear layers that trainers of SDXL change; of the UNet's every third, some of each kind.

    Of the text encoders all: diffusers finds none where a file has no output projection.
    """
    found = [
        ((part, path), module)
        for part, name in PARTS.items()
        for path, module in pipeline.components[name].named_modules()
        if isinstance(module, nn.Linear) and ("attentions" in path or ".layers." in path)
    ]
    unet = [pair for pair in found if pair[0][0] == "unet"]
    return dict([*unet[::3], *(pair for pair in found if pair[0][0] != "unet")])


@pytest.mark.parametrize(
    ("spelled", "endings", "with_alpha"), [row[1:] for row in DIALECTS], ids=[row[0] for row in DIALECTS]
)
def test_every_weight_is_changed_as_diffusers_changes_it(
    tmp_path: Path, spelled: Spelling, endings: dict[str, str], with_alpha: bool
) -> None:
    pipeline = Pipeline()
    layers = targets(pipeline)
    file: dict[str, Tensor] = {}
    for module, layer in layers.items():
        stem, where = spelled(module), "" if module[0] == "unet" else " of text"
        up, down = (endings.get(f"{half}{where}", endings[half]) for half in ("up", "down"))
        file[stem + up] = torch.randn(layer.out_features, RANK) * 0.2
        file[stem + down] = torch.randn(RANK, layer.in_features) * 0.2
        if with_alpha:
            file[f"{stem}.alpha"] = torch.tensor(ALPHA)
    save_file(file, tmp_path / "x.safetensors")
    network = open_network(tmp_path / "x.safetensors", "sdxl")
    assert set(network.adapters) == {canonical(module) for module in layers}
    assert network.unmatched == ()
    before = {module: layer.weight.detach().clone() for module, layer in layers.items()}
    pipeline.load_lora_weights(dict(file), adapter_name="x")
    pipeline.fuse_lora(components=list(PARTS.values()), lora_scale=WEIGHT)
    for module in layers:
        fused = pipeline.components[PARTS[module[0]]].get_submodule(module[1])
        theirs = getattr(fused, "base_layer", fused).weight.detach()
        ours = before[module] + WEIGHT * network.adapters[canonical(module)].delta(before[module])
        assert torch.allclose(ours, theirs, atol=1e-6), module
