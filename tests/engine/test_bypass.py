"""Computing beside a layer gives what merging gives, and works where merging cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from lib_lora.adapters import WEIGHT, find_family
from lib_lora.engine.arithmetic import exact_arithmetic
from lib_lora.engine.bypass import Bypass
from lib_lora.engine.forwards import computation, compute_merged
from lib_lora.engine.merged import MergedWeight
from lib_lora.engine.scratch import Scratch
from lib_lora.engine.view import CONV, LINEAR, Layer
from lib_lora.errors import EngineError
from lib_lora.plan import Contribution
from tests.adapters.table import CASES, Case
from tests.engine.changes import Doubling, change, lora

LAYERS: tuple[tuple[str, Callable[[], nn.Module], tuple[int, ...]], ...] = (
    ("linear", lambda: nn.Linear(24, 16), (2, 7, 24)),
    ("linear without bias, one row", lambda: nn.Linear(24, 16, bias=False), (24,)),
    ("conv 1x1", lambda: nn.Conv2d(12, 16, 1), (2, 12, 6, 5)),
    ("conv 3x3", lambda: nn.Conv2d(12, 16, 3, padding=1), (2, 12, 6, 5)),
    ("conv with stride", lambda: nn.Conv2d(12, 16, 3, stride=2, padding=1), (2, 12, 6, 5)),
    ("conv dilated", lambda: nn.Conv2d(12, 16, 3, dilation=2), (2, 12, 6, 5)),
    (
        "conv padded in a circle",
        lambda: nn.Conv2d(12, 16, 3, padding=1, padding_mode="circular"),
        (2, 12, 6, 5),
    ),
    (
        "conv channels last",
        lambda: nn.Conv2d(12, 16, 3, padding=1).to(memory_format=torch.channels_last),
        (2, 12, 6, 5),
    ),
)
BY_LAYER = pytest.mark.parametrize(
    ("make", "size"), [row[1:] for row in LAYERS], ids=[row[0] for row in LAYERS]
)


def layer_of(module: nn.Module) -> Layer:
    return Layer("unet.out.2", CONV if isinstance(module, nn.Conv2d) else LINEAR, module)


def three(module: nn.Module) -> list[Contribution]:
    shape = tuple(module.weight.shape)
    return [
        change(lora(shape, rank=3, seed=1), shape, 0.7, "a"),
        change(lora(shape, rank=5, seed=2), shape, -0.4, "b"),
        change(lora(shape, rank=1, seed=3), shape, 1.3, "c"),
    ]


def merged_output(module: nn.Module, changes: list[Contribution], x: Tensor) -> Tensor:
    merged = MergedWeight()
    with exact_arithmetic([torch.device("cpu")]):
        merged.update(module, changes, Scratch())
    return compute_merged(computation(layer_of(module).kind), module, merged, x)


@BY_LAYER
@torch.no_grad()
def test_equals_merging_in_float32(make: Callable[[], nn.Module], size: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    module, x = make(), torch.randn(size)
    changes = three(module)
    beside = Bypass(layer_of(module), changes).add_to(module(x), x)
    assert (beside - merged_output(module, changes, x)).abs().max() < 1e-5


@BY_LAYER
@torch.no_grad()
def test_in_half_precision_it_is_as_good_as_half_precision(
    make: Callable[[], nn.Module], size: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    module, x = make(), torch.randn(size)
    truth = merged_output(module, three(module), x)
    half = make().bfloat16()
    half.load_state_dict(module.state_dict())
    got = Bypass(layer_of(half), three(module)).add_to(half(x.bfloat16()), x.bfloat16())
    assert got.dtype == torch.bfloat16
    assert (got.float() - truth).abs().max() < 0.05 * truth.abs().max()


@torch.no_grad()
def test_neither_input_nor_output_is_written() -> None:
    module, x = nn.Linear(24, 16), torch.randn(3, 24)
    output = module(x)
    kept = x.clone(), output.clone()
    changed = Bypass(layer_of(module), three(module)).add_to(output, x)
    assert torch.equal(x, kept[0])
    assert torch.equal(output, kept[1])
    assert changed.data_ptr() != output.data_ptr()


@torch.no_grad()
def test_the_number_type_follows_the_output_when_it_changes() -> None:
    module, x = nn.Linear(24, 16), torch.randn(3, 24)
    beside = Bypass(layer_of(module), three(module))
    single = beside.add_to(module(x), x)
    half = beside.add_to(module(x).half(), x)  # under autocast the input may be wider than the output
    assert (single.dtype, half.dtype) == (torch.float32, torch.float16)
    assert torch.allclose(single, half.float(), atol=1e-2)
    assert torch.equal(beside.add_to(module(x), x), single)


@torch.no_grad()
@pytest.mark.parametrize("name", ["OFT with rescale", "BOFT", "(IA)³ on outputs"])
def test_what_acts_on_outputs_is_computed_in_float32_under_autocast(name: str) -> None:
    """A1111 samples under autocast, which brings products to 16 bits: BOFT fails on the mixture."""
    module, x = nn.Linear(16, 24), torch.randn(3, 16)
    tensors = next(case for case in CASES if case.name == name).draw((24, 16))
    beside = Bypass(layer_of(module), [change(find_family(tensors).read(tensors), (24, 16))])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = module(x)
        got = beside.add_to(output, x)
    assert got.dtype == output.dtype == torch.bfloat16
    assert torch.equal(got, beside.add_to(output, x))


class Compressed(nn.Module):
    """A linear layer that stores whole numbers, as quantising hosts do."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.step = layer.weight.abs().max() / 127
        self.weight = nn.Parameter((layer.weight / self.step).round().to(torch.int8), requires_grad=False)
        self.bias = layer.bias

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight * self.step, self.bias)


