"""The page about families says exactly what the tests hold, and its figures are measured again."""

from __future__ import annotations

import pytest

from tests.adapters.table import CASES, Case
from tests.engine.figures import HEAD, PAGE, libraries, measure, witnesses

BOUND = 1e-6
HALF_A_PLACE = 0.501  # a sum in float32 may round to the neighbour beside a tie
OUTPUT_ROUNDINGS = 2.5  # of the layer's own output, the change, and their sum
SLACK = 3.0  # other processors add in another order


def rows() -> dict[str, list[str]]:
    """The cells of the table of errors, by spelling."""
    text = PAGE.read_text(encoding="utf-8")
    assert HEAD in text
    table = text.split(HEAD)[1]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:] if line]
    return {name: rest for name, *rest in cells}


@pytest.fixture(scope="module")
def known() -> dict[str, set[str]]:
    return libraries()


def test_every_spelling_is_on_the_page() -> None:
    assert list(rows()) == [case.name for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_row_says_what_is_measured(case: Case) -> None:
    """Within its bounds, and not worse than the page says."""
    found = measure(case)
    assert set(found.merged) == set(case.hosts)
    assert max(found.merged.values()) <= BOUND
    assert found.halves <= HALF_A_PLACE
    assert found.beside <= BOUND
    assert found.beside_halves <= OUTPUT_ROUNDINGS
    told = rows()[case.name][:-1]
    for cell, measured in zip(told, found.cells(), strict=True):
        assert (cell == "–") is (measured == "–")
        assert cell == "–" or float(measured) <= SLACK * float(cell) + 1e-7


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_row_names_its_witnesses(case: Case, known: dict[str, set[str]]) -> None:
    """Two libraries, or numbers on paper."""
    told = rows()[case.name][-1]
    assert told == witnesses(case.name, known)
    assert "by hand" in told or "LyCORIS, PEFT" in told
