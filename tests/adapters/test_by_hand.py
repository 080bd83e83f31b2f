"""Literal numbers for every spelling: what the formulas of the table cannot get wrong in the same way."""

from __future__ import annotations

import pytest
import torch

from lib_lora.adapters import InPlace, find_family
from tests.adapters.by_hand import BY_HAND, tensors_of


@pytest.mark.parametrize("name", BY_HAND)
def test_the_change_is_the_one_on_paper(name: str) -> None:
    hand, tensors = BY_HAND[name], tensors_of(BY_HAND[name])
    weight, wanted = (torch.tensor(numbers, dtype=torch.float32) for numbers in (hand.weight, hand.change))
    adapter = find_family(tensors).read(tensors)
    assert adapter.fits(tuple(weight.shape))
    assert torch.allclose(adapter.delta(weight), wanted, rtol=1e-6, atol=1e-5)
    out = weight.clone()
    assert isinstance(adapter, InPlace)
    adapter.add_to(out, weight, 0.5)
    assert torch.allclose(out, weight + 0.5 * wanted, rtol=1e-6, atol=1e-5)
