"""A plain sampler for measuring: DDIM with classifier-free guidance, decoded by the shipped autoencoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from demo.train.lora_net import layers_of
from demo.train.models import KL, SCALE_FACTOR, Autoencoder, Painter, Words, make_alphas
from demo.train.pictures import to_pictures


@dataclass(frozen=True)
class Model:
    """A loaded checkpoint."""

    painter: Painter
    autoencoder: Autoencoder
    words: Words


def load_model(path: Path) -> Model:
    """Read a checkpoint written by export.py, in fp32; every key must fit."""
    weights = load_file(path)

    def part(prefix: str) -> dict[str, torch.Tensor]:
        return {k[len(prefix) :]: v.float() for k, v in weights.items() if k.startswith(prefix)}

    painter, autoencoder = Painter(), Autoencoder(KL)
    painter.unet.load_state_dict(part("model.diffusion_model."))
    autoencoder.load_state_dict(part("first_stage_model."))
    own = painter.text.state_dict()
    head = "text_model." if any(name.startswith("text_model.") for name in own) else ""
    text = {head + k: v for k, v in part("cond_stage_model.transformer.text_model.").items()}
    painter.text.load_state_dict({**{k: v for k, v in own.items() if "position_ids" in k}, **text})
    return Model(painter.eval().requires_grad_(False), autoencoder.eval().requires_grad_(False), Words())


@torch.no_grad()
def sample_latents(
    painter: Painter,
    words: Words,
    prompts: Sequence[str],
    seeds: Sequence[int],
    steps: int = 20,
    cfg: float = 5.0,
    size: int = 16,
) -> torch.Tensor:
    """(prompts, 4, size, size) at the UNet's scale."""
    count, alphas = len(prompts), make_alphas()
    x = torch.cat(
        [torch.randn(1, 4, size, size, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    )
    context = painter.context(words([*[""] * count, *prompts]))
    times = torch.linspace(len(alphas) - 1, 0, steps + 1).round().long()[:-1].tolist()
    for place, time in enumerate(times):
        here = alphas[time]
        there = alphas[times[place + 1]] if place + 1 < len(times) else torch.tensor(1.0)
        away, towards = painter.unet(
            torch.cat([x, x]), torch.full((2 * count,), time), context=context
        ).chunk(2)
        v = away + cfg * (towards - away)
        noise = (1 - here).sqrt() * x + here.sqrt() * v
        clean = here.sqrt() * x - (1 - here).sqrt() * v
        x = there.sqrt() * clean + (1 - there).sqrt() * noise
    return x


@torch.no_grad()
def paint(
    model: Model, prompts: Sequence[str], seeds: Sequence[int], steps: int = 20, cfg: float = 5.0
) -> np.ndarray:
    """Pictures, uint8 (prompts, 128, 128, 3)."""
    out = []
    for n in range(0, len(prompts), 12):
        latents = sample_latents(
            model.painter, model.words, prompts[n : n + 12], seeds[n : n + 12], steps, cfg
        )
        out += [to_pictures(model.autoencoder.decode(z[None] / SCALE_FACTOR))[0] for z in latents]
    return np.stack(out)


@contextmanager
def with_loras(painter: Painter, loras: Sequence[tuple[Path, float]]) -> Iterator[None]:
    """LoRA files merged into the painter's weights for a while; the weights come back as they were."""
    layers = layers_of(painter)
    kept = {name: layer.weight.detach().clone() for name, layer in layers.items()}
    try:
        for path, weight in loras:
            tensors = load_file(path)
            for name, layer in layers.items():
                if f"{name}.lora_up.weight" not in tensors:
                    continue
                up, down = (tensors[f"{name}.lora_{part}.weight"].float() for part in ("up", "down"))
                scale = weight * float(tensors[f"{name}.alpha"]) / down.shape[0]
                layer.weight.data += scale * (up.flatten(1) @ down.flatten(1)).reshape(layer.weight.shape)
        yield
    finally:
        for name, layer in layers.items():
            layer.weight.data.copy_(kept[name])
