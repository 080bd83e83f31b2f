"""LoRA with a bias in its meanings, and DyLoRA cut to a smaller rank."""

from __future__ import annotations

import pytest
import torch

from lib_lora.adapters import find_family
from lib_lora.adapters.dylora import truncate, truncation_notes
from lib_lora.adapters.lora import read
from lib_lora.errors import AdapterError

TENSORS = {
    "lora_up": torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
    "lora_down": torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
    "alpha": torch.tensor(1.0),
}
ONES = torch.ones(2)
LENGTHS = {**TENSORS, "dora_scale": torch.ones(2, 1)}


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


def test_a_stored_scale_stands_for_alpha_and_scales_the_bias_of_peft() -> None:
    adapter = read({**TENSORS, "scale": torch.tensor(3.0), "lora_up_bias": ONES})
    assert adapter.scale == 3
    assert adapter.bias().tolist() == [3, 3]


@pytest.mark.parametrize(
    ("tensors", "weight", "change"),
    [
        ({"diff": [[1, 2]], "diff_b": [1]}, [[0, 0]], [[2, 4]]),
        ({"w_norm": [1, 2]}, [0, 0], [2, 4]),
        ({"ia3": [1, 2], "on_input": 1}, [[1, 1]], [[2, 4]]),
        ({"lokr_w1": [[1]], "lokr_w2": [[1, 2]], "alpha": 9}, [[0, 0]], [[2, 4]]),
        (
            {"hada_w1_a": [[1]], "hada_w1_b": [[1, 2]], "hada_w2_a": [[1]], "hada_w2_b": [[1, 1]]},
            [[0, 0]],
            [[2, 4]],
        ),
    ],
    ids=["full", "norm", "(IA)³", "LoKr", "LoHa"],
)
def test_a_stored_scale_acts_in_every_family(tensors: dict, weight: list, change: list) -> None:
    read_in = {role: torch.tensor(numbers, dtype=torch.float32) for role, numbers in tensors.items()}
    read_in["scale"] = torch.tensor(2.0)
    adapter = find_family(read_in).read(read_in)
    assert adapter.delta(torch.tensor(weight, dtype=torch.float32)).tolist() == change


def test_any_other_bias_is_refused() -> None:
    with pytest.raises(AdapterError, match=r"has shape \[3\]"):
        read({**TENSORS, "bias": torch.ones(3)})


def test_a_smaller_rank_keeps_the_scale_of_the_full_one() -> None:
    cut = truncate(read(TENSORS), 1)
    assert cut.rank == 1
    assert cut.delta(torch.zeros(2, 2)).tolist() == [[0.5, 1], [0, 0]]


def test_a_rank_beyond_is_all_of_it() -> None:
    assert truncate(read(TENSORS), 9).rank == 2


def test_under_lengths_of_dora_it_is_cut_too() -> None:
    adapter = truncate(find_family(LENGTHS).read(LENGTHS), 1)
    assert adapter.family == "DoRA"
    assert adapter.rank == 1
    assert truncation_notes([adapter], 1) == ()


def test_other_families_are_not_cut_and_the_user_is_told() -> None:
    core = {**TENSORS, "lora_up": torch.ones(2, 2, 1, 1), "lora_down": torch.ones(2, 2, 1, 1)}
    core["lora_mid"] = torch.ones(2, 2, 3, 3)
    whole = [find_family({"diff"}).read({"diff": torch.ones(2, 2)}), read(core)]
    assert all(truncate(adapter, 1) is adapter for adapter in whole)
    told = truncation_notes([*whole, read(TENSORS)], 3)
    assert told == ("dyn=3 does nothing for 2 of 3 weights: only a plain LoRA can be cut",)


def test_a_rank_below_one_is_refused() -> None:
    with pytest.raises(AdapterError, match="use 1 or more"):
        truncate(read(TENSORS), 0)
