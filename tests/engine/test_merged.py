"""Merging is exact, rounds once, reads the host's parameter and never writes it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from lib_lora.adapters import find_family
from lib_lora.engine.arithmetic import exact_arithmetic
from lib_lora.engine.merged import MergedWeight
from lib_lora.engine.scratch import Scratch
from lib_lora.errors import EngineError
from lib_lora.plan import Contribution
from tests.engine.changes import Doubling, DoublingInPlace, change, exact, lora

CPU = (torch.device("cpu"),)


def linear() -> nn.Module:
    return nn.Linear(24, 16)


def conv(kernel: int) -> nn.Module:
    return nn.Conv2d(12, 16, kernel, padding=kernel // 2)


def channels_last() -> nn.Module:
    return conv(3).to(memory_format=torch.channels_last)


def transposed() -> nn.Module:
    layer = linear()
    layer.weight = nn.Parameter(torch.randn(24, 16).t())
    assert not layer.weight.is_contiguous()
    return layer


LAYERS: tuple[tuple[str, Callable[[], nn.Module], bool], ...] = (
    ("linear", linear, False),
    ("linear stored transposed", transposed, False),
    ("conv 1x1", lambda: conv(1), False),
    ("conv 3x3", lambda: conv(3), False),
    ("conv 3x3 channels last", channels_last, False),
    ("Tucker 3x3", lambda: conv(3), True),
    ("Tucker 3x3 channels last", channels_last, True),
)
BY_LAYER = pytest.mark.parametrize(
    ("make", "tucker"), [row[1:] for row in LAYERS], ids=[row[0] for row in LAYERS]
)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def three(layer: nn.Module, tucker: bool = False) -> list[Contribution]:
    shape = tuple(layer.weight.shape)
    return [
        change(lora(shape, rank=3, seed=1, tucker=tucker), shape, 0.7, "a"),
        change(lora(shape, rank=5, seed=2, tucker=tucker), shape, -0.4, "b"),
        change(lora(shape, rank=1, seed=3, tucker=tucker), shape, 1.3, "c"),
    ]


def merge(layer: nn.Module, changes: list[Contribution], merged: MergedWeight | None = None) -> Tensor:
    merged = merged or MergedWeight()
    with exact_arithmetic(CPU):
        merged.update(layer, changes, Scratch())
    assert merged.weight is not None
    return merged.weight


@BY_LAYER
def test_float32_equals_the_formula(make: Callable[[], nn.Module], tucker: bool) -> None:
    layer = make()
    changes = three(layer, tucker)
    want = exact(layer.weight, changes)
    error = (merge(layer, changes).double() - want).abs().max() / want.abs().max()
    assert error < 1e-6


@BY_LAYER
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["fp16", "bf16"])
def test_16_bits_are_rounded_once(make: Callable[[], nn.Module], tucker: bool, dtype: torch.dtype) -> None:
    layer = make().to(dtype)
    changes = three(layer, tucker)
    want = exact(layer.weight, changes)
    got = merge(layer, changes)
    assert got.dtype == dtype
    # A sum in float32 is within 1e-6 of the truth, so it rounds to the truth's neighbour only beside a tie.
    best = want.to(dtype)
    assert (got != best).float().mean() < 0.01
    spacing = torch.finfo(dtype).eps * want.abs().clamp(min=torch.finfo(dtype).tiny)
    assert bool(((got.double() - want).abs() <= spacing * 0.501 + 1e-9).all())


def test_float64_stays_float64() -> None:
    layer = linear().double()
    changes = three(layer)
    want = exact(layer.weight, changes)
    assert (merge(layer, changes) - want).abs().max() < 1e-12


@BY_LAYER
def test_the_layout_is_the_hosts(make: Callable[[], nn.Module], tucker: bool) -> None:
    layer = make()
    merged = merge(layer, three(layer, tucker))
    if layer.weight.dim() == 4:
        assert merged.stride() == layer.weight.stride()
    assert merged.shape == layer.weight.shape


@BY_LAYER
def test_the_hosts_parameter_is_not_written(make: Callable[[], nn.Module], tucker: bool) -> None:
    layer = make()
    before, version = layer.weight.detach().clone(), layer.weight._version
    merged = merge(layer, three(layer, tucker))
    assert torch.equal(layer.weight, before)
    assert layer.weight._version == version
    assert merged.untyped_storage().data_ptr() != layer.weight.untyped_storage().data_ptr()


@given(st.lists(st.sampled_from([0.25, -0.5, 1.0, 0.3, 0.77]), min_size=3, max_size=3))
def test_the_bits_depend_on_the_stack_and_not_on_what_was_before(strengths: list[float]) -> None:
    torch.manual_seed(4)
    layer = linear()
    base = three(layer)
    wanted = [Contribution(c.network, c.adapter, c.factors, s) for c, s in zip(base, strengths, strict=True)]
    fresh = merge(layer, wanted).clone()
    merged = MergedWeight()
    for detour in (base, base[:1], base[1:], base[::2]):
        merge(layer, detour, merged)
    assert torch.equal(merge(layer, wanted, merged), fresh)


class Failing(Doubling):
    """Runs out of memory."""

    def delta(self, base: Tensor) -> Tensor:
        raise MemoryError


def test_a_merge_that_failed_half_way_is_not_taken_for_the_one_before() -> None:
    layer, merged = linear(), MergedWeight()
    shape, changes = tuple(layer.weight.shape), three(layer)
    first = merge(layer, changes, merged).clone()
    with pytest.raises(MemoryError):
        merge(layer, [*changes[:1], change(Failing(shape), shape)], merged)
    assert torch.equal(merge(layer, changes, merged), first)


def test_linear_in_strength() -> None:
    layer = conv(3)
    shape, adapter = tuple(layer.weight.shape), lora((16, 12, 3, 3))
    one = merge(layer, [change(adapter, shape, 1.0)]) - layer.weight
    for strength in (-1.0, 0.35, 2.0):
        part = merge(layer, [change(adapter, shape, strength)]) - layer.weight
        assert torch.allclose(part, one * strength, atol=2e-6)


def test_nothing_is_done_twice() -> None:
    layer, merged = linear(), MergedWeight()
    changes = three(layer)
    with exact_arithmetic(CPU):
        assert merged.update(layer, changes, Scratch())
        assert not merged.update(layer, changes, Scratch())
        assert not merged.update(layer, three(layer), Scratch())


def touch(layer: nn.Module) -> None:
    layer.weight.mul_(2)


def swap(layer: nn.Module) -> None:
    layer.weight = nn.Parameter(layer.weight.detach() * 2)


def move(layer: nn.Module) -> None:
    layer.weight.data = layer.weight.data * 2


def reload(layer: nn.Module) -> None:
    layer.load_state_dict({name: tensor * 2 for name, tensor in layer.state_dict().items()})


@pytest.mark.parametrize(
    "edit", [touch, swap, move, reload], ids=["written", "replaced", "moved", "reloaded"]
)
def test_a_changed_parameter_is_merged_anew(edit: Callable[[nn.Module], None]) -> None:
    layer, merged = linear(), MergedWeight()
    changes = three(layer)
    merge(layer, changes, merged)
    with torch.no_grad():
        edit(layer)
    assert not merged.follows(layer)
    want = exact(layer.weight, changes)
    assert torch.allclose(merge(layer, changes, merged).double(), want, atol=1e-6)


def test_a_weight_beyond_half_precision_is_refused_with_the_way_out() -> None:
    layer = linear().half()
    shape = tuple(layer.weight.shape)
    with pytest.raises(EngineError, match=r"half precision.*smaller weights"):
        merge(layer, [change(lora(shape), shape, 1e6)])


def test_other_families_see_the_hosts_weight_whatever_else_is_in_the_stack() -> None:
    layer = channels_last()
    shape = tuple(layer.weight.shape)
    low = change(lora(shape), shape, 0.5, "low")
    for family in (Doubling, DoublingInPlace):
        others = [change(family(shape), shape, 1.0, "x"), change(family(shape), shape, 0.5, "y")]
        want = exact(layer.weight, [low]) + 1.5 * layer.weight
        got = merge(layer, [low, *others])
        assert torch.allclose(got.double(), want, atol=1e-5)
        assert got.stride() == layer.weight.stride()
        assert torch.equal(merge(layer, others), layer.weight * 2.5)
        assert torch.allclose(merge(layer, others), merge(layer, others[::-1]), rtol=1e-6)


@pytest.mark.parametrize("family", [Doubling, DoublingInPlace], ids=["by delta", "in place"])
def test_other_families_are_rounded_once_too(family: type[Doubling]) -> None:
    layer = linear().bfloat16()
    shape = tuple(layer.weight.shape)
    got = merge(layer, [change(family(shape), shape, 0.3, name) for name in "xyz"])
    assert torch.equal(got, (layer.weight.double() * 1.9).bfloat16())


@pytest.mark.parametrize("family", [Doubling, DoublingInPlace], ids=["by delta", "in place"])
def test_other_families_keep_float64(family: type[Doubling]) -> None:
    layer = linear().double()
    shape = tuple(layer.weight.shape)
    got = merge(layer, [change(family(shape), shape, 0.5)])
    assert got.dtype == torch.float64
    assert (got - layer.weight * 1.5).abs().max() < 1e-7  # the change itself is made in float32


def test_a_bias_is_changed_and_the_hosts_is_not() -> None:
    layer, merged = linear(), MergedWeight()
    shape, before = tuple(layer.weight.shape), layer.bias.detach().clone()
    merge(layer, [change(Doubling(shape, bias_shift=2.0), shape, 0.5)], merged)
    assert merged.bias is not None
    assert torch.allclose(merged.bias, before + 0.5 * (2.0 + before))
    assert torch.equal(layer.bias, before)
    with torch.no_grad():
        layer.bias.add_(1)
    assert not merged.follows(layer)


def test_a_bias_beyond_half_precision_is_refused_too() -> None:
    layer = linear().half()
    shape = tuple(layer.weight.shape)
    with pytest.raises(EngineError, match="half precision"):
        merge(layer, [change(Doubling(shape, bias_shift=1e6), shape, 0.1)])


@pytest.mark.parametrize("kind", [torch.float8_e4m3fn, torch.float8_e5m2], ids=str)
def test_a_norm_stored_in_8_bits_is_changed_by_more_than_8_bits_can_tell(kind: torch.dtype) -> None:
    """Such a layer cannot be computed beside, and PyTorch has no arithmetic for its numbers."""
    layer, merged = nn.LayerNorm(6).to(kind), MergedWeight()
    norm = find_family(["w_norm"]).read({"w_norm": torch.full((6,), 0.01), "b_norm": torch.full((6,), 0.02)})
    merge(layer, [change(norm, (6,), 0.5)], merged)
    assert torch.allclose(merged.weight, torch.full((6,), 1.005))
    assert torch.allclose(merged.bias, torch.full((6,), 0.01))
    assert not merged.update(layer, [change(norm, (6,), 0.5)], Scratch())


def test_a_bias_can_come_where_there_was_none() -> None:
    layer, merged = nn.Linear(24, 16, bias=False), MergedWeight()
    shape = tuple(layer.weight.shape)
    merge(layer, [change(Doubling(shape, bias_shift=2.0), shape, 0.5)], merged)
    assert merged.bias is not None
    assert torch.equal(merged.bias, torch.full((16,), 1.0))


def test_our_weights_are_ordinary_tensors_even_inside_inference_mode() -> None:
    layer = linear()
    with torch.inference_mode():
        weight = merge(layer, three(layer))
    assert not weight.is_inference()


def test_a_parameter_born_in_inference_mode_can_be_merged_but_not_watched() -> None:
    with torch.inference_mode():
        layer = linear()
    merged = MergedWeight()
    weight = merge(layer, three(layer), merged)
    assert torch.allclose(weight.double(), exact(layer.weight, three(layer)), atol=1e-6)
    assert not merged.tracked
