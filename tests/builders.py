"""Small models and LoRA files for tests, quick to make: SD1's tree with narrow layers, kohya's files.

model = small_sd1()                                # .unet, .clip_l, .view(); seeded, float32
layers = kohya_layers(model)                       # {kohya name: (out, in, kernel)}; kernel 0 is linear
make_lora_file(path, layers, rank=4, alpha=2.0, seed=1)
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from ldm.modules.diffusionmodules.openaimodel import UNetModel
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from lib_lora.engine.view import ModelView, build_view
from lib_lora.keys.sd1 import LAYOUT
from lib_lora.keys.unet import unet_modules

LayerSizes = Mapping[str, tuple[int, int, int]]

CONTEXT = 24
TOKENS = 8
VOCABULARY = 64


@dataclass
class SmallModel:
    """A UNet and a text encoder with SD1's module tree; `key` stands for the checkpoint's identity."""

    unet: nn.Module
    clip_l: nn.Module
    key: Hashable = "small"

    def view(self, **options: object) -> ModelView:
        """Describe the model to the engine."""
        return build_view("sd1", key=self.key, unet=self.unet, clip_l=self.clip_l, **options)  # type: ignore[arg-type]

    def run(self, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
        """Encode a fixed prompt and predict a fixed latent's noise; returns both results."""
        with torch.no_grad():
            tokens = torch.arange(TOKENS)[None] % VOCABULARY
            text = self.clip_l(input_ids=tokens).last_hidden_state
            seeded = torch.Generator().manual_seed(5)
            latent = torch.randn(1, 4, 8, 8, generator=seeded).to(dtype)
            return text, self.unet(latent, torch.tensor([10]), context=text.to(dtype))

    def parameters(self) -> dict[str, Tensor]:
        """Every parameter and buffer of both parts."""
        return {
            f"{part}.{name}": tensor
            for part, root in (("unet", self.unet), ("clip_l", self.clip_l))
            for name, tensor in root.state_dict().items()
        }


def small_sd1(seed: int = 0, in_channels: int = 4) -> SmallModel:
    """Make a model with SD1's tree, a few million numbers small and with nothing left at zero."""
    unet = UNetModel(
        image_size=8,
        in_channels=in_channels,
        out_channels=4,
        model_channels=32,
        attention_resolutions=[4, 2, 1],
        num_res_blocks=2,
        channel_mult=(1, 2, 2, 2),
        num_heads=2,
        use_spatial_transformer=True,
        transformer_depth=1,
        context_dim=CONTEXT,
        legacy=False,
    )
    config = CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=CONTEXT,
        intermediate_size=2 * CONTEXT,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=TOKENS,
    )
    model = SmallModel(unet.eval(), CLIPTextModel(config).eval())
    _fill(model, seed)
    return model


