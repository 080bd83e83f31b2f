"""A layer with our weight computes exactly what its class would compute with that weight."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from ldm.modules.diffusionmodules.util import GroupNorm32
from torch import Tensor, nn

from lib_lora.engine.forwards import computation, compute_merged
from lib_lora.engine.merged import MergedWeight
from lib_lora.engine.view import layer_kind

LAYERS: tuple[tuple[str, Callable[[], nn.Module], tuple[int, ...]], ...] = (
    ("linear", lambda: nn.Linear(8, 6), (3, 8)),
    ("linear without bias", lambda: nn.Linear(8, 6, bias=False), (3, 8)),
    ("conv", lambda: nn.Conv2d(8, 6, 3, stride=2, padding=1), (2, 8, 5, 5)),
    ("conv in a circle", lambda: nn.Conv2d(8, 6, 3, padding=1, padding_mode="circular"), (2, 8, 5, 5)),
    ("group norm", lambda: nn.GroupNorm(2, 8), (2, 8, 5, 5)),
    ("group norm of the UNet", lambda: GroupNorm32(2, 8), (2, 8, 5, 5)),
    ("layer norm", lambda: nn.LayerNorm(8), (3, 8)),
)
BY_LAYER = pytest.mark.parametrize(
    ("make", "size"), [row[1:] for row in LAYERS], ids=[row[0] for row in LAYERS]
)


def ours(module: nn.Module, weight: Tensor, bias: Tensor | None, x: Tensor) -> Tensor:
    merged = MergedWeight()
    merged.weight, merged.bias = weight, bias
    kind = layer_kind(module)
    assert kind is not None
    return compute_merged(computation(kind), module, merged, x)


@BY_LAYER
@torch.no_grad()
def test_the_same_bits_as_the_class(make: Callable[[], nn.Module], size: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    module, other, x = make(), make(), torch.randn(size)
    other.load_state_dict({name: tensor + 0.3 for name, tensor in module.state_dict().items()})
    bias = None if other.bias is None else other.bias.detach()
    assert torch.equal(ours(module, other.weight.detach(), bias, x), other(x))
    if bias is not None:
        kept_bias = other(x) if module.bias is None else ours(module, other.weight.detach(), None, x)
        assert not torch.equal(kept_bias, other(x))


@BY_LAYER
@torch.no_grad()
def test_a_16_bit_weight_meets_a_32_bit_input(make: Callable[[], nn.Module], size: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    module, x = make().half(), torch.randn(size)
    wide = make()
    wide.load_state_dict({name: tensor.float() for name, tensor in module.state_dict().items()})
    got = ours(module, module.weight.detach(), None, x)
    assert got.dtype == torch.float32
    assert torch.allclose(got, wide(x), atol=1e-6)


@torch.no_grad()
def test_under_autocast_the_class_and_we_agree() -> None:
    module, x = nn.Linear(8, 6), torch.randn(3, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got, want = ours(module, module.weight.detach(), None, x), module(x)
    assert got.dtype == want.dtype == torch.bfloat16
    assert torch.equal(got, want)
