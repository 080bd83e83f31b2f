"""Prompt tags mean what they mean to the WebUI's own Lora."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_lora.errors import EntryValueError
from lib_lora.stack.entry import Entry
from lib_lora.stack.prompt import read_tags, write_tags
from lib_lora.stack.schedule import Moment, read_schedule
from lib_lora.stack.stack import Stack
from tests.stack.strategies import names, weights

TWELVE = ",".join("1" * 12)


@pytest.mark.parametrize(
    ("tag", "row"),
    [
        pytest.param("<lora:neon>", Entry("neon"), id="no weight is 1"),
        pytest.param("<lora:neon:0.8>", Entry("neon", weight=0.8), id="one number for both parts"),
        pytest.param("<lora:neon:0.5:0.8>", Entry("neon", weight=0.8, te=0.5), id="text encoder, then UNet"),
        pytest.param("<lora:neon:te=0.5>", Entry("neon", weight=0.5), id="te named, UNet follows it"),
        pytest.param("<lora:neon:unet=0.3>", Entry("neon", weight=0.3, te=1.0), id="unet named, te stays 1"),
        pytest.param("<lora:neon:0.8:unet=0.3>", Entry("neon", weight=0.3, te=0.8), id="position and name"),
        pytest.param("<lora:neon:0.8:te=0.2>", Entry("neon", weight=0.2), id="a name beats a position"),
        pytest.param("<lora:te=0.2:neon>", Entry("neon", weight=0.2), id="named items stand anywhere"),
        pytest.param("<lora:neon:1:1:8>", Entry("neon", extra=(("dyn", 8),)), id="dyn by position"),
        pytest.param("<lora:neon:dyn=8>", Entry("neon", extra=(("dyn", 8),)), id="dyn by name"),
        pytest.param("<lora:neon:1:0:8>", Entry("neon", weight=0, te=1, extra=(("dyn", 8),)), id="UNet off"),
        pytest.param("<lora:neon:-1>", Entry("neon", weight=-1), id="negative"),
        pytest.param("<lora:neon: 0.5 >", Entry("neon", weight=0.5), id="spaces round the number"),
        pytest.param("<lyco:neon:0.8>", Entry("neon", weight=0.8), id="lyco is an alias"),
        pytest.param("<lora:a b [c] (d):1>", Entry("a b [c] (d)"), id="brackets and spaces in the name"),
        pytest.param("<lora:a=b=c:1>", Entry("a=b=c"), id="two equal signs are a name"),
        pytest.param("<lora:ネオン:0.8>", Entry("ネオン", weight=0.8), id="unicode name"),
        pytest.param(
            "<lora:neon:1:lbw=OUTD>", Entry("neon", blocks="OUTD"), id="block weights go into blocks"
        ),
        pytest.param(
            "<lora:neon:1:start=2:stop=8>", Entry("neon", start="3", stop="8"), id="steps are counted from 0"
        ),
        pytest.param("<lora:neon:1:start=²>", Entry("neon", start="²"), id="a digit that is no number"),
        pytest.param(f"<lora:neon:1:stop={'9' * 900}>", Entry("neon", stop="9" * 900), id="a long number"),
        pytest.param("<lora:neon:1:stop=1>", Entry("neon", stop="0"), id="stopped before the first step"),
        pytest.param("<lora:neon:1:start=1>", Entry("neon"), id="started at the first step"),
        pytest.param(
            "<lora:neon:1:start=0.25:stop=0.4>",
            Entry("neon", start="0.25", stop="0.4"),
            id="parts of the steps",
        ),
        pytest.param(
            "<lora:neon:0@0,1@0.4>", Entry("neon", te=0, schedule="late:0@0,1@0.4"), id="over the steps"
        ),
        pytest.param(
            "<lora:neon:0.5~0;1>", Entry("neon", te=0.5, schedule="late:0.5@0,1@1"), id="other signs"
        ),
        pytest.param(
            "<lora:neon:1@1,0@0>", Entry("neon", te=0, schedule="late:0@0,1@1"), id="points in any order"
        ),
        pytest.param("<lora:neon:0.5@0.3>", Entry("neon", weight=0.5), id="one point is one number"),
        pytest.param(
            "<lora:neon:0.5,1@1>", Entry("neon", weight=0.5), id="a list that begins without a place"
        ),
        pytest.param(
            "<lora:neon:0@0,1@10>", Entry("neon", te=0, schedule="0@2,1@12"), id="steps, two less than ours"
        ),
        pytest.param(
            "<lora:neon:0.7:unet=0@0,1@1>",
            Entry("neon", te=0.7, schedule="late:0@0,1@1"),
            id="the UNet alone",
        ),
        pytest.param(
            "<lora:neon:te=0.2@0,1@1:unet=0.5>", Entry("neon", weight=0.5, te=0.2), id="asked at the start"
        ),
        pytest.param(
            "<lora:neon:1:x=2:y=ATTN>",
            Entry("neon", extra=(("tag", ("x=2", "y=ATTN")),)),
            id="unknown names",
        ),
        pytest.param(
            "<lora:neon:1:lbw=OUTD:lbwe=ATTNDEEPOFF>", Entry("neon", blocks="OUTD;ATTNDEEPOFF"), id="elements"
        ),
        pytest.param("<lora:neon:1:step=2-8>", Entry("neon", start="3", stop="8"), id="a window in one word"),
        pytest.param(
            "<lora:neon:0.8:hr=0.5>",
            Entry("neon", weight=0.8, passes="base,hires:0.5,refiner,detailer"),
            id="another weight in the hires pass",
        ),
        pytest.param(
            "<lora:neon:0.8:hrunet=0.5>",
            Entry("neon", weight=0.8, passes="base,hires:0.5/0.8,refiner,detailer"),
            id="another UNet weight in the hires pass",
        ),
        pytest.param(
            "<lora:neon:0@0,1@1:hr=0.5>",
            Entry("neon", te=0, schedule="late:0@0,1@1", extra=(("tag", ("hr=0.5",)),)),
            id="a curve and a weight that is none",
        ),
        pytest.param("<lora:neon:1:w=OUTD>", Entry("neon", blocks="OUTD"), id="the short word for blocks"),
        pytest.param(
            "<lora:neon:0.8:OUTALL>",
            Entry("neon", weight=0.8, blocks="OUTALL"),
            id="a preset in the third place",
        ),
        pytest.param(
            f"<lora:neon:0.8:{TWELVE}:ATTNDEEPOFF>",
            Entry("neon", weight=0.8, blocks=f"{TWELVE};ATTNDEEPOFF"),
            id="numbers in the third place, elements in the fourth",
        ),
        pytest.param(
            f"<lora:neon:1:lbw={TWELVE},X,x,X-0.2,X+.25,R:x=0.5>",
            Entry("neon", blocks=f"{TWELVE},0.5,x,0.3,0.75,R"),
            id="X is what x= says",
        ),
        pytest.param(
            f"<lora:neon:1:{TWELVE},X,X,X,X,X-.5:0.5>",
            Entry("neon", blocks=f"{TWELVE},0.5,0.5,0.5,0.5,0"),
            id="X in the old way",
        ),
        pytest.param(
            "<lora:neon:1:lbw=X,X>", Entry("neon", blocks="1,1"), id="X is 1 where nothing is said of it"
        ),
        pytest.param(
            "<lora:neon:1:1:8:9>", Entry("neon", extra=(("dyn", 8), ("tag", ("9",)))), id="one more item"
        ),
    ],
)
def test_one_tag(tag: str, row: Entry) -> None:
    assert read_tags(f"before {tag} after") == ("before  after", (row,))


def seen_by_scripts(steps: int) -> list[int]:
    """The step that other extensions are told at each step of the progress bar.

    The host counts a step when it is done, so the first and the second see 0.
    """
    return [max(step - 1, 0) for step in range(steps)]


def row_factors(tag: str, steps: int) -> list[float]:
    (row,) = read_tags(tag)[1]
    found = read_schedule(row.schedule, row.start, row.stop)
    return [round(row.unet_weight * found.factor(Moment(step, steps)), 5) for step in range(steps)]


@pytest.mark.parametrize("steps", [3, 8, 20])
@pytest.mark.parametrize("curve", ["0@0,1@0.4", "1@0,0.2@1", "0.3@0.5,1@0.7,0@1", "0@0,1@3", "0.5@2,1@6"])
def test_curves_of_tags_are_loractl_s(curve: str, steps: int) -> None:
    """Its own words: interpolate at the step seen, for places up to 1 divided by the steps less two."""
    points = sorted((float(place), float(value)) for value, place in (p.split("@") for p in curve.split(",")))
    places, values = zip(*points, strict=True)
    parts = [step if places[-1] > 1 else step / (steps - 2) for step in seen_by_scripts(steps)]
    expected = [round(float(np.interp(part, places, values)), 5) for part in parts]
    assert row_factors(f"<lora:neon:{curve}>", steps) == expected


@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("edge", ["start", "stop"])
def test_windows_of_tags_are_lora_block_weight_s(edge: str, number: int) -> None:
    """Its own words on A1111: once a step beyond `number - 2` is seen the row has come, or gone."""
    on, expected = edge == "stop", []
    for seen in seen_by_scripts(8):
        on = on if seen <= number - 2 else edge == "start"
        expected.append(float(on))
    assert row_factors(f"<lora:neon:1:{edge}={number}>", 8) == expected


def test_other_tags_and_brackets_stay() -> None:
    text = "a <hypernet:h:1> <LORA:x:1> <b> [c:0.5] (d:1.2) <lora:> 1 < 2 > 0"
    assert read_tags(text) == (text, ())


def test_rows_keep_the_order_of_the_tags() -> None:
    text, rows = read_tags("<lora:b:1>x<lora:a:0.5><lora:b:0.2>")
    assert text == "x"
    assert [(row.network, row.weight) for row in rows] == [("b", 1.0), ("a", 0.5), ("b", 0.2)]


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        pytest.param("<lora:neon:abc>", "te must be a number such as 0.8", id="a word as weight"),
        pytest.param("<lora:neon::0.5>", "te must be a number", id="an empty weight"),
        pytest.param("<lora:neon:0,8>", "te must be a number", id="a comma for a point"),
        pytest.param("<lora:neon:1:unet=x>", "unet must be a number", id="a word as unet"),
        pytest.param("<lora:neon:0@0,x@0.5>", 'not "0@0,x@0.5"', id="a word among numbers"),
        pytest.param("<lora:neon:nan>", "not NaN", id="NaN"),
        pytest.param("<lora:neon:inf>", "not Infinity", id="infinity"),
        pytest.param("<lora:neon:1e9>", "from -100 to 100", id="1e9"),
        pytest.param("<lora:neon:1:1:many>", "dyn must be a whole number", id="a word as dyn"),
        pytest.param("<lora::1>", "network is empty", id="no name"),
        pytest.param("<lora:te=1>", "names no file", id="only named items"),
    ],
)
def test_bad_tags_are_named(tag: str, message: str) -> None:
    with pytest.raises(EntryValueError) as caught:
        read_tags(f"a {tag} b")
    assert str(caught.value).startswith(tag)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("row", "tag"),
    [
        pytest.param(Entry("neon"), "<lora:neon:1>", id="weight 1"),
        pytest.param(Entry("neon", weight=0.1 + 0.2), "<lora:neon:0.3>", id="shortest number"),
        pytest.param(Entry("neon", weight=100), "<lora:neon:100>", id="zeros before the point stay"),
        pytest.param(Entry("neon", weight=0.000001), "<lora:neon:0.000001>", id="no exponent"),
        pytest.param(Entry("neon", weight=0.8, te=0.5), "<lora:neon:0.5:0.8>", id="text encoder first"),
        pytest.param(Entry("neon", weight=0.8, te=0.8), "<lora:neon:0.8>", id="equal parts are one number"),
        pytest.param(Entry("neon", extra=(("dyn", 8),)), "<lora:neon:1:1:dyn=8>", id="dyn"),
        pytest.param(Entry("neon", start="3", stop="8"), "<lora:neon:1:start=2:stop=8>", id="a window"),
        pytest.param(Entry("neon", start="1", stop="0"), "<lora:neon:1:stop=1>", id="no step at all"),
        pytest.param(
            Entry("neon", extra=(("tag", ("x=2",)),)), "<lora:neon:1:x=2>", id="unknown items come back"
        ),
        pytest.param(
            Entry("neon", extra=(("tag", "x=2"),)), "<lora:neon:1>", id="a foreign field of that name"
        ),
    ],
)
def test_written(row: Entry, tag: str) -> None:
    assert write_tags(Stack((row,))) == tag


@given(
    st.lists(
        st.builds(
            Entry,
            network=names.filter(lambda name: ":" not in name and ">" not in name and name.count("=") != 1),
            weight=weights,
            te=st.none() | weights,
        )
    )
)
def test_written_tags_are_read_back(rows: list[Entry]) -> None:
    text, back = read_tags(write_tags(Stack(tuple(rows))))
    assert text.strip() == ""
    assert [(row.network, row.te_weight, row.unet_weight) for row in back] == [
        (row.network, row.te_weight, row.unet_weight) for row in rows
    ]


def test_rows_that_are_off_are_not_written() -> None:
    assert (
        write_tags(Stack((Entry("a", on=False), Entry("b"), Entry("c", weight=0)))) == "<lora:b:1> <lora:c:0>"
    )


def test_names_can_be_chosen_by_the_caller() -> None:
    stack = Stack((Entry("styles/ghibli"),))
    assert write_tags(stack, lambda row: row.network.rpartition("/")[2]) == "<lora:ghibli:1>"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param(Entry("a:b"), "row 1 (a:b): a prompt tag cannot carry a name", id="colon in the name"),
        pytest.param(Entry("a>b"), "a prompt tag cannot carry a name", id="bracket in the name"),
        pytest.param(Entry("a=b"), "a prompt tag cannot carry a name", id="one equal sign in the name"),
        pytest.param(Entry("a", extra=(("tag", ("x>y",)),)), "cannot carry", id="bracket in an unknown item"),
        pytest.param(Entry("a", region="inpaint"), "cannot say 'region'", id="a region"),
        pytest.param(Entry("a", schedule="0@0"), "cannot say 'schedule'", id="a schedule"),
        pytest.param(Entry("a", te_schedule="same"), "cannot say 'te_schedule'", id="the text encoder's"),
        pytest.param(Entry("a", start="2"), "cannot say 'start'", id="a start that no tag has"),
        pytest.param(Entry("a", stop="1"), "cannot say 'stop'", id="a stop that no tag has"),
        pytest.param(Entry("a", start="0.5"), "cannot say 'start'", id="a part of the steps"),
        pytest.param(Entry("a", blocks="ALL;M00::0"), "rules in 'blocks'", id="rules for blocks"),
    ],
)
def test_what_a_tag_cannot_say_is_refused(row: Entry, message: str) -> None:
    with pytest.raises(EntryValueError) as caught:
        write_tags(Stack((row,)))
    assert message in str(caught.value)