def _fill(model: SmallModel | ToyModel, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for root in (model.unet, model.clip_l):
            for tensor in root.parameters():
                noise = torch.randn(tensor.shape, generator=generator)
                # Weights shrink with their fan-in, so that signals neither die nor explode.
                scale = 0.1 if tensor.dim() < 2 else (1 / tensor[0].numel()) ** 0.5
                tensor.copy_(noise * scale + (1.0 if tensor.dim() < 2 else 0.0))


def kohya_layers(
    model: SmallModel, convs: bool = False, text: bool = True
) -> dict[str, tuple[int, int, int]]:
    """Sizes of the layers kohya's trainer changes, under its names; `convs` adds those of a LoCon."""
    sizes: dict[str, tuple[int, int, int]] = {}
    unet = dict(model.unet.named_modules())
    for diffusers_name, ldm_name in unet_modules(LAYOUT):
        module = unet.get(ldm_name)
        if isinstance(module, nn.Linear | nn.Conv2d) and (convs or "attentions" in diffusers_name):
            sizes["lora_unet_" + diffusers_name.replace(".", "_")] = _sizes(module)
    for name, module in model.clip_l.named_modules():
        if text and isinstance(module, nn.Linear):
            sizes["lora_te_" + name.replace(".", "_")] = _sizes(module)
    return sizes


def _sizes(module: nn.Linear | nn.Conv2d) -> tuple[int, int, int]:
    if isinstance(module, nn.Linear):
        return module.out_features, module.in_features, 0
    return module.out_channels, module.in_channels, module.kernel_size[0]


def make_lora_file(
    path: Path,
    layers: LayerSizes,
    rank: int = 4,
    alpha: float | None = 2.0,
    seed: int = 0,
    metadata: Mapping[str, str] | None = None,
    dtype: torch.dtype = torch.float32,
    strength: float = 0.3,
) -> dict[str, Tensor]:
    """Write a LoRA in kohya's format and return its tensors by name.

    layers: kohya name → (out, in, kernel), kernel 0 for a linear layer. `strength` is about how large the
    change is beside a layer of `small_sd1`.
    """
    generator = torch.Generator().manual_seed(seed)
    tensors: dict[str, Tensor] = {}
    for name, (out, width, kernel) in layers.items():
        spatial = (kernel, kernel) if kernel else ()
        points = (1, 1) if kernel else ()
        down = torch.randn(rank, width, *spatial, generator=generator)
        up = torch.randn(out, rank, *points, generator=generator)
        fan = width * max(1, kernel) ** 2
        tensors[f"{name}.lora_down.weight"] = (down / fan**0.5).to(dtype)
        tensors[f"{name}.lora_up.weight"] = (up * strength / max(1, rank) ** 0.5).to(dtype)
        if alpha is not None:
            tensors[f"{name}.alpha"] = torch.tensor(alpha, dtype=dtype)
    save_file(tensors, path, metadata=dict(metadata or {}))
    return tensors


class ToyUNet(nn.Module):
    """A few layers of every kind at places that SD1's UNet has, in a chain that takes under a millisecond."""

    def __init__(self, in_channels: int = 4) -> None:
        super().__init__()
        self.input_blocks = nn.ModuleList(
            [
                nn.ModuleList([nn.Conv2d(in_channels, 8, 3, padding=1)]),
                nn.ModuleList([nn.ModuleDict({"in_layers": nn.ModuleList([nn.GroupNorm(4, 8)])})]),
            ]
        )
        attention = nn.ModuleDict({"to_q": nn.Linear(8, 8, bias=False), "to_k": nn.Linear(8, 8, bias=False)})
        block = nn.ModuleDict({"attn1": attention, "norm1": nn.LayerNorm(8)})
        transformer = nn.ModuleDict(
            {"proj_in": nn.Conv2d(8, 8, 1), "transformer_blocks": nn.ModuleList([block])}
        )
        self.middle_block = nn.ModuleList([nn.Identity(), transformer])

    def forward(self, x: Tensor) -> Tensor:
        transformer = self.middle_block[1]
        block = transformer["transformer_blocks"][0]
        hidden = self.input_blocks[0][0](x)
        hidden = self.input_blocks[1][0]["in_layers"][0](hidden)
        tokens = transformer["proj_in"](hidden).flatten(2).transpose(1, 2)
        tokens = block["norm1"](tokens)
        return block["attn1"]["to_q"](tokens) + block["attn1"]["to_k"](tokens)


class ToyText(nn.Module):
    """One linear layer where CLIP-L has one."""

    def __init__(self) -> None:
        super().__init__()
        attention = nn.ModuleDict({"q_proj": nn.Linear(8, 8)})
        layers = nn.ModuleList([nn.ModuleDict({"self_attn": attention})])
        self.text_model = nn.ModuleDict({"encoder": nn.ModuleDict({"layers": layers})})

    def forward(self, x: Tensor) -> Tensor:
        return self.text_model["encoder"]["layers"][0]["self_attn"]["q_proj"](x)


@dataclass
class ToyModel:
    """A model for tests that need thousands of runs; the same surface as `SmallModel`."""

    unet: nn.Module
    clip_l: nn.Module
    key: Hashable = "toy"

    def view(self, **options: object) -> ModelView:
        """Describe the model to the engine."""
        return build_view("sd1", key=self.key, unet=self.unet, clip_l=self.clip_l, **options)  # type: ignore[arg-type]

    def run(self) -> tuple[Tensor, Tensor]:
        """Put fixed inputs through both parts."""
        weight = self.unet.input_blocks[0][0].weight
        seeded = torch.Generator().manual_seed(3)
        image = torch.randn(2, weight.shape[1], 5, 5, generator=seeded).to(weight.dtype)
        text = torch.randn(2, 3, 8, generator=seeded).to(weight.dtype)
        with torch.no_grad():
            return self.clip_l(text), self.unet(image)

    def digests(self) -> dict[str, bytes]:
        """The bytes of every parameter."""
        return {
            f"{part}.{name}": tensor.detach().contiguous().view(torch.uint8).numpy().tobytes()
            for part, root in (("unet", self.unet), ("clip_l", self.clip_l))
            for name, tensor in root.state_dict().items()
        }


def toy_sd1(seed: int = 0, dtype: torch.dtype = torch.float32, in_channels: int = 4) -> ToyModel:
    """Make the toy with seeded weights."""
    model = ToyModel(ToyUNet(in_channels).eval(), ToyText().eval())
    _fill(model, seed)
    for root in (model.unet, model.clip_l):
        root.to(dtype)
    return model


TOY_LAYERS: LayerSizes = MappingProxyType(
    {
        "lora_unet_conv_in": (8, 4, 3),
        "lora_unet_mid_block_attentions_0_proj_in": (8, 8, 1),
        "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q": (8, 8, 0),
        "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_k": (8, 8, 0),
        "lora_te_text_model_encoder_layers_0_self_attn_q_proj": (8, 8, 0),
    }
)
"""What a LoRA for the toy changes."""
