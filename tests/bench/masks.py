"""What a mask costs beside the same change without one.

Processor time of calls unmasked and masked in turn, and the median of their ratios; the goal is 1.03. What is
not in it: for each region the attention to words is computed once more.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from lib_lora.engine.bypass import Bypass
from lib_lora.engine.masked import Masked
from lib_lora.engine.masks import Picture, box_mask
from lib_lora.engine.scope import Scope
from lib_lora.engine.view import CONV, LINEAR, Layer
from lib_lora.plan import Contribution
from lib_lora.stack.region import BOX, Region
from tests.bench.race import Row
from tests.engine.changes import lora

REGION = Region(BOX, box=(0, 0, 0.5, 1))
ROUNDS = 15
BLOCK = "input_blocks.1.1"
Kind = tuple[str, str, Callable[[], nn.Module], tuple[int, ...]]
LAYERS: tuple[Kind, ...] = (
    (
        "tokens 4096 × 320",
        f"unet.{BLOCK}.transformer_blocks.0.attn1.to_q",
        lambda: nn.Linear(320, 320),
        (2, 4096, 320),
    ),
    (
        "tokens 1024 × 640",
        f"unet.{BLOCK}.transformer_blocks.0.attn1.to_q",
        lambda: nn.Linear(640, 640),
        (2, 1024, 640),
    ),
    (
        "tokens 256 × 1280",
        f"unet.{BLOCK}.transformer_blocks.0.attn1.to_q",
        lambda: nn.Linear(1280, 1280),
        (2, 256, 1280),
    ),
    (
        "feed-forward 1024 × 640",
        f"unet.{BLOCK}.transformer_blocks.0.ff.net.0.proj",
        lambda: nn.Linear(640, 5120),
        (2, 1024, 640),
    ),
    (
        "convolution 64 × 64 × 320",
        "unet.input_blocks.1.0.in_layers.2",
        lambda: nn.Conv2d(320, 320, 3, padding=1),
        (2, 320, 64, 64),
    ),
)


def ratio(name: str, make: Callable[[], nn.Module], size: tuple[int, ...], rank: int = 16) -> float:
    """Median of masked over unmasked, for a layer with its own computation."""
    module = make()
    shape = tuple(module.weight.shape)
    adapter = lora(shape, rank=rank)
    layer = Layer(name, CONV if len(shape) == 4 else LINEAR, module)
    change = Contribution("a", adapter, adapter.factors(shape), 0.8)
    root = nn.Identity()
    scope = Scope(root, {REGION: box_mask(REGION.box, Picture(512, 512))})
    side = round(size[1] ** 0.5) if len(size) == 3 else size[-1]
    root(torch.zeros(2, 4, side, side))
    plain = Bypass(layer, [change])
    masked = Masked(layer, [Contribution("a", adapter, change.factors, 0.8, region=REGION)], scope)
    x = torch.randn(size)

    def timed(compute: Callable[[Tensor], Tensor]) -> float:
        start = time.process_time()
        compute(x)
        return time.process_time() - start

    without = lambda x: plain.add_to(module(x), x)  # noqa: E731
    within = lambda x: masked.add_to(module(x), x, lambda: module(x))  # noqa: E731
    timed(without), timed(within)
    return statistics.median(timed(within) / timed(without) for _ in range(ROUNDS))


def masked(layers: Iterable[Kind]) -> Iterator[Row]:
    """One row for each kind of layer."""
    for title, name, make, size in layers:
        yield Row("layer with a masked change / with an unmasked one", title, ratio(name, make, size), 1.03)
