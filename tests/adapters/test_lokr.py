"""LoKr by hand, its scale, and its incomplete files."""

from __future__ import annotations

import pytest
import torch

from lib_lora.adapters.lokr import read
from lib_lora.errors import AdapterError
from tests.adapters.table import CONV, draw_lokr


def test_by_hand() -> None:
    adapter = read({"lokr_w1": torch.tensor([[1.0, 2.0]]), "lokr_w2": torch.tensor([[3.0], [5.0]])})
    assert adapter.delta(torch.zeros(2, 2)).tolist() == [[3, 6], [5, 10]]
    assert adapter.shape == (2, 2)


def test_two_full_halves_are_never_scaled() -> None:
    tensors = {"lokr_w1": torch.ones(2, 2), "lokr_w2": torch.ones(2, 2), "alpha": torch.tensor(64.0)}
    adapter = read(tensors)
    assert adapter.rank is None
    assert adapter.delta(torch.zeros(4, 4)).unique().tolist() == [1]


def test_the_rank_of_w2_decides_the_scale() -> None:
    adapter = read(draw_lokr("factors", "factors", rank=1)((24, 16)))
    assert adapter.rank == 2
    assert adapter.scale == 1.5


def test_the_rank_of_w1_decides_where_w2_is_full() -> None:
    adapter = read(draw_lokr("factors", "full", rank=1)((24, 16)))
    assert adapter.rank == 1
    assert adapter.scale == 3


def test_the_shape_is_known_as_far_as_the_tensors_tell() -> None:
    assert read(draw_lokr("full", "full")(CONV)).shape == CONV
    assert read(draw_lokr("full", "factors")(CONV)).shape == (24, 144)
    assert read(draw_lokr("full", "factors")(CONV)).fits(CONV)
    assert not read(draw_lokr("full", "factors")(CONV)).fits((24, 15, 3, 3))


def test_input_channels_beyond_its_own_get_no_change() -> None:
    adapter = read(draw_lokr("full", "full")((24, 4, 3, 3)))
    change = adapter.delta(torch.zeros(24, 9, 3, 3))
    assert not change[:, 4:].any()
    out = torch.zeros(24, 9, 3, 3)
    adapter.add_to(out, out.clone(), 1.0)
    assert torch.allclose(out, change)


@pytest.mark.parametrize(
    ("first", "second", "missing"),
    [
        ("full", "factors", "lokr_w1"),
        ("full", "factors", "lokr_w2_a"),
        ("full", "factors", "lokr_w2_b"),
        ("full", "full", "lokr_w2"),
        ("factors", "full", "lokr_w1_a"),
        ("factors", "full", "lokr_w1_b"),
        ("full", "tucker", "lokr_w2_a"),
    ],
)
def test_a_missing_tensor_is_named(first: str, second: str, missing: str) -> None:
    tensors = draw_lokr(first, second)(CONV)
    del tensors[missing]
    with pytest.raises(AdapterError, match=f"{missing} is missing"):
        read(tensors)


def test_a_half_given_twice_is_refused() -> None:
    tensors = {**draw_lokr("full", "full")((24, 16)), "lokr_w2_a": torch.ones(6, 2)}
    with pytest.raises(AdapterError, match="lokr_w2 stands beside lokr_w2_a"):
        read(tensors)


def test_ranks_that_differ_are_refused() -> None:
    tensors = {**draw_lokr("full", "factors")((24, 16)), "lokr_w2_b": torch.ones(3, 4)}
    with pytest.raises(AdapterError, match=r"lokr_w2_a \[6, 2\] does not fit lokr_w2_b \[3, 4\]"):
        read(tensors)


def test_a_core_of_wrong_size_is_refused() -> None:
    tensors = {**draw_lokr("full", "tucker")(CONV), "lokr_t2": torch.ones(3, 2, 3, 3)}
    with pytest.raises(AdapterError, match="does not fit between"):
        read(tensors)


def test_a_vector_is_refused() -> None:
    with pytest.raises(AdapterError, match=r"lokr_w1 has shape \[4\]"):
        read({"lokr_w1": torch.ones(4), "lokr_w2": torch.ones(2, 2)})
