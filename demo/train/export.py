"""Write the checkpoint: one fp16 file in SD1's single-file layout, its yaml and its text config."""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
from safetensors.torch import save_file

from demo.train.models import (
    KL,
    LINEAR_END,
    LINEAR_START,
    SCALE_FACTOR,
    TEXT,
    TIMESTEPS,
    UNET,
    Autoencoder,
    Painter,
    make_alphas,
    make_betas,
)

NOTE = "LoRA Stack demo: a small SD1-topology latent diffusion model of a drawn pixel-art world, 128x128"
YAML = """model:
  base_learning_rate: 1.0e-04
  target: ldm.models.diffusion.ddpm.LatentDiffusion
  params:
    parameterization: "v"
    linear_start: {start}
    linear_end: {end}
    num_timesteps_cond: 1
    timesteps: {times}
    first_stage_key: jpg
    cond_stage_key: txt
    image_size: 16
    channels: 4
    cond_stage_trainable: false
    conditioning_key: crossattn
    scale_factor: {scale}
    use_ema: false
    unet_config:
      target: ldm.modules.diffusionmodules.openaimodel.UNetModel
      params: {unet}
    first_stage_config:
      target: ldm.models.autoencoder.AutoencoderKL
      params:
        embed_dim: 4
        ddconfig: {kl}
        lossconfig: {{target: torch.nn.Identity}}
    cond_stage_config:
      target: ldm.modules.encoders.modules.FrozenCLIPEmbedder
      params: {{version: text_config, device: cpu}}
"""


def bake_scale(autoencoder: Autoencoder, scale: float) -> dict[str, torch.Tensor]:
    """The autoencoder's weights with latents rescaled, so that SD1's 0.18215 fits."""
    weights = {name: value.clone() for name, value in autoencoder.state_dict().items()}
    factor = scale / SCALE_FACTOR
    weights["quant_conv.weight"][:4] *= factor
    weights["quant_conv.bias"][:4] *= factor
    weights["quant_conv.bias"][4:] += 2 * math.log(factor)
    weights["post_quant_conv.weight"] /= factor
    return weights


def export(painter: Painter, autoencoder: Autoencoder, scale: float, folder: Path) -> Path:
    """Write FOLDER/tiny.safetensors, tiny.yaml and text_config/config.json; return the first."""
    named = {f"model.diffusion_model.{k}": v for k, v in painter.unet.state_dict().items()}
    named |= {f"first_stage_model.{k}": v for k, v in bake_scale(autoencoder, scale).items()}
    for name, value in painter.text.state_dict().items():
        if "position_ids" not in name:
            named[f"cond_stage_model.transformer.text_model.{name.removeprefix('text_model.')}"] = value
    half = {name: value.detach().half().contiguous().clone() for name, value in named.items()}
    half |= {"alphas_cumprod": make_alphas(), "betas": make_betas().float()}
    (folder / "text_config").mkdir(parents=True, exist_ok=True)
    path = folder / "tiny.safetensors"
    save_file(half, path, metadata={"format": "pt", "note": NOTE})
    yaml = YAML.format(
        start=LINEAR_START,
        end=LINEAR_END,
        times=TIMESTEPS,
        scale=SCALE_FACTOR,
        unet=json.dumps(UNET),
        kl=json.dumps(KL),
    )
    (folder / "tiny.yaml").write_text(yaml, encoding="utf-8")
    config = {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model", **TEXT}
    (folder / "text_config" / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    return path
