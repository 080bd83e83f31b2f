"""Every family through the engine in company: in stacks, in any order, and without large temporaries.

Alone, in every number type, merged and beside the layer, they are measured for the page about families.
"""

from __future__ import annotations

import itertools

import pytest
import torch

from lib_lora.adapters import InPlace, find_family
from lib_lora.plan import Contribution
from tests.adapters.table import CASES, SHAPES, Case, exact
from tests.engine.figures import layer, merge

HOSTS = ("linear", "conv1x1", "conv3x3")


def contribution(case: Case, shape: tuple[int, ...], strength: float, seed: int) -> tuple[Contribution, dict]:
    torch.manual_seed(seed)
    tensors = case.draw(shape)
    adapter = find_family(tensors).read(tensors)
    return Contribution((case.name, seed), adapter, adapter.factors(shape), strength), tensors


@pytest.mark.parametrize("host", HOSTS)
def test_a_stack_of_all_families_is_the_sum_of_each_alone(host: str) -> None:
    """Every row does what it does alone, in any order."""
    torch.manual_seed(3)
    module = layer(SHAPES[host])
    weight = module.weight.detach().double()
    cases = [case for case in CASES if host in case.hosts]
    want, changes = weight.clone(), []
    for number, case in enumerate(cases):
        change, tensors = contribution(case, SHAPES[host], 0.1 * (-1) ** number, number)
        want += change.strength * case.formula(weight, exact(tensors))
        changes.append(change)
    first, second = merge(module, changes), merge(module, changes[::-1])
    assert (first.double() - want).abs().max() <= 2e-6 * want.abs().max()
    assert (first - second).abs().max() <= 2e-6 * want.abs().max()


@pytest.mark.parametrize(
    "names", list(itertools.permutations(("DoRA on outputs", "OFT", "LoRA"))), ids=" ".join
)
def test_no_row_depends_on_its_place(names: tuple[str, ...]) -> None:
    torch.manual_seed(4)
    module = layer(SHAPES["linear"])
    weight = module.weight.detach().double()
    by_name = {case.name: case for case in CASES}
    want, changes = weight.clone(), []
    for name in names:
        change, tensors = contribution(by_name[name], SHAPES["linear"], 0.5, len(name))
        want += 0.5 * by_name[name].formula(weight, exact(tensors))
        changes.append(change)
    assert (merge(module, changes).double() - want).abs().max() <= 1e-6 * want.abs().max()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_family_is_added_in_place(case: Case) -> None:
    """None is made as a whole first and then added, where the engine could let it add itself."""
    shape = SHAPES[case.hosts[0]]
    change, _ = contribution(case, shape, 1.0, 5)
    assert change.factors is not None or isinstance(change.adapter, InPlace)
