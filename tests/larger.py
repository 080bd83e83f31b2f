"""Small models with the trees of SD 2, SDXL, its refiner, and of inpainting and editing checkpoints.

model = larger("sdxl")             # .roots {part: module}, .view(), .run(); seeded, float32
write_lora(path, model)            # every linear and convolution, in SGM's names and diffusers' in turns
"""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from ldm.modules.diffusionmodules import openaimodel
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from lib_lora.engine.view import ATTENTION, CONV, LINEAR, PARAMETER, ModelView, build_view
from lib_lora.keys import find_target
from lib_lora.keys.spellings import flat
from lib_lora.keys.unet import unet_modules
from tests.engine.towers import TOKENS, VOCABULARY, WIDTH, encode, openclip

CONTEXT = 16
PREFIXES = {"unet": "lora_unet", "clip_l": "lora_te1", "clip_g": "lora_te2", "clip_h": "lora_te"}


@dataclass
class Larger:
    """A model's parts by their names in canonical names."""

    architecture: str
    roots: dict[str, nn.Module]

    def view(self) -> ModelView:
        """Describe the model to the engine."""
        return build_view(self.architecture, key="larger", **self.roots)

    def run(self) -> dict[str, Tensor]:
        """Put fixed inputs through every part."""
        found, unet = {}, self.roots["unet"]
        seeded = torch.Generator().manual_seed(5)
        side = 2 ** len(unet.channel_mult)  # two pixels on the lowest level: a norm needs more than one
        latent = torch.randn(1, unet.in_channels, side, side, generator=seeded)
        text = torch.randn(1, 5, CONTEXT, generator=seeded)
        sizes = torch.randn(1, 12, generator=seeded)
        with torch.no_grad():
            labels = {} if unet.num_classes is None else {"y": sizes}
            found["unet"] = unet(latent, torch.tensor([10]), context=[text] * 10, **labels)
            for part, root in self.roots.items():
                if part == "clip_l":
                    found[part] = root(input_ids=torch.arange(TOKENS)[None]).last_hidden_state
                elif part != "unet":
                    found[part] = encode(root)
        return found

    def digests(self) -> dict[str, bytes]:
        """The bytes of every parameter."""
        return {
            f"{part}.{name}": tensor.detach().numpy().tobytes()
            for part, root in self.roots.items()
            for name, tensor in root.named_parameters()
        }


def larger(name: str) -> Larger:
    """Make the model of a target of `keys.targets` in small: its tree with narrow layers."""
    target = find_target(name)
    known = target.architecture
    roots: dict[str, nn.Module] = {"unet": _unet(name, target.input_channels)}
    for text in known.texts:
        roots[text.part] = _clip() if text.split else openclip(seed=7)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for part, root in roots.items():
            for tensor in root.parameters() if part in ("unet", "clip_l") else ():
                noise = torch.randn(tensor.shape, generator=generator)
                scale = 0.1 if tensor.dim() < 2 else (1 / tensor[0].numel()) ** 0.5
                tensor.copy_(noise * scale + (1.0 if tensor.dim() < 2 else 0.0))
    return Larger(known.name, roots)


def _unet(name: str, channels: int) -> nn.Module:
    """ldm's UNet; SDXL's depths and its embedding of sizes are put in, as `sgm` has them."""
    layout = find_target(name).architecture.unet
    levels = len(layout.widths)
    plain, depths = openaimodel.SpatialTransformer, iter([])

    def deep(*args: object, depth: int, context_dim: int, **options: object) -> nn.Module:
        found = next(depths)
        return plain(*args, depth=found, context_dim=[context_dim] * found, **options)

    down = [depth for depth in layout.down for _ in range(2) if depth]
    up = [depth for depth in layout.up for _ in range(3) if depth]
    depths = iter([*down, layout.middle, *up])
    openaimodel.SpatialTransformer = deep
    try:
        unet = openaimodel.UNetModel(
            image_size=8,
            in_channels=channels,
            out_channels=4,
            model_channels=32,
            attention_resolutions=[2**level for level, depth in enumerate(layout.down) if depth],
            num_res_blocks=2,
            channel_mult=(1,) * levels,
            num_head_channels=16,
            use_spatial_transformer=True,
            use_linear_in_transformer=layout.linear,
            context_dim=CONTEXT,
            legacy=False,
        )
    finally:
        openaimodel.SpatialTransformer = plain
    if layout.label:
        inner = nn.Sequential(nn.Linear(12, 128), nn.SiLU(), nn.Linear(128, 128))
        unet.label_emb, unet.num_classes = nn.Sequential(inner), "sequential"
    return unet.eval()


def _clip() -> nn.Module:
    config = CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=TOKENS,
    )
    return CLIPTextModel(config).eval()


def write_lora(path: Path, model: Larger, input_channels: int = 4) -> dict[str, tuple[Tensor, Tensor]]:
    """Write a LoRA for every linear layer and convolution; return up and down by canonical name."""
    theirs = {ours: other for other, ours in unet_modules(find_target(model.architecture).architecture.unet)}
    generator = torch.Generator().manual_seed(9)
    file: dict[str, Tensor] = {}
    factors: dict[str, tuple[Tensor, Tensor]] = {}
    for index, (name, layer) in enumerate(model.view().layers.items()):
        if layer.kind not in (LINEAR, CONV, ATTENTION, PARAMETER) or name == "clip_h.text_projection":
            continue  # SD 2 does not use its projection
        part, _, module = name.partition(".")
        out, *inner = layer.module.weight.shape
        if module == "input_blocks.0.0":
            inner[0] = input_channels
        up = torch.randn(out, 2, *(1,) * (len(inner) - 1), generator=generator) * 0.2
        down = torch.randn(2, *inner, generator=generator) / torch.Size(inner).numel() ** 0.5
        factors[name] = up, down
        spelled = theirs[module] if part == "unet" and index % 2 else module
        stem = f"{PREFIXES[part]}_{flat(spelled)}"
        file |= {f"{stem}.lora_up.weight": up, f"{stem}.lora_down.weight": down}
        file[f"{stem}.alpha"] = torch.tensor(1.0)
    save_file(file, path)
    return factors


def merged_by_hand(model: Larger, factors: dict[str, tuple[Tensor, Tensor]], strength: float) -> Larger:
    """A copy whose parameters hold `W + strength · ½ · up @ down`; channels beyond the file's stay."""
    other = Larger(model.architecture, copy.deepcopy(model.roots))
    with torch.no_grad():
        for name, layer in other.view().layers.items():
            if name in factors:
                up, down = (tensor.double() for tensor in factors[name])
                delta = (up.flatten(1) @ down.flatten(1)).reshape(up.shape[0], *down.shape[1:]) / 2
                weight = layer.module.weight
                own = weight[:, : delta.shape[1]]
                own.copy_(own.double() + strength * delta)
    return other
