"""A row that keeps only the first ranks of a DyLoRA."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lib_lora.errors import EntryValueError
from lib_lora.network import Network, open_network
from lib_lora.plan import Plan, make_plan
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack
from tests.builders import TOY_LAYERS, make_lora_file, toy_sd1


@pytest.fixture
def network(tmp_path: Path) -> Network:
    make_lora_file(tmp_path / "x.safetensors", TOY_LAYERS, rank=4, alpha=2.0)
    return open_network(tmp_path / "x.safetensors", "sd1")


def plan_of(network: Network, **extra: object) -> Plan:
    return make_plan(Stack((Entry("x", extra=tuple(extra.items())),)), [network], toy_sd1().view())


def test_the_first_ranks_are_kept_at_the_scale_of_all(network: Network) -> None:
    whole, cut = plan_of(network), plan_of(network, dyn=2)
    for name, (change,) in cut.changes.items():
        (full,) = whole.changes[name]
        assert change.factors.scale == full.factors.scale == 0.5
        assert torch.equal(change.factors.up, full.factors.up[:, :2])
        assert torch.equal(change.factors.down, full.factors.down[:2])


def test_it_counts_as_another_change(network: Network) -> None:
    assert plan_of(network).te_key != plan_of(network, dyn=2).te_key != plan_of(network, dyn=3).te_key


@pytest.mark.parametrize("dyn", [0, -1, 1.5, "two", True], ids=str)
def test_anything_but_a_whole_number_is_refused_with_the_row(network: Network, dyn: object) -> None:
    with pytest.raises(EntryValueError, match=r"row 1 .*dyn must be a whole number"):
        plan_of(network, dyn=dyn)
