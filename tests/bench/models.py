"""Real structures with random weights, and networks for them: what all ways of applying a stack are given.

The UNets are diffusers', from the published configurations; the layers are known to the engine by its own
names for the same weights. A slice has the published widths and fewer blocks, for machines with little time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from torch import Tensor, nn

from lib_lora.adapters.lora import read
from lib_lora.engine.view import CONV, LINEAR, Layer, ModelView
from lib_lora.keys.sd1 import SD1
from lib_lora.keys.sdxl import SDXL as XL
from lib_lora.keys.unet import UNetLayout, unet_modules
from lib_lora.network import Network
from lib_lora.plan import Plan, make_plan
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack

CROSS_DOWN, CROSS_UP = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
COMMON = {"sample_size": 64, "in_channels": 4, "out_channels": 4, "layers_per_block": 2}
SD15 = {
    "down_block_types": (CROSS_DOWN,) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + (CROSS_UP,) * 3,
    "block_out_channels": (320, 640, 1280, 1280),
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}
SDXL = {
    "down_block_types": ("DownBlock2D", CROSS_DOWN, CROSS_DOWN),
    "up_block_types": (CROSS_UP, CROSS_UP, "UpBlock2D"),
    "block_out_channels": (320, 640, 1280),
    "cross_attention_dim": 2048,
    "attention_head_dim": (5, 10, 20),
    "transformer_layers_per_block": (1, 2, 10),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
SD15_SLICE = {
    **SD15,
    "layers_per_block": 1,
    "down_block_types": (CROSS_DOWN, CROSS_DOWN),
    "up_block_types": (CROSS_UP, CROSS_UP),
    "block_out_channels": (320, 640),
}
SD15_BLOCKS = {**SD15_SLICE, "up_block_types": ("UpBlock2D",) * 2, "mid_block_type": None}
SD15_BLOCK = {
    **SD15_BLOCKS,
    "down_block_types": (CROSS_DOWN,),
    "up_block_types": ("UpBlock2D",),
    "block_out_channels": (320,),
}
SDXL_SLICE = {**SDXL, "layers_per_block": 1, "transformer_layers_per_block": (1, 1, 1)}
STRUCTURES = {
    "SD1.5": ("sd1", SD15, SD1.unet),
    "SDXL": ("sdxl", SDXL, XL.unet),
    "SD1.5 slice": ("sd1", SD15_SLICE, UNetLayout((1, 1), 1, (1, 1), (320, 640), 768)),
    "SD1.5 blocks": ("sd1", SD15_BLOCKS, UNetLayout((1, 1), 1, (1, 1), (320, 640), 768)),
    "SD1.5 block": ("sd1", SD15_BLOCK, UNetLayout((1,), 1, (1,), (320,), 768)),
    "SDXL slice": ("sdxl", SDXL_SLICE, replace(XL.unet, down=(0, 1, 1), middle=1, up=(1, 1, 0))),
}
"""Slices: two levels with one block each; one transformer block where SDXL has 2 or 10. Blocks: of
a slice only the transformers on the way down, of 320 and 640. Block: that of 320 alone."""
LEFT_OUT = ("conv_in", "conv_out", "time_embedding", "add_embedding")


def told(dtype: torch.dtype) -> str:
    """Return a number type's short name: fp32, bf16."""
    return str(dtype).removeprefix("torch.").replace("float", "fp").replace("bfp", "bf")


@dataclass(frozen=True)
class Factors:
    """One network's change to one layer as every way takes it: down `[r, …]`, up `[out, r]`, alpha."""

    down: Tensor
    up: Tensor
    alpha: float


Net = dict[str, Factors]


