"""Merging into 16 bits by 16-bit products: as exact as rounding once, or not done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from lib_lora.engine import narrow
from lib_lora.engine.arithmetic import exact_arithmetic
from lib_lora.engine.merged import MergedWeight
from lib_lora.engine.narrow import SMALL_BESIDE, stays_in_range, suits_16_bits
from lib_lora.engine.scratch import Scratch
from lib_lora.errors import EngineError
from lib_lora.plan import Contribution
from tests.engine.changes import change, exact, lora

SHAPE = (96, 160)
HALVES = pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["fp16", "bf16"])


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this processor do what a graphics card does."""
    monkeypatch.setattr(narrow, "WIDE_ONLY", ())


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def norm(tensor: Tensor) -> float:
    return float(torch.linalg.vector_norm(tensor.double()))


def linear(dtype: torch.dtype) -> tuple[nn.Module, float]:
    layer = nn.Linear(SHAPE[1], SHAPE[0]).to(dtype)
    return layer, norm(layer.weight)


def stack(part: float, size: float, count: int = 8) -> list[Contribution]:
    """Changes of quite different strengths, together of norm `part` of `size`."""
    adapters = [lora(SHAPE, rank=4, seed=seed) for seed in range(count)]
    drawn = [change(adapter, SHAPE, 0.2 + 0.3 * row, str(row)) for row, adapter in enumerate(adapters)]
    times = part * size / norm(exact(torch.zeros(SHAPE), drawn))
    return [change(found.adapter, SHAPE, found.strength * times, str(found.network)) for found in drawn]


def merge(layer: nn.Module, changes: list[Contribution], merged: MergedWeight | None = None) -> Tensor:
    merged = merged or MergedWeight()
    with exact_arithmetic([torch.device("cpu")]):
        merged.update(layer, changes, Scratch())
    assert merged.weight is not None
    return merged.weight


def error(got: Tensor, want: Tensor) -> float:
    return norm(got.double() - want)


@HALVES
@pytest.mark.parametrize("part", [0.01, 0.05, 0.08, 0.3, 1.0])
def test_the_error_is_that_of_rounding_once(everywhere: None, dtype: torch.dtype, part: float) -> None:
    layer, size = linear(dtype)
    changes = stack(part, size)
    assert suits_16_bits(layer.weight, size, changes) == (part < SMALL_BESIDE)
    want = exact(layer.weight, changes)
    assert error(merge(layer, changes), want) <= 1.01 * error(want.to(dtype), want)


@HALVES
def test_channels_last_too(everywhere: None, dtype: torch.dtype) -> None:
    layer = nn.Conv2d(24, 48, 3).to(dtype=dtype, memory_format=torch.channels_last)
    shape, size = tuple(layer.weight.shape), norm(layer.weight)
    changes = [change(lora(shape, seed=seed), shape, 0.02 + 0.01 * seed, str(seed)) for seed in range(3)]
    assert suits_16_bits(layer.weight, size, changes)
    want, got = exact(layer.weight, changes), merge(layer, changes)
    assert got.stride() == layer.weight.stride()
    assert error(got, want) <= 1.01 * error(want.to(dtype), want)


@HALVES
@pytest.mark.parametrize("times", [1e-9, 1e6])
def test_factors_beyond_what_16_bits_hold_lose_nothing(
    everywhere: None, dtype: torch.dtype, times: float
) -> None:
    layer, size = linear(dtype)
    found = stack(0.05, size, 1)[0]
    adapter = found.adapter
    skewed = type(adapter)(adapter.up * times, adapter.down / times, adapter.scale, adapter.shape)
    changes = [change(skewed, SHAPE, found.strength)]
    want = exact(layer.weight, changes)
    assert error(merge(layer, changes), want) <= 1.01 * error(want.to(dtype), want)


@HALVES
def test_the_same_stack_has_the_same_bits_whatever_came_before(everywhere: None, dtype: torch.dtype) -> None:
    layer, size = linear(dtype)
    small, large = stack(0.05, size), stack(2.0, size)
    fresh = [merge(layer, changes).clone() for changes in (small, large)]
    merged = MergedWeight()
    for detour in (small[2:5], large, small[:1], large[3:], small[4:]):
        merge(layer, detour, merged)
        assert torch.equal(merge(layer, small, merged), fresh[0])
        assert torch.equal(merge(layer, large, merged), fresh[1])


@HALVES
def test_a_weight_beyond_the_range_is_noticed_without_looking_where_none_is(
    everywhere: None, dtype: torch.dtype
) -> None:
    layer = nn.Linear(SHAPE[1], SHAPE[0]).to(dtype)
    limit = torch.finfo(dtype).max
    changes = stack(0.05, 1.0)
    assert stays_in_range(dtype, 1.0, changes)
    assert not stays_in_range(dtype, limit, changes)
    layer.weight.fill_(limit * 0.999)
    far = [change(lora(SHAPE), SHAPE, limit / 10)]
    with pytest.raises(EngineError, match="smaller weights"):
        merge(layer, far)


def test_wide_weights_and_processors_multiply_in_float32() -> None:
    changes = stack(0.01, 1.0)
    assert not suits_16_bits(torch.zeros(SHAPE), 1.0, changes)
    assert not suits_16_bits(torch.zeros(SHAPE).half(), 1.0, changes)
