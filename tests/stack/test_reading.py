"""A stack found in whatever somebody pastes."""

from __future__ import annotations

import json

import pytest

from lib_lora.errors import EntryValueError, StackError, StackSyntaxError, StackVersionError
from lib_lora.stack.reading import read_parameters, read_text

STACK = '{"version":1,"entries":[{"network":"a, b: \\"c\\"","weight":0.8}]}'
QUOTED = json.dumps(STACK)
TAGS = "a girl, <lora:ghibli:0.8:0.5>, hat"
HASHES = 'Steps: 20, Sampler: Euler, Seed: 1, Lora hashes: "ghibli: c97665df9b71, other: 0x12"'


@pytest.mark.parametrize(
    "text",
    [
        STACK,
        f"\n  {STACK}\n",
        '[{"network":"a, b: \\"c\\"","weight":0.8}]',
        QUOTED,
        f"a girl, hat\nNegative prompt: blurry\nSteps: 20, Seed: 1, LoRA Stack: {QUOTED}, Version: 1.10",
        f"Steps: 20, LoRA Stack: {QUOTED}",
        f"LoRA Stack: {QUOTED}",
        f"Steps: 20, LoRA Stack: {STACK}, Version: 1.10",
    ],
    ids=["text", "spaces", "list", "quoted", "parameters", "at the end", "the key alone", "unquoted"],
)
def test_our_own_stack_is_found(text: str) -> None:
    assert read_text(text) == STACK


def test_brackets_without_end_are_no_stack() -> None:
    for text in ("[" * 100_000, f"LoRA Stack: {'[' * 100_000}", f'LoRA Stack: "{"[" * 100_000}"'):
        with pytest.raises(StackSyntaxError):
            read_text(text)


def test_a_row_that_cannot_be_read_is_kept_for_the_panel_to_show() -> None:
    text = '{"version":1,"entries":[{"network":"a","weight":"abc"}]}'
    assert read_text(text) == text
    assert read_text(f"LoRA Stack: {json.dumps(text)}") == text


def test_pictures_of_addnet() -> None:
    text = (
        "a girl\nSteps: 20, Sampler: Euler, Seed: 1, AddNet Enabled: True, AddNet Module 1: LoRA, "
        "AddNet Model 1: ghibli(c97665df9b71), AddNet Weight A 1: 0.4, AddNet Weight B 1: 0.2"
    )
    (row,) = json.loads(read_text(text))["entries"]
    assert row == {"network": "ghibli", "hash": "c97665df9b71", "weight": 0.4, "te": 0.2}


def test_pictures_of_the_built_in_lora_with_their_hashes() -> None:
    (row,) = json.loads(read_text(f"{TAGS}\nNegative prompt: <lora:no:1>\n{HASHES}"))["entries"]
    assert row == {"network": "ghibli", "hash": "c97665df9b71", "weight": 0.5, "te": 0.8}


def test_a_prompt_alone() -> None:
    (row,) = json.loads(read_text(TAGS))["entries"]
    assert row["network"] == "ghibli"
    assert "hash" not in row


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a prompt without any", StackSyntaxError),
        ("", StackSyntaxError),
        ('LoRA Stack: "{\\"version', StackSyntaxError),
        ('{"version":1,', StackSyntaxError),
        ('{"version":9,"entries":[]}', StackVersionError),
        ("<lora:a:much>", EntryValueError),
    ],
    ids=["prompt", "nothing", "half a value", "half a stack", "later", "no number"],
)
def test_what_holds_no_stack_says_so(text: str, kind: type[StackError]) -> None:
    with pytest.raises(kind):
        read_text(text)


def test_parameters_are_told_from_a_prompt() -> None:
    prompt, params = read_parameters(f'two\nlines\nNegative prompt: no\n{HASHES}, Odd: "a, \\"b\\""')
    assert prompt == "two\nlines"
    assert params["Sampler"] == "Euler"
    assert params["Odd"] == 'a, "b"'
    assert read_parameters("a girl, style: bold") == ("a girl, style: bold", {})
