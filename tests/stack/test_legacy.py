"""AddNet's arguments and keys, in every layout it ever had."""

from __future__ import annotations

from typing import Any

import pytest

from lib_lora.errors import EntryValueError, StackError
from lib_lora.stack.addnet import MODULE_KEY, default_arguments
from lib_lora.stack.entry import Entry
from lib_lora.stack.legacy import (
    ENABLED_KEY,
    is_enabled,
    mask_argument,
    read_arguments,
    read_keys,
    split_model,
    write_keys,
)
from lib_lora.stack.serialization import decode

GUO = Entry("guo1.5", hash="c97665df9b71", weight=0.3, te=0.6)
NONE = ("LoRA", "None", 1, 1)


def test_24_arguments_of_five_slots() -> None:
    args = default_arguments()
    assert len(args) == 24
    assert args[:6] == (False, False, "LoRA", "None", 1.0, 1.0)
    assert args[22:] == (None, "Refresh models")
    assert read_arguments(args) == ()


@pytest.mark.parametrize(
    "args",
    [
        pytest.param([True, False, "LoRA", "guo1.5(c97665df9b71)", 0.3, 0.6], id="one slot alone"),
        pytest.param(
            [True, True, "LoRA", "guo1.5(c97665df9b71)", 0.3, 0.6, *NONE * 4, None, "Refresh models"],
            id="v0.5 with mask",
        ),
        pytest.param(
            [True, False, *NONE, "LoRA", "guo1.5(c97665df9b71)", 0.3, 0.6, *NONE * 3, "Refresh models"],
            id="v0.4, whose button stands where the mask is now",
        ),
        pytest.param([1, None, None, "guo1.5 (C97665DF9B71)", 0.3, 0.6], id="numbers and nulls"),
    ],
)
def test_layouts_with_two_weights(args: list[Any]) -> None:
    assert read_arguments(args) == (GUO,)


@pytest.mark.parametrize("slots", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("button", [True, False])
def test_the_first_layout_filled_up_by_the_host(slots: int, button: bool) -> None:
    """v0.1 to v0.3; the host puts the sent values over the defaults of the later layout."""
    sent: list[Any] = [True]
    for number in range(slots):
        sent += ["LoRA", f"m{number}(0123abcd)", 0.5]
    sent += ["Refresh models"] * button
    filled = [*sent, *default_arguments()[len(sent) :]]
    expected = tuple(Entry(f"m{number}", hash="0123abcd", weight=0.5) for number in range(slots))
    assert read_arguments(sent) == expected
    assert read_arguments(filled) == expected


def test_off_is_not_looked_at() -> None:
    assert read_arguments([False, False, "LoRA", 7, "x", None, None]) == ()
    assert read_arguments([]) == ()
    assert read_arguments([None]) == ()


def test_both_weights_at_0_is_off_and_one_is_not() -> None:
    args = [True, True, "LoRA", "a", 0, 0, "LoRA", "b", 0, 0.5]
    assert read_arguments(args) == (Entry("b", weight=0, te=0.5),)


def test_more_slots_by_the_flag() -> None:
    args = [True, False, *NONE * 6, "LoRA", "a", 1, 1]
    assert read_arguments(args, slots=7) == (Entry("a"),)


@pytest.mark.parametrize(
    ("args", "named"),
    [
        pytest.param(["yes"], ["first argument", "yes"], id="switch is a word"),
        pytest.param([True, "LoHa", "a", 1], ["second argument", "LoHa"], id="no layout at all"),
        pytest.param([True, False, "LoHa", "a", 1, 1], ["slot 1 (a)", "module", "LoHa"], id="another module"),
        pytest.param([True, False, "LoRA", 3, 1, 1], ["slot 1", "must be text"], id="a number as model"),
        pytest.param(
            [True, False, *NONE, "LoRA", "a", "1", 1], ["slot 2 (a)", "weight", "quotes"], id="weight is text"
        ),
        pytest.param([True, False, "LoRA", "a", 1, True], ["slot 1 (a)", "te"], id="weight is a switch"),
        pytest.param([True, False, "LoRA", "a", float("nan"), 1], ["weight"], id="not a number"),
        pytest.param([True, "LoRA", "a", []], ["slot 1 (a)", "weight"], id="weight is a list"),
        pytest.param([True, False, *NONE * 6], ["5 slots"], id="six slots"),
    ],
)
def test_wrong_arguments_are_named(args: list[Any], named: list[str]) -> None:
    with pytest.raises(EntryValueError) as caught:
        read_arguments(args)
    for word in named:
        assert word in str(caught.value)


@pytest.mark.parametrize("mask", ["aGVsbG8=", {"image": ""}, [1]])
def test_a_mask_is_handed_on(mask: Any) -> None:
    assert mask_argument([True, False, *NONE * 5, mask, "Refresh models"]) is mask


@pytest.mark.parametrize(
    "rest", [(), (None,), ("",), (None, "Refresh models"), ("Refresh models",)], ids=lambda rest: str(rest)
)
def test_no_mask_is_none(rest: tuple[Any, ...]) -> None:
    assert mask_argument([True, False, *NONE * 5, *rest]) is None
    assert mask_argument([True, "LoRA", "a", 1.0]) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("guo1.5(c97665df9b71)", ("guo1.5", "c97665df9b71"), id="12 digits"),
        pytest.param("guo (C97665DF)", ("guo", "c97665df"), id="8 digits"),
        pytest.param("guo(2)(c97665df9b71)", ("guo(2)", "c97665df9b71"), id="brackets in the name"),
        pytest.param("guo(2)", ("guo(2)", ""), id="no hash"),
        pytest.param("guo(0x97665df9b71)", ("guo", ""), id="a hash of OneTrainer's"),
        pytest.param("/home/a/guo.safetensors", ("guo", ""), id="a path"),
        pytest.param("C:\\loras\\guo.pt", ("guo", ""), id="a path on Windows"),
        pytest.param("styles/guo", ("styles/guo", ""), id="a label"),
    ],
)
def test_models(text: str, expected: tuple[str, str]) -> None:
    assert split_model(text) == expected


