"""LoHa by hand and its incomplete files."""

from __future__ import annotations

import pytest
import torch

from lib_lora.adapters.loha import LOW_RANK, LOW_RANK_OF_KERNELS, LoHa, read
from lib_lora.errors import AdapterError
from tests.adapters.table import SHAPES, draw_loha, draw_loha_tucker


def by_hand() -> dict[str, torch.Tensor]:
    """(1, 2)ᵀ(1, 3) ∘ (2, 1)ᵀ(1, 1) = [[1, 3], [2, 6]] ∘ [[2, 2], [1, 1]] = [[2, 6], [2, 6]]."""
    return {
        "hada_w1_a": torch.tensor([[1.0], [2.0]]),
        "hada_w1_b": torch.tensor([[1.0, 3.0]]),
        "hada_w2_a": torch.tensor([[2.0], [1.0]]),
        "hada_w2_b": torch.tensor([[1.0, 1.0]]),
    }


def test_by_hand() -> None:
    assert read(by_hand()).delta(torch.zeros(2, 2)).tolist() == [[2, 6], [2, 6]]


def test_alpha_counts_once() -> None:
    """LyCORIS' own merge counts it twice, which would be a quarter here."""
    adapter = read({**by_hand(), "alpha": torch.tensor(0.5)})
    assert adapter.delta(torch.zeros(2, 2)).tolist() == [[1, 3], [1, 3]]


def test_low_ranks_are_a_lora() -> None:
    rank = int(LOW_RANK**0.5)
    assert read(draw_loha((24, 16), rank)).factors((24, 16)).up.shape == (24, LOW_RANK)
    assert read(draw_loha((24, 16), rank + 1)).factors((24, 16)) is None


def test_for_kernels_higher_ranks_are_one_too() -> None:
    """Two whole products cost more there."""
    rank = int(LOW_RANK_OF_KERNELS**0.5)
    assert read(draw_loha((24, 16, 3, 3), rank)).factors((24, 16, 3, 3)).up.shape == (24, LOW_RANK_OF_KERNELS)
    assert read(draw_loha((24, 16, 3, 3), rank + 1)).factors((24, 16, 3, 3)) is None
    assert read(draw_loha((24, 16), rank)).factors((24, 16, 1, 1)) is None


def test_input_channels_beyond_its_own_get_no_change() -> None:
    adapter = read(draw_loha((24, 4, 3, 3)))
    change = adapter.delta(torch.zeros(24, 9, 3, 3))
    assert not change[:, 4:].any()
    assert torch.equal(change[:, :4], adapter.delta(torch.zeros(24, 4, 3, 3)))
    out = torch.zeros(24, 9, 3, 3)
    adapter.add_to(out, out.clone(), 1.0)
    assert torch.allclose(out, change)


@pytest.mark.parametrize("missing", sorted(by_hand()))
def test_a_missing_tensor_is_named(missing: str) -> None:
    tensors = {role: tensor for role, tensor in by_hand().items() if role != missing}
    with pytest.raises(AdapterError, match=f"{missing} is missing"):
        read(tensors)


@pytest.mark.parametrize("missing", ["hada_t1", "hada_t2"])
def test_half_a_tucker_is_refused(missing: str) -> None:
    tensors = draw_loha_tucker(SHAPES["conv3x3"])
    del tensors[missing]
    with pytest.raises(AdapterError, match=r"is missing|do not fit|does not fit"):
        read(tensors)


def test_halves_of_different_weights_are_refused() -> None:
    with pytest.raises(AdapterError, match="different shapes"):
        read({**by_hand(), "hada_w2_a": torch.ones(3, 1)})


def test_ranks_that_differ_within_a_product_are_refused() -> None:
    with pytest.raises(AdapterError, match=r"hada_w1_a \[2, 1\] does not fit hada_w1_b \[2, 2\]"):
        read({**by_hand(), "hada_w1_b": torch.ones(2, 2)})


def test_a_core_of_wrong_size_is_refused() -> None:
    tensors = draw_loha_tucker(SHAPES["conv3x3"])
    with pytest.raises(AdapterError, match="does not fit between"):
        read({**tensors, "hada_t1": torch.ones(4, 5, 3, 3)})


def test_rank_0_changes_nothing_and_says_so() -> None:
    tensors = {
        "hada_w1_a": torch.ones(2, 0),
        "hada_w1_b": torch.ones(0, 2),
        "hada_w2_a": torch.ones(2, 1),
        "hada_w2_b": torch.ones(1, 2),
        "alpha": torch.tensor(1.0),
    }
    adapter = read(tensors)
    assert isinstance(adapter, LoHa)
    assert adapter.rank == 0
    assert "changes nothing" in adapter.notes[0]
    assert not adapter.delta(torch.ones(2, 2)).any()
