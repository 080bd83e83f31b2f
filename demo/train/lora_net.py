"""LoRA layers on a painter, named as kohya's trainer names them for SD1."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import nn

from demo.train.models import Painter

RES_PARTS = {"conv1": ("in_layers", 2), "time_emb_proj": ("emb_layers", 1), "conv2": ("out_layers", 3)}


def transformer_layers(prefix: str, block: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """One SpatialTransformer."""
    yield f"{prefix}_proj_in", block.proj_in
    yield f"{prefix}_proj_out", block.proj_out
    inner, inside = block.transformer_blocks[0], f"{prefix}_transformer_blocks_0"
    for name in ("attn1", "attn2"):
        attention = getattr(inner, name)
        for part in ("to_q", "to_k", "to_v"):
            yield f"{inside}_{name}_{part}", getattr(attention, part)
        yield f"{inside}_{name}_to_out_0", attention.to_out[0]
    yield f"{inside}_ff_net_0_proj", inner.ff.net[0].proj
    yield f"{inside}_ff_net_2", inner.ff.net[2]


def residual_layers(prefix: str, block: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """One ResBlock: what makes a LoRA a LoCon."""
    for name, (part, place) in RES_PARTS.items():
        yield f"{prefix}_{name}", getattr(block, part)[place]
    if isinstance(block.skip_connection, nn.Conv2d):
        yield f"{prefix}_conv_shortcut", block.skip_connection


def unet_layers(unet: nn.Module, convolutions: bool) -> Iterator[tuple[str, nn.Module]]:
    """Every layer of the UNet that a LoRA changes, with its name in Diffusers' numbering."""
    places = [
        (f"down_blocks_{(n - 1) // 3}", (n - 1) % 3, block) for n, block in enumerate(unet.input_blocks) if n
    ]
    places += [(f"up_blocks_{n // 3}", n % 3, block) for n, block in enumerate(unet.output_blocks)]
    for prefix, number, block in places:
        for layer in block:
            if type(layer).__name__ == "SpatialTransformer":
                yield from transformer_layers(f"lora_unet_{prefix}_attentions_{number}", layer)
            elif convolutions and type(layer).__name__ == "ResBlock":
                yield from residual_layers(f"lora_unet_{prefix}_resnets_{number}", layer)
    yield from transformer_layers("lora_unet_mid_block_attentions_0", unet.middle_block[1])
    if convolutions:
        yield from residual_layers("lora_unet_mid_block_resnets_0", unet.middle_block[0])
        yield from residual_layers("lora_unet_mid_block_resnets_1", unet.middle_block[2])


def text_layers(text: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Every layer of the text model that a LoRA changes."""
    for number, layer in enumerate(getattr(text, "text_model", text).encoder.layers):
        prefix = f"lora_te_text_model_encoder_layers_{number}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield f"{prefix}_self_attn_{part}", getattr(layer.self_attn, part)
        yield f"{prefix}_mlp_fc1", layer.mlp.fc1
        yield f"{prefix}_mlp_fc2", layer.mlp.fc2


def layers_of(painter: Painter, convolutions: bool = True) -> dict[str, nn.Module]:
    return dict((*unet_layers(painter.unet, convolutions), *text_layers(painter.text)))


@dataclass
class Dial:
    """The multiplier of every picture in the batch, (batch,)."""

    strength: torch.Tensor = field(default_factory=lambda: torch.ones(1))


class LowRank(nn.Module):
    """Down to `rank`, up again; starts as no change."""

    def __init__(self, layer: nn.Module, rank: int) -> None:
        super().__init__()
        self.down: nn.Module
        self.up: nn.Module
        if isinstance(layer, nn.Conv2d):
            shape = {"stride": layer.stride, "padding": layer.padding, "bias": False}
            self.down = nn.Conv2d(layer.in_channels, rank, layer.kernel_size, **shape)
            self.up = nn.Conv2d(rank, layer.out_channels, 1, bias=False)
        else:
            self.down = nn.Linear(layer.in_features, rank, bias=False)
            self.up = nn.Linear(rank, layer.out_features, bias=False)
        nn.init.kaiming_uniform_(self.down.weight, a=math.sqrt(5))
        nn.init.zeros_(self.up.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.up(self.down(x))


class Lora(nn.Module):
    """Low-rank changes hooked onto a frozen painter, with one multiplier per picture."""

    def __init__(self, painter: Painter, rank: int, conv_rank: int = 0) -> None:
        super().__init__()
        self.dial = Dial()
        self.changes = nn.ModuleDict()
        for name, layer in layers_of(painter, conv_rank > 0).items():
            change = LowRank(layer, conv_rank if "_resnets_" in name else rank)
            self.changes[name] = change
            layer.register_forward_hook(self.hook(change))

    def hook(self, change: LowRank):
        def add(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
            strength = self.dial.strength.view(-1, *[1] * (output.ndim - 1))
            return output + strength * change(inputs[0])

        return add

    def tensors(self, alpha: float = 1.0) -> dict[str, torch.Tensor]:
        """kohya's names, fp16; `alpha`, as a share of the rank, is the file's scale."""
        out: dict[str, torch.Tensor] = {}
        for name, change in self.changes.items():
            out[f"{name}.lora_down.weight"] = change.down.weight.detach().half().contiguous()
            out[f"{name}.lora_up.weight"] = change.up.weight.detach().half().contiguous()
            out[f"{name}.alpha"] = torch.tensor(alpha * change.down.weight.shape[0]).half()
        return out
