"""GLoRA by hand, its two layouts, and its incomplete files."""

from __future__ import annotations

import pytest
import torch

from lib_lora.adapters.glora import read
from lib_lora.errors import AdapterError
from tests.adapters.table import draw_glora, draw_old_glora


def test_by_hand() -> None:
    """b1 @ b2 = [[3, 4], [6, 8]]; a1 @ a2 = [[0, 1], [0, 2]], and W @ that with W = 1: [[0, 1], [0, 2]]."""
    tensors = {
        "a1": torch.tensor([[1.0], [2.0]]),
        "a2": torch.tensor([[0.0, 1.0]]),
        "b1": torch.tensor([[1.0], [2.0]]),
        "b2": torch.tensor([[3.0, 4.0]]),
    }
    assert read(tensors).delta(torch.eye(2)).tolist() == [[3, 5], [6, 10]]


@pytest.mark.parametrize("shape", [(24, 16), (16, 16), (8, 64), (24, 16, 1, 1)])
def test_layouts_are_told_apart(shape: tuple[int, ...]) -> None:
    for draw in (draw_glora, draw_old_glora):
        adapter = read(draw(shape))
        assert (adapter.rank, adapter.shape, adapter.scale, adapter.notes) == (4, shape[:2], 0.75, ())


def test_a_rank_as_large_as_the_layer_is_taken_as_new() -> None:
    torch.manual_seed(1)
    tensors = {role: torch.randn(4, 4) for role in ("a1", "a2", "b1", "b2")}
    adapter = read(tensors)
    assert torch.equal(adapter.b1, tensors["b1"])
    assert "newer" in adapter.notes[0]


def test_a_core_is_contracted() -> None:
    torch.manual_seed(2)
    tensors = {
        "a1": torch.zeros(5, 3, 1, 1),
        "a2": torch.zeros(3, 5, 1, 1),
        "b1": torch.randn(4, 3, 1, 1),
        "b2": torch.randn(3, 5, 1, 1),
        "bm": torch.randn(3, 3, 3, 3),
    }
    b1, b2 = tensors["b1"].flatten(1), tensors["b2"].flatten(1)
    wanted = torch.einsum("or, rsyx, si -> oiyx", b1, tensors["bm"], b2)
    adapter = read(tensors)
    assert adapter.shape == (4, 5, 3, 3)
    assert torch.allclose(adapter.delta(torch.ones(4, 5, 3, 3)), wanted, atol=1e-6)


def test_input_channels_beyond_its_own_take_no_part() -> None:
    torch.manual_seed(3)
    adapter = read(draw_glora((24, 4, 3, 3)))
    base = torch.randn(24, 9, 3, 3)
    change = adapter.delta(base)
    assert not change[:, 4:].any()
    assert torch.allclose(change[:, :4], adapter.delta(base[:, :4].contiguous()), atol=1e-6)
    out = base.clone()
    adapter.add_to(out, base, 1.0)
    assert torch.allclose(out, base + change, atol=1e-5)


@pytest.mark.parametrize("missing", ["a1", "a2", "b1", "b2"])
def test_a_missing_tensor_is_named(missing: str) -> None:
    tensors = draw_glora((24, 16))
    del tensors[missing]
    with pytest.raises(AdapterError, match=f"{missing} is missing"):
        read(tensors)


def test_tensors_of_several_ranks_are_refused() -> None:
    with pytest.raises(AdapterError, match="do not share one rank"):
        read({**draw_glora((24, 16)), "a2": torch.ones(3, 16)})
