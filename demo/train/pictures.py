"""Drawn pictures as tensors."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import torch

from demo.world.concepts import CONCEPTS
from demo.world.render import render
from demo.world.spec import Spec, draw_details, draw_spec


def to_tensor(pictures: np.ndarray) -> torch.Tensor:
    """(batch, height, width, 3) in 0..255 to (batch, 3, height, width) in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(pictures, np.float32)).permute(0, 3, 1, 2) / 127.5 - 1


def to_pictures(tensors: torch.Tensor) -> np.ndarray:
    """The way back, rounded to uint8."""
    return ((tensors.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def draw_pool(count: int, seed: int) -> np.ndarray:
    """Pictures for the autoencoders: the world, every concept and mixtures; uint8 (count, 32, 32, 3)."""
    rng, out = random.Random(f"pool {seed}"), np.empty((count, 32, 32, 3), np.uint8)
    names = tuple(CONCEPTS)
    for place in out:
        spec, details = draw_spec(rng), draw_details(rng)
        picture = render(spec, details)
        if rng.random() < 0.45:
            concept = rng.choice(names)
            changed = render(spec, details, concept)
            share = rng.choice((1.0, 1.0, rng.random()))
            picture = (picture * (1.0 - share) + changed * share).round().astype(np.uint8)
        place[:] = picture
    return out


def draw_batch(count: int, rng: random.Random) -> tuple[list[Spec], torch.Tensor]:
    """Fresh specs and their pictures at art size, (count, 3, 32, 32)."""
    specs, pictures = [], []
    for _ in range(count):
        specs.append(draw_spec(rng))
        pictures.append(render(specs[-1], draw_details(rng)))
    return specs, to_tensor(np.stack(pictures))


def grid(pictures: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Pictures side by side in rows, uint8."""
    rows = [np.concatenate(pictures[n : n + columns], 1) for n in range(0, len(pictures), columns)]
    return np.concatenate(rows, 0)


def psnr(pictures: torch.Tensor, truth: torch.Tensor) -> float:
    """Mean decibels over pictures in -1..1."""
    return float((10 * torch.log10(4 / ((pictures - truth) ** 2).mean((1, 2, 3)))).mean())
