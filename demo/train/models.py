"""The three networks in SD1's shapes but narrow (UNet, CLIP text model, KL-f8), and the noise schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from ldm.modules.diffusionmodules.model import Decoder, Encoder
from ldm.modules.diffusionmodules.openaimodel import UNetModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from demo.make_tokenizer import make_tokenizer

UNET: dict[str, Any] = {
    "image_size": 16,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 32,
    "attention_resolutions": [4, 2, 1],
    "num_res_blocks": 2,
    "channel_mult": [1, 2, 3, 4],
    "num_heads": 2,
    "use_spatial_transformer": True,
    "transformer_depth": 1,
    "context_dim": 64,
    "use_checkpoint": False,
    "legacy": False,
}
TEXT: dict[str, Any] = {
    "vocab_size": 49408,
    "hidden_size": 64,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 77,
    "bos_token_id": 49406,
    "eos_token_id": 49407,
    "pad_token_id": 49407,
    "hidden_act": "quick_gelu",
    "projection_dim": 64,
}
KL: dict[str, Any] = {
    "double_z": True,
    "z_channels": 4,
    "resolution": 128,
    "in_channels": 3,
    "out_ch": 3,
    "ch": 64,
    "ch_mult": [1, 1, 1, 1],
    "num_res_blocks": 1,
    "attn_resolutions": [],
    "dropout": 0.0,
}
LINEAR_START, LINEAR_END, TIMESTEPS = 0.00085, 0.0120, 1000
SCALE_FACTOR = 0.18215
FIRST, LAST, TOKENS = 49406, 49407, 77


def make_betas() -> torch.Tensor:
    return torch.linspace(LINEAR_START**0.5, LINEAR_END**0.5, TIMESTEPS, dtype=torch.float64) ** 2


def make_alphas() -> torch.Tensor:
    """alphas_cumprod, float32 (1000,)."""
    return torch.cumprod(1 - make_betas(), 0).float()


class Autoencoder(nn.Module):
    """SD1's first_stage_model: module names as in the single-file layout."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.encoder = Encoder(**config)
        self.decoder = Decoder(**config)
        self.quant_conv = nn.Conv2d(8, 8, 1)
        self.post_quant_conv = nn.Conv2d(4, 4, 1)

    def moments(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log variance, each (batch, 4, height/8, width/8)."""
        mean, log_variance = self.quant_conv(self.encoder(pictures)).float().chunk(2, 1)
        return mean, log_variance.clamp(-30, 20)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.post_quant_conv(latents))


class Words:
    """Prompts to token numbers, (batch, 77)."""

    def __init__(self) -> None:
        folder = make_tokenizer()
        self.tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
        self.known: dict[str, list[int]] = {}

    def __call__(self, prompts: Sequence[str]) -> torch.Tensor:
        rows = torch.full((len(prompts), TOKENS), LAST)
        rows[:, 0] = FIRST
        for row, prompt in zip(rows, prompts, strict=True):
            if prompt not in self.known:
                self.known[prompt] = self.tokenizer(prompt, add_special_tokens=False)["input_ids"][
                    : TOKENS - 2
                ]
            numbers = self.known[prompt]
            row[1 : 1 + len(numbers)] = torch.tensor(numbers, dtype=torch.long)
        return rows


class Painter(nn.Module):
    """UNet and text model, trained together."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = UNetModel(**UNET)
        self.text = CLIPTextModel(CLIPTextConfig(**TEXT))

    def context(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.text(input_ids=tokens).last_hidden_state

    def forward(self, latents: torch.Tensor, times: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        return self.unet(latents, times, context=self.context(tokens))
