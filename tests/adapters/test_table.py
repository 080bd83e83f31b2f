"""Family × kind of weight × strength: every adapter against its formula in float64, and in place."""

from __future__ import annotations

import pytest
import torch

from lib_lora.adapters import FAMILIES, InPlace, find_family
from tests.adapters.table import CASES, CONV, LINEAR, ROW_NAMES, ROWS, Case, exact, weight_for

STRENGTHS = (0.0, 0.35, 1.0, -0.7)
TOLERANCE = 1e-6


def small(case: Case) -> object:
    """Read a case at a small size, to ask what its adapter can do."""
    tensors = case.draw(LINEAR if "linear" in case.hosts or "text encoder" in case.hosts else CONV)
    return find_family(tensors).read(tensors)


IN_PLACE = [row for row in ROWS if isinstance(small(row[0]), InPlace)]
LOW_RANK = [row for row in ROWS if small(row[0]).factors(LINEAR if "linear" in row[0].hosts else CONV)]


@pytest.mark.parametrize(("case", "host"), ROWS, ids=ROW_NAMES)
def test_change_equals_its_formula_at_every_strength(case: Case, host: str) -> None:
    """Relative to the largest weight, in float32."""
    torch.manual_seed(7)
    tensors, weight = case.draw(weight_for(host).shape), weight_for(host)
    adapter = find_family(tensors).read(tensors)
    assert adapter.fits(tuple(weight.shape))
    change = case.formula(weight.double(), exact(tensors))
    delta = adapter.delta(weight)
    assert delta.dtype == torch.float32
    assert delta.shape == weight.shape
    for strength in STRENGTHS:
        wanted = weight.double() + strength * change
        error = (weight + strength * delta - wanted).abs().max() / wanted.abs().max()
        assert error <= TOLERANCE, f"strength {strength}"


@pytest.mark.parametrize(
    ("case", "host"), IN_PLACE, ids=[f"{case.name} on {host}" for case, host in IN_PLACE]
)
def test_adding_in_place_equals_the_plain_formula(case: Case, host: str) -> None:
    """On top of what other changes left in the buffer; a strength of 0 leaves it bit for bit."""
    torch.manual_seed(8)
    tensors, weight = case.draw(weight_for(host).shape), weight_for(host)
    adapter = find_family(tensors).read(tensors)
    before = weight + torch.randn_like(weight)
    for strength in STRENGTHS:
        out = before.clone()
        adapter.add_to(out, weight, strength)
        wanted = before + strength * adapter.delta(weight)
        assert (out - wanted).abs().max() <= TOLERANCE * wanted.abs().max(), f"strength {strength}"
        if strength == 0:
            assert torch.equal(out, before)


@pytest.mark.parametrize(
    ("case", "host"), LOW_RANK, ids=[f"{case.name} on {host}" for case, host in LOW_RANK]
)
def test_factors_where_given_multiply_to_the_change(case: Case, host: str) -> None:
    """A family that offers factors joins the low-rank stack with them."""
    torch.manual_seed(9)
    tensors, weight = case.draw(weight_for(host).shape), weight_for(host)
    adapter = find_family(tensors).read(tensors)
    factors = adapter.factors(tuple(weight.shape))
    product = (factors.scale * factors.up @ factors.down).reshape(weight.shape)
    assert (product - adapter.delta(weight)).abs().max() <= TOLERANCE * product.abs().max()


def test_every_family_stands_in_the_table() -> None:
    """A new family without a row here fails."""
    drawn = {find_family(case.draw((24, 16, 3, 3) if len(case.hosts) == 1 else (24, 16))) for case in CASES}
    elsewhere = {"norm layer", "BOFT"}  # norms have their own file; the table's BOFT is LyCORIS', read by OFT
    assert {family.name for family in FAMILIES} - elsewhere <= {family.name for family in drawn}
