"""Passes as they are written, and what a row is in each of them."""

from __future__ import annotations

import pytest

from lib_lora.errors import EntryValueError
from lib_lora.stack.entry import Entry
from lib_lora.stack.passes import (
    BASE,
    DETAILER,
    HIRES,
    PASSES,
    REFINER,
    Pass,
    in_pass,
    read_passes,
    worn_in,
    write_passes,
)
from lib_lora.stack.stack import Stack


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", ()),
        (" , ", ()),
        ("base", (Pass(BASE),)),
        ("Base, HIRES:0.5", (Pass(BASE), Pass(HIRES, 0.5))),
        ("hires:0.5/0.2;detailer:-1", (Pass(HIRES, 0.5, 0.2), Pass(DETAILER, -1.0))),
        ("refiner:0", (Pass(REFINER, 0.0),)),
    ],
)
def test_passes_are_read(text: str, passes: tuple[Pass, ...]) -> None:
    assert read_passes(text) == passes


@pytest.mark.parametrize("text", ["", "base", "base,hires:0.5", "hires:0.5/0.2,refiner:0,detailer:-1"])
def test_passes_are_written_as_they_are_read(text: str) -> None:
    assert write_passes(read_passes(text)) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("hirs", "Nearest: 'hires'", id="a slip"),
        pytest.param("second", "They are base, hires, refiner, detailer", id="unknown"),
        pytest.param("base,base:0.5", "base twice", id="twice"),
        pytest.param("hires:", "no weight", id="no number"),
        pytest.param("hires:x", "no weight", id="a word"),
        pytest.param("hires:0.5/", "no weight", id="no second number"),
        pytest.param("hires:nan", "no weight", id="not a number"),
        pytest.param("hires:101", "from -100 to 100", id="too much"),
    ],
)
def test_wrong_passes_are_refused(text: str, says: str) -> None:
    with pytest.raises(EntryValueError, match=says):
        read_passes(text)


def test_a_row_without_passes_is_the_same_in_each() -> None:
    entry = Entry("n", weight=0.8)
    assert all(in_pass(entry, name) is entry for name in PASSES)
    stack = Stack((entry, Entry("off", passes="nonsense", on=False)))
    assert worn_in(stack, HIRES) is stack


@pytest.mark.parametrize(
    ("entry", "unet", "te"),
    [
        pytest.param(Entry("n", weight=0.8, passes="hires"), 0.8, 0.8, id="the row's own"),
        pytest.param(Entry("n", weight=0.8, passes="hires:0.5"), 0.5, 0.5, id="one for both"),
        pytest.param(
            Entry("n", weight=0.8, te=0.1, passes="hires:0.5"), 0.5, 0.1, id="the row's text encoder stays"
        ),
        pytest.param(Entry("n", unet=0.9, passes="hires:0.5"), 0.5, 0.5, id="instead of the row's UNet"),
        pytest.param(Entry("n", te=0.1, passes="hires:0.5/0.2"), 0.5, 0.2, id="both given"),
        pytest.param(Entry("n", te=0.1, passes="hires:0.5/0"), 0.5, 0.0, id="a text encoder of 0"),
    ],
)
def test_the_weights_of_a_pass(entry: Entry, unet: float, te: float) -> None:
    worn = in_pass(entry, HIRES)
    assert (worn.on, worn.unet_weight, worn.te_weight) == (True, unet, te)
    assert not in_pass(entry, BASE).on


def test_a_wrong_pass_names_its_row() -> None:
    stack = Stack((Entry("a"), Entry("b", passes="bas")))
    with pytest.raises(EntryValueError, match=r"row 2 \(b\): passes: there is no pass"):
        worn_in(stack, BASE)
