"""OFT and BOFT by hand, their constraint and rescale at strengths between, and their faulty files."""

from __future__ import annotations

import pytest
import torch

from lib_lora.adapters.boft import BOFT
from lib_lora.adapters.boft import read as read_boft
from lib_lora.adapters.oft import read
from lib_lora.errors import AdapterError
from tests.adapters.table import draw_boft, draw_oft

QUARTER = torch.tensor([[[0.0, 1.0], [0.0, 0.0]]])
"""Q = [[0, 1], [−1, 0]], whose Cayley rotation is R = [[0, 1], [−1, 0]]: a quarter turn."""


def test_by_hand() -> None:
    """Rᵀ W takes the rows (1, 2), (3, 4) to (−3, −4), (1, 2)."""
    change = read({"oft_blocks": QUARTER}).delta(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert torch.allclose(change, torch.tensor([[-4.0, -6.0], [-2.0, -2.0]]))


def test_one_stage_of_boft_turns_the_other_way() -> None:
    """R W takes the rows (1, 2), (3, 4) to (3, 4), (−1, −2)."""
    change = read({"oft_blocks": QUARTER[None]}).delta(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert torch.allclose(change, torch.tensor([[2.0, 2.0], [-4.0, -6.0]]))


def test_old_files_store_the_rotation() -> None:
    change = read({"oft_diag": torch.tensor([[[0.0, 1.0], [-1.0, 0.0]]])}).delta(torch.eye(2))
    assert change.tolist() == [[-1, -1], [1, -1]]


@pytest.mark.parametrize("role", ["oft_blocks", "kohya_oft_blocks"])
def test_a_constraint_is_the_longest_rotation(role: str) -> None:
    """‖Q‖ = √2; alpha·out = √2/2 halves it: Q = [[0, ½], [−½, 0]] and R = [[3, 4], [−4, 3]]/5."""
    alpha = torch.tensor(2**0.5 / 4)
    change = read({role: QUARTER, "alpha": alpha}).delta(torch.eye(2))
    assert torch.allclose(change, torch.tensor([[-0.4, -0.8], [0.8, -0.4]]))


def test_constraint_0_is_none_for_lycoris_and_no_rotation_for_kohya() -> None:
    nought = torch.tensor(0.0)
    assert read({"oft_blocks": QUARTER, "alpha": nought}).delta(torch.eye(2)).any()
    adapter = read({"kohya_oft_blocks": QUARTER, "alpha": nought})
    assert not adapter.delta(torch.eye(2)).any()
    assert "constraint of 0" in adapter.notes[0]


def test_rescale_is_interpolated_with_the_rotation() -> None:
    """W + m(rescale · Rᵀ W − W): at half strength half of the way to twice the quarter turn."""
    adapter = read({"oft_blocks": QUARTER, "rescale": torch.tensor([[2.0], [2.0]])})
    half = torch.eye(2) + 0.5 * adapter.delta(torch.eye(2))
    assert torch.allclose(half, torch.tensor([[0.5, -1.0], [1.0, 0.5]]))


def test_boft_is_linear_in_the_strength() -> None:
    """The rule chosen: the result is interpolated, not every stage."""
    torch.manual_seed(4)
    tensors = draw_boft()((24, 16))
    weight = torch.randn(24, 16)
    whole = weight + read(tensors).delta(weight)
    half = weight + 0.5 * read(tensors).delta(weight)
    assert torch.allclose(half, (weight + whole) / 2, atol=1e-6)
    assert torch.allclose(whole.norm(), weight.norm())


@pytest.mark.parametrize("draw", [draw_oft(), draw_boft()], ids=["OFT", "BOFT"])
def test_rotations_by_nothing_change_not_one_bit(draw: object) -> None:
    torch.manual_seed(5)
    tensors = {role: torch.zeros_like(tensor) for role, tensor in draw((24, 16)).items()}
    assert not read(tensors).delta(torch.randn(24, 16)).any()


def test_a_rotation_keeps_lengths() -> None:
    torch.manual_seed(6)
    weight = torch.randn(24, 16)
    assert torch.allclose((weight + read(draw_oft()((24, 16))).delta(weight)).norm(), weight.norm())


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        ({"rescale": torch.ones(4, 1)}, "oft_blocks is missing"),
        ({"oft_blocks": torch.ones(2, 3, 4)}, r"\[2, 3, 4\]; square blocks"),
        ({"oft_blocks": torch.ones(2, 4)}, r"\[2, 4\]; square blocks"),
        ({"oft_blocks": torch.ones(2, 4, 4), "rescale": torch.ones(7, 1)}, r"rescale has shape \[7, 1\]"),
        ({"oft_blocks": torch.ones(2, 4, 4), "alpha": torch.ones(2)}, "alpha must be one number"),
        ({"oft_blocks": torch.ones(2, 4, 4), "alpha": torch.tensor(torch.nan)}, "alpha is nan"),
        ({"oft_blocks": torch.ones(1, 2, 3, 3)}, "of even b"),
        ({"oft_blocks": torch.ones(3, 2, 4, 4)}, "more stages"),
        ({"oft_r": torch.ones(2, 5)}, r"oft_R has shape \[2, 5\]; triangles"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_faulty_tensors_are_refused(tensors: dict[str, torch.Tensor], told: str) -> None:
    with pytest.raises(AdapterError, match=told):
        read(tensors)


def test_a_missing_tensor_of_peft_boft_is_named() -> None:
    with pytest.raises(AdapterError, match="boft_s is missing"):
        read_boft({"boft_r": torch.ones(1, 2, 4, 4)})


def test_the_shape_is_known_as_far_as_the_tensors_tell() -> None:
    adapter = read(draw_oft()((24, 16)))
    assert adapter.fits((24, 16))
    assert adapter.fits((24, 99, 3, 3))
    assert not adapter.fits((25, 16))
    assert isinstance(read(draw_boft()((24, 16))), BOFT)