class CompressedConv(nn.Conv2d):
    """The same for a convolution."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__(layer.in_channels, layer.out_channels, 3, padding=1)
        self.step = layer.weight.abs().max() / 127
        self.weight = nn.Parameter((layer.weight / self.step).round().to(torch.int8), requires_grad=False)
        self.bias = layer.bias

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight * self.step, self.bias)


@torch.no_grad()
def test_a_compressed_weight_is_neither_read_nor_rounded_again() -> None:
    plain = nn.Linear(24, 16)
    module, x = Compressed(plain), torch.randn(3, 24)
    changes = three(plain)
    delta = sum(c.adapter.delta(plain.weight) * c.strength for c in changes)
    got = Bypass(Layer("unet.out.2", LINEAR, module), changes).add_to(module(x), x)
    assert torch.allclose(got, module(x) + x @ delta.t(), atol=1e-5)


@torch.no_grad()
def test_a_bias_change_is_added() -> None:
    module, x = nn.Conv2d(12, 16, 3, padding=1), torch.randn(1, 12, 4, 4)
    changes = three(module)
    shift = torch.arange(16.0)
    changes[0] = replace(changes[0], adapter=replace(changes[0].adapter, up_bias=shift))  # type: ignore[type-var]
    scale = changes[0].adapter.scale  # type: ignore[attr-defined]
    got = Bypass(layer_of(module), changes).add_to(module(x), x)
    plain = Bypass(layer_of(module), three(module)).add_to(module(x), x)
    assert torch.allclose(got - plain, (shift * scale * 0.7)[:, None, None].expand_as(got), atol=1e-5)


def test_a_family_that_has_to_read_a_compressed_weight_says_so() -> None:
    module = nn.Linear(24, 16)
    layer = Layer("unet.out.2", LINEAR, Compressed(module))
    with pytest.raises(EngineError, match=r"Doubling has to read the weight unet\.out\.2.*compress"):
        Bypass(layer, [change(Doubling((16, 24)), (16, 24))])


OUTSIDE = [case for case in CASES if "linear" in case.hosts]


@torch.no_grad()
@pytest.mark.parametrize("case", OUTSIDE, ids=[case.name for case in OUTSIDE])
def test_beside_a_compressed_weight_every_family_acts_or_says_why_not(case: Case) -> None:
    """What reads the weight itself is refused; outputs, inputs and what reads nothing can be had."""
    torch.manual_seed(7)
    plain = nn.Linear(16, 24)
    module, x = Compressed(plain), torch.randn(3, 16)
    tensors = case.draw((24, 16))
    adapter = find_family(tensors).read(tensors)
    found, layer = change(adapter, (24, 16), 0.7), Layer("unet.out.2", LINEAR, module)
    if adapter.reads == WEIGHT:
        with pytest.raises(EngineError, match="without compression"):
            Bypass(layer, [found])
        return
    stored = (module.weight * module.step).float()
    got = Bypass(layer, [found]).add_to(module(x), x)
    bias = adapter.bias(plain.bias)
    wanted = x @ (stored + 0.7 * adapter.delta(stored)).T + plain.bias + (0 if bias is None else 0.7 * bias)
    assert (got - wanted).abs().max() <= 2e-6 * wanted.abs().max()


class Eighth(nn.Module):
    """A linear layer that stores numbers of eight bits, as hosts with little memory do."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.weight = nn.Parameter(layer.weight.to(torch.float8_e4m3fn), requires_grad=False)
        self.bias = layer.bias

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight.to(x.dtype), self.bias)


