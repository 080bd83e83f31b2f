"""A merged layer's shortcut: used where nothing else acts, right whatever the host does to the layer."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from types import MethodType

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from lib_lora.engine.attached import Attached
from lib_lora.engine.view import CONV, LINEAR, Layer, ModelView
from lib_lora.errors import EngineError
from lib_lora.plan import Contribution
from lib_lora.stack.schedule import Moment, read_schedule
from tests.engine.changes import Doubling, change, exact, lora


class Part(nn.Module):
    """A linear layer and a convolution, one after the other."""

    def __init__(self, bias: bool = True) -> None:
        super().__init__()
        self.linear = nn.Linear(6, 4, bias=bias)
        self.conv = nn.Conv2d(4, 5, 3, padding=1, stride=2, bias=bias)
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.linear(x)
        return self.conv(y.transpose(1, 2).reshape(len(y), -1, 4, 4))


def attached(part: Part, *changes: Contribution) -> Attached:
    layers = {
        "unet.linear": Layer("unet.linear", LINEAR, part.linear),
        "unet.conv": Layer("unet.conv", CONV, part.conv),
    }
    view = ModelView("sd1", "test", {"unet": part}, layers)
    found = Attached("unet", {})
    every = {name: changes or changes_of(layer.module) for name, layer in layers.items()}
    found.resume(view, every, "merged")
    return found


def changes_of(module: nn.Module) -> tuple[Contribution, ...]:
    shape = tuple(module.weight.shape)
    return (change(lora(shape), shape),)


def twin(part: Part) -> Part:
    """A part of the same numbers that nobody changes."""
    other = Part()
    for own, theirs in ((other.linear, part.linear), (other.conv, part.conv)):
        own.weight.copy_(theirs.weight)
        own.bias = None if theirs.bias is None else nn.Parameter(theirs.bias.clone(), requires_grad=False)
    return other


def expected(part: Part) -> Tensor:
    """What a part gives with weights merged by the formula."""
    other = twin(part)
    for module in (other.linear, other.conv):
        module.weight.copy_(exact(module.weight, changes_of(module)))
    result: Tensor = other(X)
    return result


X = torch.randn(2, 16, 6, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("bias", [True, False])
def test_it_is_taken_and_right(bias: bool) -> None:
    part = Part(bias)
    found = attached(part)
    for _ in range(3):
        assert torch.allclose(part(X), expected(part), atol=1e-5)
    assert all(patch.shortcut is not None for patch in found.patches)
    assert found.calls == 6, "every call is counted"


def other_bias(part: Part) -> None:
    part.linear.bias = nn.Parameter(torch.full((4,), 3.0), requires_grad=False)


def written_bias(part: Part) -> None:
    part.conv.bias.add_(1)


def moved_bias(part: Part) -> None:
    part.conv.bias.data = torch.full((5,), -2.0)


def no_bias(part: Part) -> None:
    part.linear.bias = None


def other_weight(part: Part) -> None:
    part.linear.weight = nn.Parameter(torch.ones(4, 6), requires_grad=False)


def written_weight(part: Part) -> None:
    part.conv.weight.mul_(2)


@pytest.mark.parametrize(
    "happens", [other_bias, written_bias, moved_bias, no_bias, other_weight, written_weight]
)
def test_what_the_host_does_to_a_layer_is_seen(happens: Callable[[Part], None]) -> None:
    part = Part()
    found = attached(part)
    part(X)
    happens(part)
    assert torch.allclose(part(X), expected(part), atol=1e-5)
    found.rest()
    assert torch.equal(part(X), twin(part)(X))


@pytest.mark.parametrize("happens", [other_weight, written_weight])
def test_it_is_seen_too_where_a_change_beside_the_layer_was_made_from_it(
    happens: Callable[[Part], None],
) -> None:
    part = Part()
    layers = {
        "unet.linear": Layer("unet.linear", LINEAR, part.linear),
        "unet.conv": Layer("unet.conv", CONV, part.conv),
    }
    changes = {
        name: (Contribution("d", Doubling(tuple(layer.module.weight.shape)), None, 0.5),)
        for name, layer in layers.items()
    }
    Attached("unet", {}).resume(ModelView("sd1", "test", {"unet": part}, layers), changes, "bypass")
    part(X)
    happens(part)
    other = twin(part)
    for module in (other.linear, other.conv):
        module.weight.mul_(1.5)
    assert torch.allclose(part(X), other(X), atol=1e-5)


@pytest.mark.parametrize("mode", ["merged", "bypass"])
def test_a_layer_that_has_more_inputs_by_now_is_told_of(mode: str) -> None:
    """IC-Light gives the first convolution further inputs when sampling begins."""
    part = Part()
    part.conv.weight = nn.Parameter(torch.ones(5, 8, 3, 3), requires_grad=False)
    view = ModelView("sd1", "test", {"unet": part}, {"unet.conv": Layer("unet.conv", CONV, part.conv)})
    shape = (5, 4, 3, 3)
    Attached("unet", {}).resume(view, {"unet.conv": (change(lora(shape), shape),)}, mode)
    with pytest.raises(EngineError, match="Another extension has changed the size"):
        part(X)


def test_another_number_type_goes_the_long_way() -> None:
    part = Part()
    attached(part)
    part(X)
    wide = part.linear(X.double())
    merged = exact(part.linear.weight, changes_of(part.linear))
    assert wide.dtype == torch.float64
    assert torch.allclose(wide, X.double() @ merged.t() + part.linear.bias.double(), atol=1e-5)


def test_a_bias_that_hides_the_parameter_goes_the_long_way() -> None:
    part = Part()
    vars(part.linear)["bias"] = torch.full((4,), 5.0)
    found = attached(part)
    merged = exact(part.linear.weight, changes_of(part.linear)).float()
    assert torch.allclose(part.linear(X), X @ merged.t() + 5, atol=1e-5)
    assert [patch.shortcut is None for patch in found.patches] == [True, False]


def test_an_attribute_that_says_there_is_no_bias_hinders_nothing() -> None:
    part = Part()
    del part.linear._parameters["bias"]
    part.linear.bias = None  # as Forge's own layers have it
    assert "bias" in vars(part.linear)
    found = attached(part)
    assert torch.allclose(part(X), expected(part), atol=1e-5)
    assert all(patch.shortcut is not None for patch in found.patches)
    later = nn.Parameter(torch.full((4,), 2.0), requires_grad=False)
    part.linear.bias = later
    assert torch.allclose(part(X), expected(part), atol=1e-5)


def test_a_convolution_pads_as_others_want_it_by_now() -> None:
    """Asymmetric tiling exchanges `_conv_forward` on the layers, perhaps when ours is on already."""
    part = Part()
    attached(part)
    plain = part(X)

    def wrapped_around(module: nn.Conv2d, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padded = functional.pad(x, (1, 1, 1, 1), mode="circular")
        return functional.conv2d(padded, weight, bias, module.stride)

    vars(part.conv)["_conv_forward"] = MethodType(wrapped_around, part.conv)
    tiled = part(X)
    del vars(part.conv)["_conv_forward"]
    other = twin(part)
    for module in (other.linear, other.conv):
        module.weight.copy_(exact(module.weight, changes_of(module)))
    vars(other.conv)["_conv_forward"] = MethodType(wrapped_around, other.conv)
    assert torch.allclose(tiled, other(X), atol=1e-5)
    assert torch.equal(part(X), plain)


def test_the_last_weight_is_given_back_before_the_next_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part()
    found = attached(part)
    part(X)
    assert found.patches[0].merged is not None and found.patches[0].merged.weight is not None
    before, alive = weakref.ref(found.patches[0].merged.weight), []
    own = torch.empty_like

    def asked(like: Tensor) -> Tensor:
        alive.append(before() is not None)
        return own(like)

    part.double()
    monkeypatch.setattr(torch, "empty_like", asked)
    part(X.double())
    assert alive[0] is False


def test_a_strength_that_changes_goes_the_long_way() -> None:
    part = Part()
    shape = tuple(part.linear.weight.shape)
    timed = Contribution("a", lora(shape), lora(shape).factors(shape), 0.7, schedule=read_schedule("0@0,1@1"))
    layers = {"unet.linear": Layer("unet.linear", LINEAR, part.linear)}
    found = Attached("unet", {})
    found.resume(ModelView("sd1", "test", {"unet": part}, layers), {"unet.linear": (timed,)}, "merged")
    for step in range(3):
        found.step(Moment(step, 3))
        strength = 0.7 * step / 2
        merged = exact(part.linear.weight, [change(lora(shape), shape, strength)]).float()
        found._before(part, ())
        assert torch.allclose(part.linear(X), X @ merged.t() + part.linear.bias, atol=1e-5)
        assert found.patches[0].shortcut is None


def test_who_keeps_our_forward_gets_the_layers_own_afterwards() -> None:
    part = Part()
    found = attached(part)
    part(X)
    kept = part.linear.forward
    found.rest()
    plain = X @ part.linear.weight.t() + part.linear.bias
    assert torch.allclose(kept(X), plain, atol=1e-6)


def test_nothing_of_the_model_is_held_afterwards() -> None:
    part = Part()
    found = attached(part)
    part(X)
    found.rest()
    gone = [weakref.ref(thing) for thing in (part.linear, part.linear.bias, part.conv, part.conv.bias)]
    del part
    gc.collect()
    assert [reference() for reference in gone] == [None] * 4
    assert found.patches
