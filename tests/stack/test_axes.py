"""Values of a grid's axes, and the stack each makes."""

from __future__ import annotations

import pytest

from lib_lora.errors import EntryValueError
from lib_lora.stack.axes import (
    LEAVE_OUT,
    NETWORK,
    ON,
    PASSES,
    TE,
    UNET,
    WEIGHT,
    Value,
    bare_legend,
    edit,
    expand,
    legend,
    read_values,
)
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack

ONE = Stack((Entry("styles/ghibli", hash="c97665df9b71", weight=0.8, te=0.3),))
THREE = Stack(
    (
        Entry("styles/ghibli", role="style"),
        Entry("hero", weight=0.7, role="character"),
        Entry("hat", on=False, role="object"),
    )
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("0.5, 1", [("", 0.5), ("", 1.0)], id="numbers"),
        pytest.param("None,-0.5", [("", None), ("", -0.5)], id="without it, and below 0"),
        pytest.param("0-1 [3]", [("", 0.0), ("", 0.5), ("", 1.0)], id="range by count"),
        pytest.param("0-1 (+0.5)", [("", 0.0), ("", 0.5), ("", 1.0)], id="range by step"),
        pytest.param("1-3", [("", 1.0), ("", 2.0), ("", 3.0)], id="range by one"),
        pytest.param("1-0 (-0.5)", [("", 1.0), ("", 0.5), ("", 0.0)], id="range down"),
        pytest.param("-1-0 [2]", [("", -1.0), ("", 0.0)], id="range from below 0"),
        pytest.param("0.1-0.7 (+0.3)", [("", 0.1), ("", 0.4), ("", 0.7)], id="no dust of rounding"),
        pytest.param("0.5\r\n1", [("", 0.5), ("", 1.0)], id="one below the other"),
        pytest.param("2: 0.5, 1", [("2", 0.5), ("2", 1.0)], id="a target holds"),
        pytest.param("row 2: 0.5, Style: 1", [("2", 0.5), ("style", 1.0)], id="until the next"),
        pytest.param("all: 0-1 [2], None", [("all", 0.0), ("all", 1.0), ("all", None)], id="all rows"),
        pytest.param("", [], id="nothing"),
        pytest.param(" , ,0.5,", [("", 0.5)], id="empty items"),
        pytest.param("0.5\n1", [("", 0.5), ("", 1.0)], id="one a line"),
    ],
)
def test_numbers(text: str, expected: list[tuple[str, float | None]]) -> None:
    assert [(value.target, value.value) for value in read_values(WEIGHT, text)] == expected


def test_names_may_hold_what_a_target_does() -> None:
    values = read_values(NETWORK, '"2: a, b", style:x, odd:name, None')
    assert [(value.target, value.value) for value in values] == [
        ("2", "a, b"),
        ("style", "x"),
        ("style", "odd:name"),
        ("style", None),
    ]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        pytest.param(WEIGHT, "much", id="a word"),
        pytest.param(WEIGHT, "colour: 0.5", id="no role"),
        pytest.param(WEIGHT, "0-1 (+0)", id="a step of nothing"),
        pytest.param(WEIGHT, "0-1 (-0.1)", id="a step the wrong way"),
        pytest.param(WEIGHT, "0-1 [5000]", id="too many"),
        pytest.param(WEIGHT, "nan", id="not a number"),
        pytest.param(LEAVE_OUT, "nan", id="no row at all"),
        pytest.param(LEAVE_OUT, "inf", id="the last of all rows"),
        pytest.param(ON, "2: maybe", id="no switch"),
    ],
)
def test_what_cannot_be_read_is_said(field: str, text: str) -> None:
    with pytest.raises(EntryValueError):
        read_values(field, text)


def weights(stack: Stack) -> list[tuple[float, float, bool]]:
    return [(entry.te_weight, entry.unet_weight, entry.on) for entry in stack.entries]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(Value(WEIGHT, "", 0.5), [(0.5, 0.5, True)], id="one number for both parts"),
        pytest.param(Value(TE, "", 0.5), [(0.5, 0.8, True)], id="text encoder"),
        pytest.param(Value(UNET, "", 0.5), [(0.3, 0.5, True)], id="UNet"),
        pytest.param(Value(WEIGHT, "", None), [(0.3, 0.8, False)], id="without it"),
        pytest.param(Value(ON, "1", False), [(0.3, 0.8, False)], id="off"),
    ],
)
def test_the_only_row_needs_no_target(value: Value, expected: list[tuple[float, float, bool]]) -> None:
    assert weights(edit(ONE, value)) == expected


def test_rows_by_number_role_or_all() -> None:
    assert weights(edit(THREE, Value(WEIGHT, "2", 0.1)))[1] == (0.1, 0.1, True)
    assert weights(edit(THREE, Value(WEIGHT, "style", 0.1)))[0] == (0.1, 0.1, True)
    assert [row[1] for row in weights(edit(THREE, Value(UNET, "all", 0.1)))] == [0.1, 0.1, 1.0]
    assert weights(edit(THREE, Value(WEIGHT, "3", 0.1)))[2] == (0.1, 0.1, True), "an axis switches its row on"


def test_another_network_leaves_the_old_one_s_hash() -> None:
    assert edit(ONE, Value(NETWORK, "", "other")).entries[0] == Entry("other", weight=0.8, te=0.3)