@torch.no_grad()
@pytest.mark.parametrize(
    "name", ["DoRA on outputs", "GLoRA", "T-LoRA", "set_weight", "OFT of PEFT", "LoKr full ⊗ factors"]
)
def test_numbers_of_eight_bits_are_read_where_a_family_has_to(name: str) -> None:
    torch.manual_seed(10)
    case = next(case for case in CASES if case.name == name)
    module, x = Eighth(nn.Linear(16, 24)), torch.randn(3, 16)
    tensors = case.draw((24, 16))
    adapter = find_family(tensors).read(tensors)
    got = Bypass(Layer("unet.out.2", LINEAR, module), [change(adapter, (24, 16), 0.7)]).add_to(module(x), x)
    stored = module.weight.float()
    wanted = functional.linear(x, stored + 0.7 * adapter.delta(stored), module.bias)
    assert (got - wanted).abs().max() <= 2e-6 * wanted.abs().max()


@torch.no_grad()
@pytest.mark.parametrize("name", ["(IA)³ on inputs", "OFT", "BOFT with rescale", "LoKr Tucker", "LoHa"])
def test_kernels_too(name: str) -> None:
    """A convolution that stores whole numbers."""
    torch.manual_seed(8)
    case = next(case for case in CASES if case.name == name)
    plain = nn.Conv2d(16, 24, 3, padding=1)
    tensors = case.draw((24, 16, 3, 3))
    adapter = find_family(tensors).read(tensors)
    found, x = change(adapter, (24, 16, 3, 3), 0.7), torch.randn(2, 16, 5, 4)
    module = CompressedConv(plain)
    got = Bypass(Layer("unet.out.2", CONV, module), [found]).add_to(module(x), x)
    stored = module.weight * module.step
    wanted = plain._conv_forward(x, stored + 0.7 * adapter.delta(stored), plain.bias)
    assert (got - wanted).abs().max() <= 2e-6 * wanted.abs().max()


@torch.no_grad()
def test_families_of_all_kinds_stand_beside_one_layer() -> None:
    """In one stack, each as if alone."""
    torch.manual_seed(9)
    module, x = nn.Linear(16, 24), torch.randn(3, 16)
    changes = []
    for number, case in enumerate(OUTSIDE):
        tensors = case.draw((24, 16))
        changes.append(
            change(find_family(tensors).read(tensors), (24, 16), 0.1 * (-1) ** number, str(number))
        )
    got = Bypass(layer_of(module), changes).add_to(module(x), x)
    wanted = merged_output(module, changes, x)
    assert (got - wanted).abs().max() <= 5e-6 * wanted.abs().max()


@pytest.mark.parametrize("layer", [nn.Linear(6, 5), nn.Conv2d(6, 5, 3, padding=1)], ids=["linear", "conv"])
def test_an_output_of_ours_is_written_and_another_is_not(layer: nn.Module) -> None:
    shape = tuple(layer.weight.shape)
    kind = CONV if len(shape) == 4 else LINEAR
    x = torch.randn(2, 6, 4, 4) if kind == CONV else torch.randn(2, 3, 6)
    with torch.no_grad():
        bypass = Bypass(Layer("unet.out.2", kind, layer), [change(lora(shape), shape)])
        output = layer(x)
        before = output.clone()
        changed = bypass.add_to(output, x)
        assert torch.equal(output, before)
        written = bypass.add_to(output, x, ours=True)
        assert written.data_ptr() == output.data_ptr()
        assert torch.equal(written, changed)


def test_an_output_that_is_the_input_is_never_written() -> None:
    layer, shape = nn.Linear(6, 6), (6, 6)
    x = torch.randn(3, 6)
    before = x.clone()
    with torch.no_grad():
        Bypass(Layer("unet.out.2", LINEAR, layer), [change(lora(shape), shape)]).add_to(x, x, ours=True)
    assert torch.equal(x, before)


def test_what_was_read_of_a_layer_is_read_again_once_it_was_written_but_not_for_being_moved() -> None:
    """Hosts write networks of their own into weights in the middle of a run, and move them at every step."""
    for read, of in (("weight", Doubling((16, 24))), ("bias", Doubling((16, 24), bias_shift=0.5))):
        module = nn.Linear(24, 16)
        bypass = Bypass(layer_of(module), [change(of, (16, 24), 0.5)])
        parameter = getattr(module, read)
        parameter.data = parameter.data.clone()
        assert bypass.follows()
        with torch.no_grad():
            parameter.mul_(2)
        assert not bypass.follows()
    module = nn.Linear(24, 16)
    bypass = Bypass(layer_of(module), three(module))
    with torch.no_grad():
        module.weight.mul_(2)
    assert bypass.follows()  # what reads nothing need not be made anew
