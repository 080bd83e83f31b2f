"""LoRA with a bias in its meanings, and DyLoRA cut to a smaller rank."""

from __future__ import annotations

import pytest
import torch

from lib_lora.adapters import find_family
from lib_lora.adapters.dylora import truncate
from lib_lora.adapters.lora import read
from lib_lora.errors import AdapterError

TENSORS = {
    "lora_up": torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
    "lora_down": torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
    "alpha": torch.tensor(1.0),
}
ONES = torch.ones(2)


def test_peft_scales_its_bias() -> None:
    assert read({**TENSORS, "lora_up_bias": ONES}).bias().tolist() == [0.5, 0.5]


def test_a_full_bias_is_not_scaled() -> None:
    tensors = {**TENSORS, "diff_b": ONES}
    assert find_family(tensors).name == "LoRA"
    assert read(tensors).bias().tolist() == [1, 1]
    assert read({**tensors, "lora_up_bias": ONES}).bias().tolist() == [1.5, 1.5]


def test_a_bias_of_its_own_size_replaces_the_bias() -> None:
    adapter = read({**TENSORS, "bias": torch.tensor([5.0, 6.0])})
    assert adapter.bias(torch.tensor([1.0, 1.0])).tolist() == [4, 5]
    assert adapter.bias(None).tolist() == [5, 6]
    assert "replaces" in adapter.notes[0]
    assert adapter.factors((2, 2)) is not None


def test_a_bias_of_the_weights_size_is_part_of_the_change() -> None:
    adapter = read({**TENSORS, "bias": torch.ones(2, 2)})
    assert adapter.delta(torch.zeros(2, 2)).tolist() == [[1, 1.5], [2, 2.5]]
    assert adapter.factors((2, 2)) is None
    assert adapter.bias(ONES) is None


def test_any_other_bias_is_refused() -> None:
    with pytest.raises(AdapterError, match=r"has shape \[3\]"):
        read({**TENSORS, "bias": torch.ones(3)})


def test_a_smaller_rank_keeps_the_scale_of_the_full_one() -> None:
    cut = truncate(read(TENSORS), 1)
    assert cut.rank == 1
    assert cut.delta(torch.zeros(2, 2)).tolist() == [[0.5, 1], [0, 0]]


def test_a_rank_beyond_is_all_of_it() -> None:
    assert truncate(read(TENSORS), 9).rank == 2


def test_other_families_are_not_cut() -> None:
    adapter = find_family({"diff"}).read({"diff": torch.ones(2, 2)})
    assert truncate(adapter, 1) is adapter


def test_a_rank_below_one_is_refused() -> None:
    with pytest.raises(AdapterError, match="use 1 or more"):
        truncate(read(TENSORS), 0)
