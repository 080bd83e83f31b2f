"""Full differences, replacements and norm layers by hand, and their faulty files."""

from __future__ import annotations

import pytest
import torch

from lib_lora.adapters import find_family
from lib_lora.adapters.full import read
from lib_lora.adapters.norm import read as read_norm
from lib_lora.errors import AdapterError

W = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def test_a_difference_is_added_whatever_alpha_says() -> None:
    adapter = read({"diff": W, "alpha": torch.tensor(7.0), "diff_b": torch.tensor([1.0, 2.0])})
    assert adapter.delta(torch.zeros(2, 2)).tolist() == W.tolist()
    assert adapter.bias().tolist() == [1, 2]


def test_a_replacement_at_full_strength_is_the_value() -> None:
    adapter = read({"set_weight": W})
    base = torch.tensor([[0.5, -1.0], [8.0, 0.25]])
    assert (base + adapter.delta(base)).tolist() == W.tolist()
    assert "replaces" in adapter.notes[0]


def test_a_replacement_leaves_input_channels_beyond_its_own() -> None:
    base = torch.ones(2, 5, 1, 1)
    new = base + read({"set_weight": W}).delta(base)
    assert new[:, :2, 0, 0].tolist() == W.tolist()
    assert new[:, 2:].eq(1).all()


def test_a_bias_alone_changes_no_weight() -> None:
    adapter = read({"diff_b": torch.tensor([1.0, 2.0])})
    assert adapter.fits((2, 9, 3, 3))
    assert not adapter.fits((3, 2))
    assert not adapter.delta(W).any()
    out = W.clone()
    adapter.add_to(out, W, 1.0)
    assert torch.equal(out, W)


def test_a_norm_layer_may_be_changed_by_a_difference() -> None:
    adapter = read({"diff": torch.tensor([1.0, 2.0])})
    assert adapter.fits((2,))
    assert adapter.delta(torch.zeros(2)).tolist() == [1, 2]


@pytest.mark.parametrize("roles", [("w_norm",), ("b_norm",), ("w_norm", "b_norm")], ids=" and ".join)
def test_a_norm_may_have_only_one_half(roles: tuple[str, ...]) -> None:
    tensors = {role: torch.tensor([1.0, 2.0]) for role in roles}
    adapter = find_family(tensors).read(tensors)
    assert adapter.fits((2,))
    assert not adapter.fits((2, 2))
    assert adapter.delta(torch.zeros(2)).any() == ("w_norm" in roles)
    assert (adapter.bias() is not None) == ("b_norm" in roles)


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        ({"alpha": torch.tensor(1.0)}, "diff_b is missing"),
        ({"diff": W, "set_weight": W}, "diff stands beside set_weight"),
        ({"diff": torch.ones(2, 2, 2)}, r"diff has shape \[2, 2, 2\]"),
        ({"diff": W, "diff_b": torch.ones(3)}, r"diff_b has shape \[3\] beside a weight of shape \[2, 2\]"),
        ({"diff_b": W}, r"diff_b has shape \[2, 2\]"),
    ],
    ids=["nothing", "both", "three dimensions", "another bias", "a bias with two dimensions"],
)
def test_faulty_tensors_are_refused(tensors: dict[str, torch.Tensor], told: str) -> None:
    with pytest.raises(AdapterError, match=told):
        read(tensors)


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        ({}, "w_norm and b_norm are missing"),
        ({"w_norm": W}, "one number per channel"),
        ({"w_norm": torch.ones(2), "b_norm": torch.ones(3)}, r"\[2\] and \[3\]"),
    ],
    ids=["nothing", "a matrix", "two lengths"],
)
def test_faulty_norms_are_refused(tensors: dict[str, torch.Tensor], told: str) -> None:
    with pytest.raises(AdapterError, match=told):
        read_norm(tensors)
