"""Drawn pictures as tensors."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from demo.world.concepts import CONCEPTS
from demo.world.render import draw_figure, render
from demo.world.spec import Details, Spec, draw_details, draw_spec
from demo.world.words import SLOTS


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


@dataclass(frozen=True)
class Batch:
    """Specs, their details, and pictures at art size (count, 3, 32, 32)."""

    specs: list[Spec]
    details: list[Details]
    pictures: torch.Tensor

    def figures(self) -> torch.Tensor:
        """1 where a figure stands, (count, 1, 32, 32)."""
        return _masks(draw_figure(s, d)[..., 3] > 0 for s, d in zip(self.specs, self.details, strict=True))

    def telling(self, rng: random.Random) -> torch.Tensor:
        """1 where another person, pose or thing in the hand would show, (count, 1, 32, 32)."""
        return _masks(_telling(s, d, rng) for s, d in zip(self.specs, self.details, strict=True))


def draw_batch(count: int, rng: random.Random) -> Batch:
    """Fresh specs and their pictures."""
    drawn = [(draw_spec(rng), draw_details(rng)) for _ in range(count)]
    pictures = [render(spec, details) for spec, details in drawn]
    return Batch([s for s, _ in drawn], [d for _, d in drawn], to_tensor(np.stack(pictures)))


def _telling(spec: Spec, details: Details, rng: random.Random) -> np.ndarray:
    figure, differs = draw_figure(spec, details), np.zeros((32, 32), bool)
    for slot in ("who", "pose", "item"):
        other = rng.choice([value for value in SLOTS[slot] if value != getattr(spec, slot)])
        differs |= (draw_figure(replace(spec, **{slot: other}), details) != figure).any(-1)
    return differs


def _masks(masks: Iterable[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack(list(masks)))[:, None].float()


def grid(pictures: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Pictures side by side in rows, uint8."""
    rows = [np.concatenate(pictures[n : n + columns], 1) for n in range(0, len(pictures), columns)]
    return np.concatenate(rows, 0)


def psnr(pictures: torch.Tensor, truth: torch.Tensor) -> float:
    """Mean decibels over pictures in -1..1."""
    return float((10 * torch.log10(4 / ((pictures - truth) ** 2).mean((1, 2, 3)))).mean())
