"""Which family tensors belong to, and tensors of several or none."""

from __future__ import annotations

import pytest
import torch

from lib_lora.adapters import FAMILIES, find_family, fits, fits_widened, on_device
from lib_lora.adapters.base import ANY
from lib_lora.errors import AdapterError
from tests.adapters.table import draw_dora, draw_loha


def test_no_mark_is_of_two_families() -> None:
    marks = [mark for family in FAMILIES for mark in family.marks]
    assert len(marks) == len(set(marks))


@pytest.mark.parametrize("roles", [(), ("alpha",), ("weight",), ("weight", "bias")], ids=str)
def test_a_models_own_tensors_are_no_change(roles: tuple[str, ...]) -> None:
    assert find_family(roles) is None


@pytest.mark.parametrize(
    ("roles", "told"),
    [
        (("lora_up", "lora_down", "hada_w1_a"), "mixes LoRA with hada_w1_a"),
        (("lora_up", "lora_down", "diff"), "mixes LoRA with diff"),
        (("w_norm", "dora_scale"), "mixes DoRA with w_norm"),
        (("w_norm", "alpha"), "mixes norm layer with alpha"),
        (("rescale",), "only rescale"),
        (("scale",), "only scale"),
    ],
    ids=str,
)
def test_tensors_that_do_not_belong_together_are_named(roles: tuple[str, ...], told: str) -> None:
    with pytest.raises(AdapterError, match=told):
        find_family(roles)


@pytest.mark.parametrize(
    ("made_for", "host", "fit"),
    [
        ((4, 6), (4, 6), True),
        ((4, 6), (4, 6, 1, 1), True),
        ((4, 18), (4, 2, 3, 3), True),
        ((4, 18), (4, 3, 3, 3), False),
        ((4, 2, 3, 3), (4, 2, 3, 3), True),
        ((4, 2, 3, 3), (4, 18), False),
        ((4, ANY), (4, 2, 3, 3), True),
        ((4, ANY), (5, 2), False),
        ((ANY, 2, ANY), (9, 2), True),
        ((ANY, 2, ANY), (9, 2, 3, 3), True),
        ((ANY, 18), (9, 2, 3, 3), True),
        ((ANY, 18), (9, 2), False),
        ((4,), (4,), True),
        ((4,), (4, 1), False),
    ],
    ids=str,
)
def test_shapes_that_fit(made_for: tuple[int, ...], host: tuple[int, ...], fit: bool) -> None:
    assert fits(made_for, host) is fit


@pytest.mark.parametrize(
    ("made_for", "host", "fit"),
    [
        ((8, 4, 3, 3), (8, 9, 3, 3), True),
        ((8, 4, 3, 3), (8, 4, 3, 3), False),
        ((8, 36), (8, 9, 3, 3), True),
        ((8, 37), (8, 9, 3, 3), False),
        ((8, 4), (8, 9, 1, 1), True),
        ((7, 4, 3, 3), (8, 9, 3, 3), False),
        ((8, 4), (8, 9), False),
        ((8, ANY), (8, 9, 3, 3), False),
        ((ANY, 4, ANY), (8, 9, 3, 3), True),
        ((ANY, 9, ANY), (8, 9, 3, 3), False),
        ((ANY, 36), (8, 9, 3, 3), False),
    ],
    ids=str,
)
def test_hosts_with_more_inputs(made_for: tuple[int, ...], host: tuple[int, ...], fit: bool) -> None:
    assert fits_widened(made_for, host) is fit


def test_an_adapter_moves_with_all_its_tensors() -> None:
    tensors = draw_dora(draw_loha, "out")((24, 16))
    adapter = find_family(tensors).read(tensors)
    assert on_device(adapter, torch.device("cpu")) is adapter
    moved = on_device(adapter, torch.device("meta"))
    inside = moved.inner
    assert {tensor.device.type for tensor in (moved.lengths, *inside.ups, *inside.downs)} == {"meta"}
    assert adapter.lengths.device.type == "cpu"