def rows(params: dict[str, Any]) -> tuple[Entry, ...]:
    document = read_keys(params)
    return () if document is None else decode(document).entries


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({"Steps": "20"}, (), id="none"),
        pytest.param({"AddNet Enabled": "True", "AddNet Model 1": "None"}, (), id="only an empty slot"),
        pytest.param(
            {
                "AddNet Enabled": "True",
                "AddNet Module 1": "LoRA",
                "AddNet Model 1": "guo1.5(c97665df9b71)",
                "AddNet Weight A 1": "0.3",
                "AddNet Weight B 1": "0.6",
            },
            (GUO,),
            id="v0.4 and later",
        ),
        pytest.param(
            {"AddNet Model 1": "guo(0123abcd)", "AddNet Weight 1": "0.4"},
            (Entry("guo", hash="0123abcd", weight=0.4),),
            id="v0.1 to v0.3: one weight, 8 digits",
        ),
        pytest.param({"AddNet Model 3": "a"}, (Entry("a"),), id="no weight at all"),
        pytest.param(
            {"AddNet Model 10": "b", "AddNet Model 9": "a"},
            (Entry("a"), Entry("b")),
            id="in their order",
        ),
        pytest.param(
            {"AddNet Model 1": "a", "AddNet Weight A 1": "0.5"}, (Entry("a", weight=0.5),), id="A alone"
        ),
        pytest.param(
            {"AddNet Model 1": "a", "AddNet Weight B 1": "0.5"}, (Entry("a", te=0.5),), id="B alone"
        ),
    ],
)
def test_keys(params: dict[str, Any], expected: tuple[Entry, ...]) -> None:
    assert rows(params) == expected


def test_a_weight_that_is_no_number_is_refused_by_name() -> None:
    with pytest.raises(StackError, match=r"row 1 \(a\): weight .*much"):
        rows({"AddNet Model 1": "a", "AddNet Weight A 1": "much"})


@pytest.mark.parametrize(
    ("params", "expected"), [({}, True), ({ENABLED_KEY: "True"}, True), ({ENABLED_KEY: "False"}, False)]
)
def test_only_false_is_off(params: dict[str, str], expected: bool) -> None:
    assert is_enabled(params) is expected


def test_keys_are_written_as_addnet_did_and_read_back() -> None:
    keys = write_keys([Entry("styles/a,b", hash="c97665df9b71", weight=0.3, te=0.5), Entry("c")])
    assert keys == {
        "AddNet Enabled": "True",
        MODULE_KEY: "LoRA",
        "AddNet Model 1": "a_b(c97665df9b71)",
        "AddNet Weight A 1": 0.3,
        "AddNet Weight B 1": 0.5,
        "AddNet Module 2": "LoRA",
        "AddNet Model 2": "c",
        "AddNet Weight A 2": 1.0,
        "AddNet Weight B 2": 1.0,
    }
    read_back = rows({name: str(value) for name, value in keys.items()})
    assert read_back == (Entry("a_b", hash="c97665df9b71", weight=0.3, te=0.5), Entry("c"))
    assert write_keys([]) == {}
