"""The stack text comes back as it went out, and what is not a stack is refused in words."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_lora.errors import (
    EntryValueError,
    NotImplementedFieldError,
    StackError,
    StackSyntaxError,
    StackVersionError,
)
from lib_lora.stack.entry import Entry
from lib_lora.stack.serialization import (
    CHARACTER_LIMIT,
    ROW_LIMIT,
    decode,
    encode,
    require_implemented,
    to_json,
)
from lib_lora.stack.stack import Stack
from tests.stack.strategies import json_values, stack_extras, stacks

TWO_ROWS = '{"version":1,"entries":[{"network":"a"},{"network":"styles/ghibli","weight":%s}]}'


@given(stacks, stack_extras)
def test_what_is_written_is_read(stack: Stack, extra: tuple[tuple[str, object], ...]) -> None:
    whole = decode({**to_json(stack), **dict(extra)})
    assert decode(encode(whole)) == whole
    assert decode(encode(stack)) == stack


@given(stacks)
def test_text_object_and_json_round_trip_agree(stack: Stack) -> None:
    assert decode(to_json(stack)) == decode(encode(stack)) == decode(json.loads(json.dumps(to_json(stack))))
    assert encode(decode(encode(stack))) == encode(stack)
    assert "\n" not in encode(stack)


@given(st.text() | json_values)
def test_anything_else_is_refused_as_a_stack_error(value: object) -> None:
    try:
        stack = decode(value)  # type: ignore[arg-type]
    except StackError:
        return
    assert isinstance(stack, Stack)


def test_canonical_form() -> None:
    stack = Stack(
        (
            Entry("styles/ghibli", hash="c97665df9b71", weight=0.8000000001, te=1, on=False, role="style"),
            Entry("ネオン", weight=1.0, extra=(("colour", "赤"),)),
        )
    )
    assert encode(stack) == (
        '{"version":1,"entries":[{"network":"styles/ghibli","hash":"c97665df9b71","weight":0.8,"te":1,'
        '"on":false,"role":"style"},{"network":"ネオン","colour":"赤"}]}'
    )


def test_the_example_of_the_design_is_read() -> None:
    text = """{"version": 1, "entries": [
      {"network": "styles/ghibli", "hash": "c97665df9b71", "weight": 0.8, "te": 0.6, "on": true,
       "role": "style", "schedule": "0@0,1@0.5", "blocks": "OUTD", "region": "inpaint",
       "passes": "base,hires"}]}"""
    (row,) = decode(text).entries
    assert (row.weight, row.te, row.schedule, row.passes) == (0.8, 0.6, "0@0,1@0.5", "base,hires")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty text"),
        pytest.param("  \n", id="white space"),
        pytest.param("\ufeff", id="byte order mark"),
        pytest.param(None, id="nothing"),
        pytest.param([], id="empty list"),
        pytest.param({}, id="empty object"),
        pytest.param('{"version":1,"entries":[]}', id="no rows"),
    ],
)
def test_empty_stacks(value: object) -> None:
    assert decode(value) == Stack()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param('{"version":1,"entries":[{"network":"a","weight":0.5}]}', id="text"),
        pytest.param('\ufeff{"entries":[{"network":"a","weight":0.5}]}', id="text with byte order mark"),
        pytest.param('[{"network":"a","weight":0.5}]', id="text of a bare list"),
        pytest.param([{"network": "a", "weight": 0.5}], id="bare list"),
        pytest.param({"entries": [{"network": "a", "weight": 0.5}]}, id="object without version"),
        pytest.param({"version": 1, "entries": ({"network": "a", "weight": 0.5},)}, id="tuple of rows"),
        pytest.param({"version": 1.0, "entries": [{"network": "a", "weight": 0.5}]}, id="version 1.0"),
        pytest.param([{"network": "a", "weight": 0.5, "te": None}], id="te null is te absent"),
    ],
)
def test_every_form_of_one_row(value: object) -> None:
    assert decode(value) == Stack((Entry("a", weight=0.5),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        pytest.param(
            '"abc"', 'row 2 (styles/ghibli): weight must be a number such as 0.8, not "abc"', id="a word"
        ),
        pytest.param('"0.8"', "without quotes", id="a number in quotes"),
        pytest.param("true", "weight must be a number such as 0.8, not true", id="true"),
        pytest.param("NaN", "row 2 (styles/ghibli): weight must be from -100 to 100, not NaN", id="NaN"),
        pytest.param("Infinity", "not Infinity", id="Infinity"),
        pytest.param("-Infinity", "not -Infinity", id="minus Infinity"),
        pytest.param("1e9", "row 2 (styles/ghibli): weight must be from -100 to 100", id="1e9"),
        pytest.param("1e999", "not Infinity", id="too large for a number"),
        pytest.param("9" * 400, "more than 18 digits", id="400 digits"),
    ],
)
def test_bad_weights_name_the_row(written: str, message: str) -> None:
    with pytest.raises(EntryValueError) as caught:
        decode(TWO_ROWS % written)
    assert message in str(caught.value)
    assert caught.value.status_code == 422


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('{"version":1,"entries":[', "line 1, column 25", id="cut off"),
        pytest.param('{"version":1,\n"entries":x}', "line 2, column 11", id="second line"),
        pytest.param("hello", "line 1, column 1", id="prose"),
        pytest.param("5", "must be an object or a list of rows, not 5", id="a number"),
        pytest.param('"x"', 'not "x"', id="a quoted word"),
        pytest.param("null", "null", id="null"),
        pytest.param("[" * 100_000, "nested too deeply", id="a hundred thousand brackets"),
        pytest.param('{"a":' * 100_000, "nested too deeply", id="a hundred thousand braces"),
        pytest.param('{"entries":[],"entries":[]}', "'entries' twice", id="entries twice"),
        pytest.param('[{"network":"a","network":"b"}]', "'network' twice", id="network twice"),
        pytest.param('{"enties":[{"network":"a"}]}', "Nearest: 'enties'", id="entries mistyped"),
        pytest.param('{"version":1}', "no list of rows", id="no entries"),
        pytest.param('{"network":"a","weight":1}', "no list of rows", id="a row without a list"),
        pytest.param('{"entries":{"network":"a"}}', "no list of rows", id="entries is an object"),
        pytest.param('{"entries":"a"}', "no list of rows", id="entries is text"),
        pytest.param('{"entries":[],"x":NaN}', "not finite", id="unknown field is NaN"),
        pytest.param(
            '{"entries":[],"x":"\\ud800"}', "not valid text", id="unknown field is half a character"
        ),
        pytest.param('{"entries":[],"\\ud800":1}', "not valid text", id="unknown name is half a character"),
        pytest.param(
            '{"entries":[],"x":' + "[" * 50 + "]" * 50 + "}", "nested more than", id="deep unknown field"
        ),
        pytest.param('[{"network":"a","weight":' + "9" * 5000 + "}]", "too long to read", id="5000 digits"),
        pytest.param(" " * (CHARACTER_LIMIT + 1), "1000001 characters", id="too long"),
        pytest.param(
            "[" + '{"network":"a"},' * ROW_LIMIT + '{"network":"a"}]', "1001 rows", id="too many rows"
        ),
    ],
)
def test_text_that_is_no_stack(text: str, message: str) -> None:
    with pytest.raises(StackSyntaxError) as caught:
        decode(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(5, id="a number"),
        pytest.param(True, id="true"),
        pytest.param(b"[]", id="bytes"),
        pytest.param({1: 2, "entries": []}, id="a name that is no text"),
    ],
)
def test_objects_that_are_no_stack(value: object) -> None:
    with pytest.raises(StackSyntaxError):
        decode(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param({}, "row 1: no 'network' is given", id="an empty row"),
        pytest.param({"netwrok": "a"}, "Nearest: 'netwrok'", id="network mistyped"),
        pytest.param({"network": ""}, "row 1: network is empty", id="no name"),
        pytest.param({"network": None}, "row 1: network must be text", id="name is null"),
        pytest.param("a", 'row 1: must be an object such as {"network": "x"}, not "a"', id="a bare name"),
        pytest.param(None, "row 1: must be an object", id="null"),
        pytest.param({"network": "a", "on": "yes"}, "row 1 (a): on must be true or false", id="on is a word"),
        pytest.param({"network": "a", 5: 1}, "row 1 (a): 5 is not the name of a field", id="field named 5"),
    ],
)
def test_rows_that_are_none(row: object, message: str) -> None:
    with pytest.raises(EntryValueError) as caught:
        decode([row])
    assert message in str(caught.value)


@pytest.mark.parametrize("version", [2, 0, "1", True, None, math.nan, [1]], ids=repr)
def test_other_versions_name_both(version: object) -> None:
    with pytest.raises(StackVersionError, match="reads version 1"):
        decode({"version": version, "entries": []})


def test_a_later_version_says_which() -> None:
    with pytest.raises(StackVersionError, match="written as version 2; this LoRA Stack reads version 1"):
        decode('{"version": 2, "rows": []}')


def test_zero_is_not_off() -> None:
    rows = (Entry("a", weight=0.0), Entry("b", on=False), Entry("c"))
    assert Stack(rows).active() == (rows[0], rows[2])


def test_a_mistyped_field_is_refused_instead_of_ignored() -> None:
    stack = decode([{"network": "a", "wieght": 0.3}])
    with pytest.raises(NotImplementedFieldError, match=r"row 1 \(a\): there is no field 'wieght'.*'weight'"):
        require_implemented(stack)


def test_unknown_fields_that_resemble_none_do_no_harm() -> None:
    require_implemented(decode([{"network": "a", "colour": "red", "dyn": 4}]))
