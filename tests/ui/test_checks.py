"""What is wrong with a stack, row by row."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lib_lora.library.library import Library
from lib_lora.library.network_file import NetworkFile
from lib_lora.stack import region
from lib_lora.ui.checks import check_stack
from tests.ui.files import write_network


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("lora")
    write_network(folder / "styles" / "ghibli.safetensors", fill=1)
    write_network(folder / "a" / "same.safetensors", fill=2)
    write_network(folder / "b" / "same.safetensors", fill=3)
    library = Library([folder])
    library.scan()
    return library


def problems(text: str, library: Library) -> list[str]:
    answer = check_stack(text, library)
    assert answer["problem"] == ""
    return [row["problem"] for row in answer["rows"]]


@pytest.mark.parametrize("text", ["", '{"version":1,"entries":[]}', "[]"], ids=["no text", "no rows", "list"])
def test_an_empty_stack_has_nothing_wrong(text: str, library: Library) -> None:
    assert check_stack(text, library) == {"problem": "", "rows": []}


def test_a_good_row_comes_with_its_file(library: Library) -> None:
    (row,) = check_stack('[{"network": "ghibli", "weight": 0.8}]', library)["rows"]
    assert row["file"]["label"] == "styles/ghibli"
    assert row["problem"] == ""


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('{"network": "gibli"}', "styles/ghibli"),
        ('{"network": "same"}', "b/same"),
        ('{"network": "ghibli", "weight": "abc"}', '"abc"'),
        ('{"network": "ghibli", "weight": 1e9}', "100"),
        ('{"network": "ghibli", "weight": 1e999}', "Infinity"),
        ('{"network": "ghibli", "on": "yes"}', "true or false"),
        ('{"network": ""}', "empty"),
        ('{"weight": 1}', "network"),
        ('{"network": 7}', "must be text"),
        ('{"network": "ghibli", "blocks": "OUTDD"}', "'OUTD'"),
        ('{"network": "ghibli", "blocks": "1,1,1"}', "17 or 26"),
        ('{"network": "ghibli", "start": "soon"}', '"soon"'),
        ('{"network": "ghibli", "schedule": "1@0.5,0@0.2"}', "must rise"),
        ('{"network": "ghibli", "te_schedule": "often"}', '"often"'),
        ('{"network": "ghibli", "region": "inpant"}', "'inpaint'"),
        ('{"network": "ghibli", "region": "mask:left"}', "no mask called"),
        ('{"network": "ghibli", "region": "not:1"}', "acts in the whole picture"),
        ('{"network": "ghibli", "passes": "hirs"}', "'hires'"),
        ('{"network": "ghibli", "side": "positiv"}', "'positive'"),
        ('{"network": "ghibli", "wieght": 1}', "weight"),
        ("7", "object"),
        ("null", "object"),
    ],
)
def test_a_bad_row_is_told_apart_from_good_ones(row: str, told: str, library: Library) -> None:
    before, problem, after = problems(f'[{{"network":"ghibli"}},{row},{{"network":"ghibli"}}]', library)
    assert (before, after) == ("", "")
    assert told in problem
    assert not problem.startswith("row "), "the row itself shows which one it is"
    assert problem[0].isupper() or problem[0] == "'"


def test_every_row_says_how_its_file_meets_the_checkpoint(library: Library) -> None:
    text = '[{"network": "ghibli"}, {"network": "ghibli", "start": "soon"}, {"network": "x"}, {"network": 7}]'

    def fit(file: NetworkFile) -> dict[str, Any]:
        return {"fits": True, "of": file.label}

    told = [row["fit"] for row in check_stack(text, library, fit)["rows"]]
    assert told == [{"fits": True, "of": "styles/ghibli"}] * 2 + [None, None]
    assert [row["fit"] for row in check_stack(text, library)["rows"]] == [None] * 4


def test_several_bad_rows_are_all_told(library: Library) -> None:
    found = problems(
        '[{"network": "x"}, {"network": "ghibli"}, {"network": "ghibli", "weight": []}]', library
    )
    assert [bool(problem) for problem in found] == [True, False, True]


def test_a_row_that_is_off_may_be_aimed_at_nothing(library: Library) -> None:
    assert problems('[{"network": "ghibli", "region": "inpant", "on": false}]', library) == [""]


def test_masks_belong_to_the_whole_stack(library: Library) -> None:
    rows = '[{"network": "ghibli", "region": "mask:left"}, {"network": "ghibli", "region": "not:1"}]'
    text = f'{{"version": 1, "masks": {{"left": "0123456789abcdef"}}, "entries": {rows}}}'
    assert problems(text, library) == ["", ""]


@pytest.mark.parametrize(
    "text",
    ["{", "4", '{"version": 9, "entries": []}', '{"version": 1}', '{"a": 1, "a": 2}'],
    ids=["half", "number", "later version", "no rows", "twice"],
)
def test_a_text_that_cannot_be_read_is_told_as_a_whole(text: str, library: Library) -> None:
    answer: dict[str, Any] = check_stack(text, library)
    assert answer["rows"] == []
    assert len(answer["problem"]) > 20


def test_each_region_of_a_long_stack_is_read_once(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred rows were asked about two hundred times each, which took a second at every edit."""
    read: list[str] = []
    monkeypatch.setattr(region, "read_region", lambda text, feather: read.append(text))
    rows = [{"network": "ghibli", "region": "inpaint"}] * 50
    assert problems(json.dumps(rows), library) == [""] * 50
    assert len(read) == 50
