"""Drawn pictures as tensors."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch

from demo.world.concepts import CONCEPTS
from demo.world.render import draw_figure, render
from demo.world.spec import Details, Spec, draw_details, draw_spec
from demo.world.words import POSES, WHO


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

    def telling(self) -> torch.Tensor:
        """1 where another person, pose, hat or thing in the hand would show, (count, 1, 32, 32)."""
        return self._masks(0)

    def figures(self) -> torch.Tensor:
        """1 where the figure stands, (count, 1, 32, 32)."""
        return self._masks(1)

    def _masks(self, which: int) -> torch.Tensor:
        pairs = zip(self.specs, self.details, strict=True)
        masks = [_places(s.who, s.hat, s.item, s.pose, d.dx, d.dy, d.cut)[which] for s, d in pairs]
        return torch.from_numpy(np.stack(masks))[:, None].float()


def draw_batch(count: int, rng: random.Random) -> Batch:
    """Fresh specs and their pictures."""
    drawn = [(draw_spec(rng), draw_details(rng)) for _ in range(count)]
    pictures = [render(spec, details) for spec, details in drawn]
    return Batch([s for s, _ in drawn], [d for _, d in drawn], to_tensor(np.stack(pictures)))


@cache
def _places(
    who: str, hat: str, item: str, pose: str, dx: int, dy: int, cut: int
) -> tuple[np.ndarray, np.ndarray]:
    """Where the figure differs from the other person, and from itself bare or posed; where it stands."""
    spec = Spec(who, "light", "red", "blue", "green", hat, item, pose, "meadow")
    details, differs = Details(dx, dy, cut), np.zeros((32, 32), bool)
    figure = draw_figure(spec, details)
    others = [("who", value) for value in WHO] + [("hat", ""), ("item", "")] + [("pose", p) for p in POSES]
    for slot, value in others:
        other = draw_figure(replace(spec, **{slot: value}), details)
        differs |= (other != figure).any(-1)
    return differs, figure[..., 3] > 0


def grid(pictures: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Pictures side by side in rows, uint8."""
    rows = [np.concatenate(pictures[n : n + columns], 1) for n in range(0, len(pictures), columns)]
    return np.concatenate(rows, 0)


def psnr(pictures: torch.Tensor, truth: torch.Tensor) -> float:
    """Mean decibels over pictures in -1..1."""
    return float((10 * torch.log10(4 / ((pictures - truth) ** 2).mean((1, 2, 3)))).mean())