def build(name: str, dtype: torch.dtype, device: str = "cpu", bare: bool = False) -> Any:
    """Return a UNet with random weights, of the size trained ones have.

    bare: only the transformers have weights; it can be merged into, not run.
    """
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel(**{**COMMON, **STRUCTURES[name][1]}).to(dtype)
    unet = unet.eval().requires_grad_(False)
    for module in targets(unet, False).values() if bare else [unet]:
        module.to_empty(device=device)
    drawn = torch.randn(1 << 20, generator=torch.Generator().manual_seed(0)).mul_(0.03).to(device, dtype)
    for parameter in unet.parameters():
        if parameter.is_meta:
            continue
        if parameter.dim() > 1:  # drawing every number of a large model would take longer than measuring
            parameter.copy_(
                drawn.repeat(-(-parameter.numel() // len(drawn)))[: parameter.numel()].view_as(parameter)
            )
        else:
            parameter.fill_(1.0)
    return unet


def twin(unet: Any, full: bool | None = None) -> Any:
    """Return a UNet of its own with the same parameters: for a way that rewrites modules.

    full: for one that writes weights too, which layers get their own: those of the transformers, or all.
    """
    with torch.device("meta"):
        other = type(unet).from_config(unet.config)
    other.load_state_dict(unet.state_dict(), assign=True)
    other = other.eval().requires_grad_(False)
    for module in () if full is None else targets(other, full).values():
        module.weight = nn.Parameter(module.weight.clone(), requires_grad=False)
    return other


def targets(unet: Any, full: bool) -> dict[str, nn.Module]:
    """The layers a LoRA changes: those of the transformers (kohya's default), or all of them (LoCon)."""
    return {
        name: module
        for name, module in unet.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d)
        and ("attentions" in name or (full and not name.startswith(LEFT_OUT)))
    }


def draw(
    layers: dict[str, nn.Module], ranks: Sequence[int], dtype: torch.dtype, device: str = "cpu"
) -> list[Net]:
    """Return one network per rank."""
    generator = torch.Generator().manual_seed(1)
    nets = []
    for rank in ranks:
        net: Net = {}
        for name, module in layers.items():
            out, *inner = module.weight.shape
            down = torch.randn(rank, *inner, generator=generator) / torch.Size(inner).numel() ** 0.5
            up = torch.randn(out, rank, generator=generator) * 0.02
            net[name] = Factors(down.to(device, dtype), up.to(device, dtype), rank / 2)
        nets.append(net)
    return nets


def view_of(unet: Any, structure: str) -> ModelView:
    """Describe the UNet to the engine."""
    architecture, _, layout = STRUCTURES[structure]
    ours = dict(unet_modules(layout))
    layers = {}
    for path, module in unet.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d) and path in ours:
            name = f"unet.{ours[path]}"
            layers[name] = Layer(name, CONV if isinstance(module, nn.Conv2d) else LINEAR, module)
    return ModelView(architecture, structure, {"unet": unet}, layers)


def opened(nets: Sequence[Net], structure: str) -> list[Network]:
    """Return the networks as the engine has them after opening their files."""
    architecture, _, layout = STRUCTURES[structure]
    ours = dict(unet_modules(layout))
    return [
        Network(Path(f"{index}"), ("bench", index), architecture, dict(_named(net, ours)), (), ())
        for index, net in enumerate(nets)
    ]


def _named(net: Net, ours: dict[str, str]) -> Iterator[tuple[str, Any]]:
    return ((f"unet.{ours[path]}", adapter) for path, adapter in adapters_of(net))


def adapters_of(net: Net) -> Iterator[tuple[str, Any]]:
    """Yield a network's changes as the engine has them."""
    for path, found in net.items():
        up = found.up.float().cpu()
        points = (1,) * (found.down.dim() - 2)
        tensors = {
            "lora_up": up.view(*up.shape, *points),
            "lora_down": found.down.float().cpu(),
            "alpha": torch.tensor(found.alpha),
        }
        yield path, read(tensors)


def text_adapters(layers: dict[str, Layer], seed: int, rank: int = 32) -> Iterator[tuple[str, Any]]:
    """Yield a change for each of the engine's layers."""
    generator = torch.Generator().manual_seed(seed)
    for name, layer in layers.items():
        out, width = layer.module.weight.shape
        tensors = {
            "lora_up": torch.randn(out, rank, generator=generator) * 0.02,
            "lora_down": torch.randn(rank, width, generator=generator) / width**0.5,
            "alpha": torch.tensor(rank / 2),
        }
        yield name, read(tensors)


def plan_of(
    networks: Sequence[Network], view: ModelView, weights: Sequence[float], before: Plan | None = None
) -> Plan:
    """Return the plan of a stack of all networks with these weights, made after another one."""
    entries = tuple(
        Entry(network.name, weight=weight) for network, weight in zip(networks, weights, strict=True)
    )
    return make_plan(Stack(entries), networks, view, before)


def weights_at(count: int, number: int) -> list[float]:
    """The weights of a round: the first slider has moved, the others stand still."""
    return [0.5 + 0.01 * number, *(0.2 + 0.1 * index for index in range(1, count))]


def inputs(unet: Any, side: int, batch: int = 2) -> dict[str, Any]:
    """What a step of a `side × side` latent is given."""
    dtype, device = unet.dtype, unet.device
    generator = torch.Generator().manual_seed(0)

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).to(device, dtype)

    given = {
        "sample": noise(batch, 4, side, side),
        "timestep": torch.full((batch,), 500, device=device),
        "encoder_hidden_states": noise(batch, 77, unet.config.cross_attention_dim),
    }
    if unet.config.addition_embed_type:
        given["added_cond_kwargs"] = {"text_embeds": noise(batch, 1280), "time_ids": noise(batch, 6)}
    return given
