"""Starting noise: one CPU generator per picture, so that a seed means the same picture in any batch."""

from __future__ import annotations

import torch


def slerp(amount: float, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """Go from one noise to another on the sphere, so that the mixture stays noise of the same size."""
    low_norm = low / torch.norm(low, dim=1, keepdim=True)
    high_norm = high / torch.norm(high, dim=1, keepdim=True)
    dot = (low_norm * high_norm).sum(1)
    if dot.mean() > 0.9995:
        return low * (1 - amount) + high * amount
    omega = torch.acos(dot)
    sine = torch.sin(omega)
    first = (torch.sin((1.0 - amount) * omega) / sine).unsqueeze(1) * low
    return first + (torch.sin(amount * omega) / sine).unsqueeze(1) * high


class ImageRNG:
    """Noise for a batch: `first()` starts the picture, `next()` feeds samplers that add noise."""

    def __init__(
        self, shape, seeds, subseeds=None, subseed_strength=0.0, seed_resize_from_h=0, seed_resize_from_w=0
    ):
        self.shape = tuple(map(int, shape))
        self.seeds = seeds
        self.subseeds = subseeds
        self.subseed_strength = subseed_strength
        self.generators = [torch.Generator("cpu").manual_seed(int(seed)) for seed in seeds]
        self.is_first = True

    def first(self) -> torch.Tensor:
        """[batch, *shape] noise of the seeds, moved towards the variation seeds."""
        rows = []
        for index, generator in enumerate(self.generators):
            noise = torch.randn(self.shape, generator=generator)
            if self.subseeds is not None and self.subseed_strength != 0:
                other = torch.Generator("cpu").manual_seed(int(self.subseeds[index]))
                noise = slerp(self.subseed_strength, noise, torch.randn(self.shape, generator=other))
            rows.append(noise)
        return torch.stack(rows)

    def next(self) -> torch.Tensor:
        """The next noise of every picture."""
        if self.is_first:
            self.is_first = False
            return self.first()
        return torch.stack([torch.randn(self.shape, generator=generator) for generator in self.generators])
