"""The page about families lists exactly what the tests hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.table import CASES, SHAPES
from tests.oracles.test_lycoris import ORACLES as LYCORIS
from tests.oracles.test_peft import ORACLES as PEFT

PAGE = Path(__file__).parents[1] / "docs" / "families.md"
BOUND = 1e-6


def rows() -> dict[str, list[str]]:
    """The cells of the table of errors, by spelling."""
    table = PAGE.read_text(encoding="utf-8").split("| checked with |")[1]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:] if line]
    return {name: rest for name, *rest in cells}


def test_every_spelling_is_on_the_page() -> None:
    assert list(rows()) == [case.name for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_row_says_what_is_tested(case: object) -> None:
    *errors, checked = rows()[case.name]
    for host, error in zip(SHAPES, errors, strict=True):
        assert (error == "–") is (host not in case.hosts)
        assert error == "–" or float(error) <= BOUND
    libraries = [
        name
        for name, table in (("LyCORIS", LYCORIS), ("PEFT", PEFT))
        if case.name in [row[0] for row in table]
    ]
    assert checked == (", ".join(libraries) or "–")
