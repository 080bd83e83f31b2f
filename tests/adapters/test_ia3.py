"""(IA)³ by hand, its axis, and its faulty files."""

from __future__ import annotations

import pytest
import torch

from lib_lora.adapters.ia3 import read
from lib_lora.errors import AdapterError

W = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
FACTOR = torch.tensor([1.0, -1.0])


def test_outputs_by_hand() -> None:
    assert read({"weight": FACTOR, "on_input": torch.tensor(0.0)}).delta(W).tolist() == [[1, 2], [-3, -4]]


def test_inputs_by_hand() -> None:
    assert read({"weight": FACTOR, "on_input": torch.tensor(1.0)}).delta(W).tolist() == [[1, -2], [3, -4]]


def test_peft_stores_the_whole_factor() -> None:
    assert read({"ia3_l": torch.tensor([[2.0, 0.0]])}).delta(W).tolist() == [[1, -2], [3, -4]]
    outputs = read({"ia3_l": torch.tensor([[2.0], [0.0]])})
    assert outputs.delta(W).tolist() == [[1, 2], [-3, -4]]
    assert outputs.bias(torch.tensor([10.0, 20.0])).tolist() == [10, -20]


def test_peft_scales_the_bias_of_a_convolutions_outputs_too() -> None:
    adapter = read({"ia3_l": torch.tensor([2.0, 0.0]).view(1, 2, 1, 1)})
    assert adapter.bias(torch.tensor([10.0, 20.0])).tolist() == [10, -20]
    assert adapter.bias(torch.ones(3)) is None  # three outputs: it is of the two inputs


def test_lycoris_leaves_the_bias() -> None:
    assert read({"weight": FACTOR, "on_input": torch.tensor(0.0)}).bias(FACTOR) is None


@pytest.mark.parametrize("role", ["ia3", "weight"])
def test_a_missing_axis_is_told_from_the_size(role: str) -> None:
    adapter = read({role: FACTOR})
    assert "inputs or outputs" in adapter.notes[0]
    assert adapter.delta(torch.ones(3, 2)).tolist() == [[1, -1]] * 3
    assert adapter.delta(torch.ones(2, 3)).tolist() == [[1, 1, 1], [-1, -1, -1]]
    assert adapter.delta(W).tolist() == [[1, 2], [-3, -4]]  # a square: outputs, as by default in training
    assert adapter.fits((3, 2))
    assert adapter.fits((2, 5, 3, 3))
    assert not adapter.fits((3, 5))


def test_convolutions_are_scaled_by_channel() -> None:
    factor = torch.tensor([1.0, -1.0]).view(1, 2, 1, 1)
    weight = torch.ones(2, 2, 3, 3)
    outputs = read({"ia3": factor, "on_input": torch.tensor(0.0)}).delta(weight)
    inputs = read({"ia3": factor, "on_input": torch.tensor(1.0)}).delta(weight)
    assert outputs[0].eq(1).all()
    assert outputs[1].eq(-1).all()
    assert inputs[:, 0].eq(1).all()
    assert inputs[:, 1].eq(-1).all()


def test_input_channels_beyond_its_own_stay() -> None:
    change = read({"weight": FACTOR, "on_input": torch.tensor(1.0)}).delta(torch.ones(3, 4, 3, 3))
    assert change[0, :, 0, 0].tolist() == [1, -1, 0, 0]


def test_the_axis_decides_what_fits() -> None:
    outputs, inputs = (read({"ia3": torch.ones(5), "on_input": torch.tensor(float(on))}) for on in (0, 1))
    assert outputs.fits((5, 7))
    assert not outputs.fits((7, 5))
    assert inputs.fits((7, 5, 3, 3))
    assert not inputs.fits((5, 7))
    assert not inputs.fits((5,))


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        ({"on_input": torch.tensor(1.0)}, "weight is missing"),
        ({"weight": torch.ones(2, 2), "on_input": torch.tensor(1.0)}, r"\[2, 2\]; one number per channel"),
        ({"weight": FACTOR, "on_input": torch.tensor(2.0)}, "on_input is 2"),
        ({"weight": FACTOR, "on_input": FACTOR}, "on_input must be one number"),
        ({"ia3_l": torch.ones(2, 2)}, r"ia3_l has shape \[2, 2\]"),
    ],
    ids=["no weight", "a matrix", "an axis that is none", "two axes", "a matrix of PEFT"],
)
def test_faulty_tensors_are_refused(tensors: dict[str, torch.Tensor], told: str) -> None:
    with pytest.raises(AdapterError, match=told):
        read(tensors)