def test_leaving_out_each_row_that_is_on() -> None:
    values = expand(THREE, read_values(LEAVE_OUT, "each"))
    switched = [[entry.on for entry in edit(THREE, value).entries] for value in values]
    assert switched == [[True, True, False], [False, True, False], [True, False, False]]
    assert [legend(THREE, value) for value in values] == ["all", "without ghibli", "without hero"]


def test_leaving_out_by_number_and_role() -> None:
    values = read_values(LEAVE_OUT, "None, 1-2, style")
    assert [legend(THREE, value) for value in values] == [
        "all",
        "without ghibli",
        "without hero",
        "without ghibli",
    ]


@pytest.mark.parametrize(
    ("stack", "value", "said"),
    [
        pytest.param(THREE, Value(WEIGHT, "", 0.5), "which one", id="which of three"),
        pytest.param(THREE, Value(WEIGHT, "4", 0.5), "no row 4: the stack has 3 rows", id="no such row"),
        pytest.param(THREE, Value(WEIGHT, "object", 0.5), "role 'object'", id="only one that is off"),
        pytest.param(Stack(), Value(WEIGHT, "1", 0.5), "empty", id="no rows"),
        pytest.param(ONE, Value(WEIGHT, "", 1e9), "weight must be", id="beyond reason"),
    ],
)
def test_what_no_cell_can_draw(stack: Stack, value: Value, said: str) -> None:
    with pytest.raises(EntryValueError, match=said):
        edit(stack, value)


@pytest.mark.parametrize(
    ("value", "label"),
    [
        pytest.param(Value(WEIGHT, "2", 0.5), "hero: 0.5", id="weight"),
        pytest.param(Value(TE, "2", 1.0), "hero text encoder: 1", id="text encoder"),
        pytest.param(Value(WEIGHT, "all", 0.5), "ghibli + hero: 0.5", id="all"),
        pytest.param(Value(WEIGHT, "2", None), "without hero", id="none"),
        pytest.param(Value(ON, "2", True), "with hero", id="on"),
        pytest.param(Value(ON, "2", False), "without hero", id="off"),
        pytest.param(Value(NETWORK, "2", "styles/b"), "b", id="network"),
    ],
)
def test_labels_of_the_grid(value: Value, label: str) -> None:
    assert legend(THREE, value) == label


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Value(WEIGHT, "2", 0.5), "2: 0.5"),
        (Value(ON, "", True), "on"),
        (Value(TE, "style", None), "style: None"),
    ],
)
def test_values_read_as_they_are_written(value: Value, text: str) -> None:
    assert str(value) == text
    assert read_values(value.field, text) == [value]


TEXTS = (
    pytest.param("region", "box:0,0,0.5,1", id="region"),
    pytest.param("region", "inpaint", id="inpaint"),
    pytest.param("passes", "base,hires:0.5", id="passes"),
    pytest.param("schedule", "0@0,1@0.5", id="schedule"),
    pytest.param("te_schedule", "0.2@0,1@1", id="schedule of the text encoder"),
    pytest.param("blocks", "OUTD", id="blocks of every model"),
    pytest.param("blocks", ",".join("1" * 17), id="blocks of SD 1"),
    pytest.param("blocks", ",".join("1" * 12), id="blocks of SDXL"),
)


@pytest.mark.parametrize(("field", "text"), TEXTS)
def test_where_when_and_in_what_a_row_acts(field: str, text: str) -> None:
    value, nothing, without = read_values(field, f'"{text}", everywhere, None')
    assert value.value == text
    (row,) = edit(ONE, value).entries
    assert getattr(row, field) == text and row.on
    assert legend(ONE, value).endswith(f": {text}")
    assert getattr(edit(Stack((row,)), nothing).entries[0], field) == ""
    assert not edit(ONE, without).entries[0].on


def test_a_text_with_commas_and_a_target_stands_in_quotes() -> None:
    values = read_values("region", '"2: box:0,0,0.5,1", "style: not:2"')
    assert [(value.target, value.value) for value in values] == [("2", "box:0,0,0.5,1"), ("style", "not:2")]


def test_a_role_brings_its_usual_weight() -> None:
    (row,) = edit(ONE, Value("role", "", "style")).entries
    assert (row.role, row.weight, row.te, row.unet) == ("style", 0.45, None, None)


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("region", "inpant", "'inpaint'"),
        ("passes", "hirs", "'hires'"),
        ("schedule", "x", "not a number"),
        ("te_schedule", "x", "te_schedule.*not a number"),
        ("blocks", "OUTX", "'OUTD'"),
        ("blocks", ",".join("1" * 18), "18 numbers"),
        ("role", "styl", "'style'"),
    ],
)
def test_a_text_that_cannot_be_is_refused_before_the_grid(field: str, text: str, says: str) -> None:
    with pytest.raises(EntryValueError, match=says):
        edit(ONE, Value(field, "", text))


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (Value(WEIGHT, "2", 0.5), "row 2: 0.5"),
        (Value(TE, "style", 0.25), "style text encoder: 0.25"),
        (Value(UNET, "", 1.0), "row UNet: 1"),
        (Value(WEIGHT, "all", None), "without all"),
        (Value(ON, "2", True), "with row 2"),
        (Value(ON, "2", False), "without row 2"),
        (Value(LEAVE_OUT, "", None), "all"),
        (Value(LEAVE_OUT, "", "2"), "without row 2"),
        (Value(NETWORK, "1", "styles/b"), "row 1: styles/b"),
        (Value(PASSES, "1", "base"), "row 1: base"),
    ],
)
def test_labels_where_no_stack_tells_names(value: Value, label: str) -> None:
    assert bare_legend(value) == label
