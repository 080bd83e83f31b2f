"""A row refuses every value that cannot be, and says which field and why."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, fields

import pytest

from lib_lora.errors import EntryValueError
from lib_lora.stack.entry import FIELDS, TEXT_LIMIT, WEIGHT_LIMIT, Entry, row_title, shown


def test_a_row_is_a_value() -> None:
    row = Entry("neon", extra=(("note", {"colours": ["red"]}),))
    assert row == Entry("neon", extra=(("note", {"colours": ["red"]}),))
    assert hash(row) == hash(Entry("neon", extra=(("note", {"colours": ["red"]}),)))
    with pytest.raises(FrozenInstanceError):
        row.weight = 2.0  # type: ignore[misc]


def test_a_list_given_as_extra_cannot_be_changed_behind_the_row() -> None:
    colours = ["red"]
    row = Entry("neon", extra=(("colours", colours),))
    colours.append("blue")
    assert dict(row.extra)["colours"] == ("red",)


def test_the_table_has_every_field_in_order() -> None:
    assert [known.name for known in FIELDS] == [declared.name for declared in fields(Entry)][:-1]
    assert all(known.doc and known.kind in ("text", "number", "switch") for known in FIELDS)


@pytest.mark.parametrize(
    ("row", "unet", "te"),
    [
        pytest.param(Entry("n", weight=0.5), 0.5, 0.5, id="one weight for both"),
        pytest.param(Entry("n", weight=0.5, te=0.2), 0.5, 0.2, id="text encoder of its own"),
        pytest.param(Entry("n", weight=0.5, unet=0.9), 0.9, 0.5, id="unet of its own"),
        pytest.param(Entry("n", weight=0.5, te=0.0, unet=0.0), 0.0, 0.0, id="zero is a weight, not absence"),
    ],
)
def test_parts_override_the_weight(row: Entry, unet: float, te: float) -> None:
    assert (row.unet_weight, row.te_weight) == (unet, te)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param(0.1 + 0.2, 0.3, id="slider arithmetic"),
        pytest.param(0.8000000001, 0.8, id="finer than six decimals"),
        pytest.param(1, 1.0, id="whole number"),
        pytest.param(WEIGHT_LIMIT, 100.0, id="the limit itself"),
        pytest.param(-WEIGHT_LIMIT, -100.0, id="the negative limit"),
    ],
)
def test_weights_are_kept_to_six_decimals(given: float, kept: float) -> None:
    weight = Entry("n", weight=given).weight
    assert type(weight) is float
    assert weight == kept


def test_minus_zero_is_zero() -> None:
    assert math.copysign(1.0, Entry("n", weight=-0.0).weight) == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"weight": "abc"}, 'weight must be a number such as 0.8, not "abc"', id="weight is a word"
        ),
        pytest.param({"weight": "0.8"}, "without quotes", id="weight is a number in quotes"),
        pytest.param({"weight": True}, "weight must be a number such as 0.8, not true", id="weight is true"),
        pytest.param({"weight": None}, "weight must be a number such as 0.8, not null", id="weight is null"),
        pytest.param(
            {"weight": [0.8]}, "weight must be a number such as 0.8, not [0.8]", id="weight is a list"
        ),
        pytest.param({"weight": math.nan}, "weight must be from -100 to 100, not NaN", id="weight is NaN"),
        pytest.param({"weight": math.inf}, "not Infinity", id="weight is infinite"),
        pytest.param({"weight": -math.inf}, "not -Infinity", id="weight is minus infinity"),
        pytest.param(
            {"weight": 1e9}, "weight must be from -100 to 100, not 1000000000.0", id="weight is 1e9"
        ),
        pytest.param({"weight": 100.1}, "from -100 to 100", id="weight just beyond the limit"),
        pytest.param({"weight": 10**400}, "a number of more than 18 digits", id="weight of 400 digits"),
        pytest.param({"te": "x"}, "te must be a number", id="te is a word"),
        pytest.param({"unet": math.nan}, "unet must be from", id="unet is NaN"),
        pytest.param({"feather": -0.1}, "feather must be from 0 to 0.5", id="feather below zero"),
        pytest.param({"feather": math.inf}, "feather must be from 0 to 0.5", id="feather infinite"),
        pytest.param({"on": 1}, "on must be true or false, not 1", id="on is a number"),
        pytest.param({"on": "true"}, 'on must be true or false, not "true"', id="on is a word"),
        pytest.param({"hash": 12}, "hash must be text", id="hash is a number"),
        pytest.param({"schedule": [0, 1]}, "schedule must be text", id="schedule is a list"),
        pytest.param({"network": ""}, "network is empty", id="no name"),
        pytest.param({"network": "  "}, "network is empty", id="a name of spaces"),
        pytest.param({"network": 5}, "network must be text", id="the name is a number"),
        pytest.param({"network": "\ud800"}, "not valid text", id="half a character"),
        pytest.param({"network": "x" * (TEXT_LIMIT + 1)}, "1001 characters", id="a name of 1001 characters"),
        pytest.param({"extra": (("weight", 1),)}, "'weight' is given twice", id="extra repeats a field"),
        pytest.param({"extra": (("a", 1), ("a", 2))}, "'a' is given twice", id="extra repeats itself"),
        pytest.param({"extra": (("a", math.nan),)}, "not finite", id="extra holds NaN"),
        pytest.param({"extra": (("a", object()),)}, "JSON cannot express", id="extra holds no JSON"),
        pytest.param({"extra": ((1, 2),)}, "1 is not the name of a field", id="extra named by a number"),
        pytest.param({"extra": (("a", {1: 2}),)}, "not text", id="extra object named by a number"),
    ],
)
def test_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(EntryValueError) as caught:
        Entry(**{"network": "n", **change})  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_a_nesting_bomb_in_an_unknown_field_is_refused() -> None:
    bomb: object = 0
    for _ in range(5000):
        bomb = [bomb]
    with pytest.raises(EntryValueError, match="nested more than"):
        Entry("n", extra=(("bomb", bomb),))


def test_rows_are_counted_from_one() -> None:
    assert row_title(1, "styles/ghibli") == "row 2 (styles/ghibli)"
    assert row_title(0) == "row 1"
    assert len(row_title(0, "x" * 500)) < 100


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("x" * 100, '"' + "x" * 38 + "…", id="long text is cut"),
        pytest.param({1, 2}, "set", id="what JSON cannot say is named by its type"),
        pytest.param(-(10**30), "a number of more than 18 digits", id="huge whole number"),
        pytest.param(False, "false", id="as JSON spells it"),
    ],
)
def test_values_are_shown_as_written(value: object, text: str) -> None:
    assert shown(value) == text
