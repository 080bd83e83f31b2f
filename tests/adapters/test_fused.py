"""A change to q, k and v at once, taken apart: each third is the third of the whole, of whatever family."""

from __future__ import annotations

import pytest
import torch

from lib_lora.adapters import NOTHING, find_family, on_device, split_rows
from lib_lora.errors import AdapterError
from tests.adapters.table import CASES, Case

FUSED = (24, 8)
"""Three weights of 8×8."""


def drawn(case: Case):
    torch.manual_seed(8)
    tensors = case.draw(FUSED)
    family = find_family(tensors)
    assert family is not None
    return family.read(tensors)


LINEAR = [case for case in CASES if "linear" in case.hosts]
ADDITIVE = [case for case in LINEAR if drawn(case).reads == NOTHING and drawn(case).fits(FUSED)]


@pytest.mark.parametrize("case", ADDITIVE, ids=[case.name for case in ADDITIVE])
def test_the_parts_stacked_are_the_whole(case: Case) -> None:
    whole, base = drawn(case), torch.randn(FUSED)
    parts = split_rows(whole, 3)
    found = [part.delta(base[8 * index : 8 * index + 8]) for index, part in enumerate(parts)]
    assert torch.allclose(torch.cat(found), whole.delta(base), atol=1e-6)
    assert sum(part.nbytes for part in parts) <= whole.nbytes
    for index, part in enumerate(parts):
        assert part.fits((8, 8)) and not part.fits(FUSED)
        assert (part.family, part.rank, part.notes) == (whole.family, whole.rank, whole.notes)
        factors = part.factors((8, 8))
        if factors is not None:
            assert torch.allclose(factors.up @ factors.down * factors.scale, found[index], atol=1e-6)
        bias, all_biases = part.bias(), whole.bias()
        if all_biases is not None:
            assert bias is not None and torch.equal(bias, all_biases[8 * index : 8 * index + 8])
        moved = on_device(part, torch.device("cpu"))
        assert torch.equal(moved.delta(base[:8]), part.delta(base[:8]))


def test_another_bias_stands_in_the_place_of_each_part() -> None:
    family = find_family(["lora_up", "lora_down", "bias"])
    assert family is not None
    new, own = torch.arange(24.0), torch.full((24,), 5.0)
    whole = family.read({"lora_up": torch.ones(24, 1), "lora_down": torch.ones(1, 8), "bias": new})
    changes = [part.bias(own[:8]) for part in split_rows(whole, 3)]
    assert torch.equal(torch.cat(changes) + own, new)


READING = [case for case in LINEAR if drawn(case).reads != NOTHING]


@pytest.mark.parametrize("case", READING, ids=[case.name for case in READING])
def test_what_reads_the_weight_cannot_be_taken_apart(case: Case) -> None:
    with pytest.raises(AdapterError, match="cannot be taken apart"):
        split_rows(drawn(case), 3)


def test_rows_that_are_no_multiple_of_the_parts() -> None:
    with pytest.raises(AdapterError, match="24 rows"):
        split_rows(drawn(ADDITIVE[0]), 5)
