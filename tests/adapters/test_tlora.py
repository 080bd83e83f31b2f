"""T-LoRA by hand, its warning, and its faulty files."""

from __future__ import annotations

import pytest
import torch

from lib_lora.adapters.tlora import read
from lib_lora.errors import AdapterError

TENSORS = {
    "p_layer": torch.tensor([[0.0], [1.0]]),
    "q_layer": torch.tensor([[1.0, 0.0]]),
    "lambda_layer": torch.tensor([[2.0]]),
}


def test_by_hand() -> None:
    """W = diag(5, 1): its largest part diag(5, 0) goes, [[0, 0], [2, 0]] comes."""
    change = read(TENSORS).delta(torch.diag(torch.tensor([5.0, 1.0])))
    assert torch.allclose(change, torch.tensor([[-5.0, 0.0], [2.0, 0.0]]))


def test_it_warns() -> None:
    assert any("checkpoint it was trained on" in note for note in read(TENSORS).notes)


def test_its_own_start_changes_nothing() -> None:
    """A file that still holds the first singular values and vectors of the weight."""
    torch.manual_seed(1)
    weight = torch.randn(6, 5)
    left, values, right = torch.linalg.svd(weight, full_matrices=False)
    start = {"p_layer": left[:, :2], "q_layer": right[:2], "lambda_layer": values[None, :2]}
    assert read(start).delta(weight).abs().max() < 1e-5


def test_kernels_are_no_place_for_it() -> None:
    adapter = read(TENSORS)
    assert adapter.fits((2, 2, 1, 1))
    assert not adapter.fits((2, 2, 3, 3))


@pytest.mark.parametrize("missing", sorted(TENSORS))
def test_a_missing_tensor_is_named(missing: str) -> None:
    with pytest.raises(AdapterError, match=f"{missing} is missing"):
        read({role: tensor for role, tensor in TENSORS.items() if role != missing})


def test_values_of_another_rank_are_refused() -> None:
    with pytest.raises(AdapterError, match=r"lambda_layer has shape \[1, 2\]"):
        read({**TENSORS, "lambda_layer": torch.ones(1, 2)})
