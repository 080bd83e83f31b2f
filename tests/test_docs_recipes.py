"""The tables of docs/recipes.md and docs/aiming.md are those that the pictures were measured with."""

from __future__ import annotations

import json
import re

import pytest

from demo import tables
from demo.recipes import RECIPES
from demo.two_figures import WAYS


def measured(name: str) -> dict[str, dict[str, object]]:
    return json.loads((tables.DOCS / "pictures" / f"{name}.json").read_text(encoding="utf-8"))


def table(page: str, name: str) -> list[list[str]]:
    text = (tables.DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"<!-- table {name} -->\n(.*?)<!-- end -->", text, re.DOTALL)
    assert found is not None, name
    lines = [line.strip("| ").split(" | ") for line in found[1].splitlines()]
    return [lines[0], *lines[2:]]


@pytest.mark.parametrize("name", [name for name, *_ in RECIPES])
def test_a_recipe_s_figures_are_those_of_its_pictures(name: str) -> None:
    head, row = table("recipes.md", name)
    numbers = measured("recipes")[name]
    assert dict(zip(head, map(float, row), strict=True)) == numbers


def test_the_colours_of_two_figures_are_those_of_their_pictures() -> None:
    _, *rows = table("aiming.md", "regions")
    shares = measured("regions")
    assert [row[0] for row in rows] == list(shares) == [label.replace("\n", " ") for label, _ in WAYS]
    for row in rows:
        told = [share for pair in shares[row[0]].values() for share in pair]  # type: ignore[attr-defined]
        assert [float(cell) for cell in row[1:]] == told


def test_a_table_without_a_place_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"recipes\.md has no table 'nothing'"):
        tables.put_table("recipes.md", "nothing", "")
