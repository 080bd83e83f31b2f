"""What early LyCORIS kept beside a LoRA: as a part of the change, on wider hosts, and its faulty files."""

from __future__ import annotations

import pytest
import torch

from lib_lora.adapters import find_family
from lib_lora.adapters.lora import read
from lib_lora.errors import AdapterError
from tests.adapters.table import Tensors

LORA: Tensors = {"lora_up": torch.tensor([[1.0], [2.0]]), "lora_down": torch.tensor([[3.0, 4.0]])}
SPARSE: Tensors = {
    "bias_indices": torch.tensor([[0.0, 1.0], [1.0, 0.0]]),
    "bias_values": torch.tensor([10.0, 20.0]),
    "bias_size": torch.tensor([2.0, 2.0]),
}


def test_the_largest_numbers_of_the_rest_have_their_places() -> None:
    assert find_family({**LORA, **SPARSE}).name == "LoRA"
    adapter = read({**LORA, **SPARSE, "alpha": torch.tensor(0.5)})
    assert adapter.delta(torch.zeros(2, 2)).tolist() == [[1.5, 7], [13, 4]]
    assert adapter.factors((2, 2)) is None


def test_places_in_four_dimensions_are_those_of_the_flat_change() -> None:
    tensors = {
        "lora_up": torch.zeros(2, 1, 1, 1),
        "lora_down": torch.zeros(1, 2, 1, 2),
        "bias_indices": torch.tensor([[1.0], [1.0], [0.0], [1.0]]),
        "bias_values": torch.tensor([5.0]),
        "bias_size": torch.tensor([2.0, 2.0, 1.0, 2.0]),
    }
    change = read(tensors).delta(torch.zeros(2, 2, 1, 2))
    assert change[1, 1, 0, 1] == 5
    assert change.count_nonzero() == 1


@pytest.mark.parametrize(
    "rest", [SPARSE, {"bias": torch.tensor([[0.0, 10.0], [20.0, 0.0]])}], ids=["sparse", "whole"]
)
def test_input_channels_beyond_its_own_get_nothing(rest: Tensors) -> None:
    adapter, base = read({**LORA, **rest}), torch.zeros(2, 3, 1, 1)
    wanted = [[3, 14, 0], [26, 8, 0]]
    assert adapter.delta(base).flatten(1).tolist() == wanted
    out = base.clone()
    adapter.add_to(out, base, 1.0)
    assert out.flatten(1).tolist() == wanted


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        ({"bias_values": SPARSE["bias_values"]}, "bias_indices and bias_size are missing"),
        ({**SPARSE, "bias": torch.ones(2, 2)}, "bias stands beside bias_indices"),
        ({**SPARSE, "bias_size": torch.tensor([2.0, 3.0])}, r"bias_size is \[2, 3\]"),
        ({**SPARSE, "bias_size": torch.tensor([4.0, 1.0])}, r"bias_size is \[4, 1\]"),
        ({**SPARSE, "bias_values": torch.ones(3)}, r"bias_indices \[2, 2\] does not fit bias_values \[3\]"),
        ({**SPARSE, "bias_indices": torch.tensor([[0.0, 2.0], [1.0, 0.0]])}, "leaves the change"),
        ({**SPARSE, "bias_indices": torch.tensor([[0.0, -1.0], [1.0, 0.0]])}, "leaves the change"),
        ({**SPARSE, "bias_indices": torch.tensor([[0.0, 0.0], [1.0, 1.0]])}, "a place twice"),
        ({**SPARSE, "bias_indices": torch.tensor([[0.0, 0.5], [1.0, 0.0]])}, "leaves the change"),
        ({**SPARSE, "bias_size": torch.tensor([2.0, -1.0, -2.0])}, r"bias_size is \[2, -1, -2\]"),
        ({**SPARSE, "bias_size": torch.ones(9000)}, "bias_size has 9000 numbers; a change has up to 8 sides"),
        ({**SPARSE, "bias_size": torch.tensor([2.0, 0.0, 1e30])}, "bias_size is"),
    ],
    ids=[
        "alone",
        "both",
        "another size",
        "turned",
        "too many",
        "too far",
        "negative",
        "twice",
        "between",
        "below nothing",
        "too long",
        "beyond all",
    ],
)
def test_faulty_tensors_are_refused(tensors: Tensors, told: str) -> None:
    with pytest.raises(AdapterError, match=told):
        read({**LORA, **tensors})
