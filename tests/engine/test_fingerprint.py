"""A parameter that is not the one seen before is noticed; nothing keeps it alive."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest
import torch
from torch import nn

from lib_lora.engine.fingerprint import Fingerprint


def parameter() -> nn.Parameter:
    return nn.Parameter(torch.arange(6.0).reshape(2, 3))


def test_still_the_same() -> None:
    weight = parameter()
    seen = Fingerprint(weight)
    weight.detach().sum()
    assert seen.still(weight)


@torch.no_grad()
def write(weight: nn.Parameter) -> nn.Parameter:
    weight.add_(1)
    return weight


def write_in_inference_mode(weight: nn.Parameter) -> nn.Parameter:
    with torch.inference_mode():
        weight.add_(1)
    return weight


def move(weight: nn.Parameter) -> nn.Parameter:
    weight.data = weight.data.clone()
    return weight


def replace(weight: nn.Parameter) -> nn.Parameter:
    return nn.Parameter(weight.data)


@pytest.mark.parametrize(
    "edit", [write, write_in_inference_mode, move, replace], ids=lambda edit: edit.__name__
)
def test_a_change_is_noticed(edit: Callable[[nn.Parameter], nn.Parameter]) -> None:
    weight = parameter()
    seen = Fingerprint(weight)
    assert not seen.still(edit(weight))


def test_the_parameter_is_not_kept_alive() -> None:
    weight = parameter()
    watcher, seen = weakref.ref(weight), Fingerprint(weight)
    del weight
    gc.collect()
    assert watcher() is None
    assert not seen.still(parameter())


def test_tensors_of_inference_mode_count_no_versions() -> None:
    with torch.inference_mode():
        weight = torch.ones(2)
    seen = Fingerprint(weight)
    assert not seen.tracked
    assert seen.still(weight)
    assert Fingerprint(parameter()).tracked
