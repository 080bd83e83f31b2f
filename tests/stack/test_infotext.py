"""The stack survives the way through a picture's parameters and back."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given

from lib_lora.errors import EntryValueError, StackError, StackSyntaxError, StackVersionError
from lib_lora.stack.entry import Entry
from lib_lora.stack.infotext import KEY, read, write
from lib_lora.stack.stack import Stack
from tests.stack.strategies import stacks

# How A1111 1.10 writes and reads one parameter (infotext_utils.quote, unquote and re_param).
PARAMETER = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')


def quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if re.search(r"[,:\n]", text) else text


@given(stacks)
def test_through_the_host(stack: Stack) -> None:
    line = f"Steps: 20, Sampler: Euler a, {KEY}: {quote(write(stack))}, Version: v1.10.1"
    assert "\n" not in line
    values = dict(PARAMETER.findall(line))
    assert values["Steps"] == "20"
    assert values["Version"] == "v1.10.1"
    assert read(values[KEY]) == stack
    assert read(json.loads(values[KEY])) == stack


@given(stacks)
def test_quoted_twice(stack: Stack) -> None:
    assert read(f" {quote(quote(write(stack)))} \n") == stack


def test_the_key_is_one_the_host_can_parse() -> None:
    assert PARAMETER.fullmatch(f"{KEY}: x")


@pytest.mark.parametrize("text", ["", "  ", '""'], ids=["nothing", "white space", "empty quotes"])
def test_nothing_is_the_empty_stack(text: str) -> None:
    assert read(text) == Stack()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("Euler a", "'Euler a' is not what 'LoRA Stack' holds", id="another value"),
        pytest.param("None", "'None' is not what", id="None"),
        pytest.param("guo1.5(c97665df9b71)", "is not what", id="an AddNet model"),
        pytest.param('"{\\"version\\":1', "ends in the middle", id="cut inside the quotes"),
        pytest.param('{"version":1', "not complete JSON", id="cut at the first comma"),
        pytest.param('"hello"', "is not what", id="quoted prose"),
        pytest.param('"' * 9, "ends in the middle", id="only quotes"),
        pytest.param("x" * 2_000_000, "is not what", id="two million letters"),
        pytest.param('"' + "x" * 2_000_000 + '"', "is not what", id="two million quoted letters"),
    ],
)
def test_pasted_junk(text: str, message: str) -> None:
    with pytest.raises(StackSyntaxError) as caught:
        read(text)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


def test_errors_inside_the_stack_come_through() -> None:
    with pytest.raises(StackVersionError):
        read(quote('{"version":7,"entries":[]}'))
    with pytest.raises(EntryValueError, match="row 1"):
        read(quote('{"entries":[{"network":"a","weight":"x"}]}'))


def test_every_failure_is_one_the_api_answers_with_422() -> None:
    with pytest.raises(StackError) as caught:
        read("junk")
    assert caught.value.status_code == 422
    assert caught.value.detail == str(caught.value)


def test_rows_that_are_off_are_written_too() -> None:
    stack = Stack((Entry("a", on=False, weight=0.3),))
    assert read(write(stack)) == stack
