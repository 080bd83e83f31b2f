"""What a checkpoint is built like: its yaml, or the standard Stable Diffusion 1.5 when there is none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

SD15_UNET = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 320,
    "attention_resolutions": [4, 2, 1],
    "num_res_blocks": 2,
    "channel_mult": [1, 2, 4, 4],
    "num_heads": 8,
    "use_spatial_transformer": True,
    "transformer_depth": 1,
    "context_dim": 768,
    "use_checkpoint": False,
    "legacy": False,
}
SD15_VAE = {
    "double_z": True,
    "z_channels": 4,
    "resolution": 256,
    "in_channels": 3,
    "out_ch": 3,
    "ch": 128,
    "ch_mult": [1, 2, 4, 4],
    "num_res_blocks": 2,
    "attn_resolutions": [],
    "dropout": 0.0,
}
SD15_TEXT = {
    "vocab_size": 49408,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "max_position_embeddings": 77,
    "hidden_act": "quick_gelu",
    "projection_dim": 768,
    "bos_token_id": 49406,
    "eos_token_id": 49407,
    "pad_token_id": 49407,
}
PREDICTIONS = ("eps", "v")  # what a UNet can answer with


@dataclass(frozen=True)
class ModelConfig:
    """Everything needed to build the empty model; equal configs share one model object."""

    unet: dict = field(default_factory=lambda: dict(SD15_UNET))
    vae: dict = field(default_factory=lambda: dict(SD15_VAE))
    text: dict = field(default_factory=lambda: dict(SD15_TEXT))
    embed_dim: int = 4
    scale_factor: float = 0.18215
    linear_start: float = 0.00085
    linear_end: float = 0.0120
    timesteps: int = 1000
    parameterization: str = "eps"

    def __post_init__(self) -> None:
        if self.parameterization not in PREDICTIONS:
            known = " or ".join(PREDICTIONS)
            raise ValueError(
                f"A model that predicts '{self.parameterization}' cannot be drawn with: {known}."
            )


def _text_config(version: str | None, beside: Path) -> dict:
    """Read the CLIP config.json the yaml points to: as written, or beside the yaml."""
    if not version:
        return dict(SD15_TEXT)
    for folder in (Path(version), beside / version, beside / Path(version).name):
        path = folder / "config.json"
        if path.is_file():
            return json.loads(path.read_text(encoding="utf8"))
    return dict(SD15_TEXT)


def find_checkpoint_config(filename: str) -> ModelConfig:
    """The config of NAME.yaml beside NAME.safetensors, or Stable Diffusion 1.5."""
    path = Path(filename).with_suffix(".yaml")
    if not path.is_file():
        return ModelConfig()
    import yaml

    params = yaml.safe_load(path.read_text(encoding="utf8"))["model"]["params"]
    first_stage = params["first_stage_config"]["params"]
    text = params["cond_stage_config"].get("params") or {}
    unet = dict(params["unet_config"]["params"])
    unet["use_checkpoint"] = False
    return ModelConfig(
        unet=unet,
        vae=dict(first_stage["ddconfig"]),
        text=_text_config(text.get("version"), path.parent),
        embed_dim=int(first_stage["embed_dim"]),
        scale_factor=float(params.get("scale_factor", 0.18215)),
        linear_start=float(params.get("linear_start", 0.00085)),
        linear_end=float(params.get("linear_end", 0.0120)),
        timesteps=int(params.get("timesteps", 1000)),
        parameterization=str(params.get("parameterization", "eps")),
    )
