"""Regions as they are written: what each spelling means, and every way to get one wrong."""

from __future__ import annotations

import pytest

from lib_lora.errors import EntryValueError
from lib_lora.stack.entry import Entry
from lib_lora.stack.region import BOX, INPAINT, MASK, NOT, Region, read_region, read_regions

MASKS = (("left", "0" * 16), ("right", "1" * 16))


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("", None),
        ("  ", None),
        ("inpaint", Region(INPAINT)),
        (" Inpaint ", Region(INPAINT)),
        ("box:0,0,0.5,1", Region(BOX, box=(0, 0, 0.5, 1))),
        ("box: 0.25 , 0.5, .5, 0.5", Region(BOX, box=(0.25, 0.5, 0.5, 0.5))),
        ("box:0.333334,0,0.666667,1", Region(BOX, box=(0.333334, 0, 0.666666, 1))),
        ("mask:left", Region(MASK, name="left")),
        ("mask:my:hat", Region(MASK, name="my:hat")),
        ("not:2", Region(NOT, row=2)),
    ],
)
def test_a_region_is_read(text: str, region: Region | None) -> None:
    found = read_region(text)
    if found is None or region is None:
        assert found is region
        return
    assert found.box == pytest.approx(region.box, abs=1e-9)
    assert (found.kind, found.name, found.row) == (region.kind, region.name, region.row)


@pytest.mark.parametrize(
    "text", ["inpaint", "box:0,0,0.5,1", "box:0.25,0.125,0.5,0.875", "mask:a b", "not:12"]
)
def test_a_region_is_written_as_it_is_read(text: str) -> None:
    assert str(read_region(text)) == text


def test_the_softness_belongs_to_the_region() -> None:
    region = read_region("inpaint", 0.1)
    assert region is not None and region.feather == 0.1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("inpant", "Nearest: 'inpaint'", id="a slip of the finger"),
        pytest.param("everywhere", "Write inpaint, box:", id="an unknown kind"),
        pytest.param("inpaint:2", "is no region", id="inpaint takes nothing"),
        pytest.param("box", "is no region", id="a box without numbers"),
        pytest.param("box:0,0,1", "four numbers", id="three numbers"),
        pytest.param("box:0,0,1,1,1", "four numbers", id="five numbers"),
        pytest.param("box:a,0,1,1", "four numbers", id="a word"),
        pytest.param("box:nan,0,1,1", "not finite", id="no number"),
        pytest.param("box:0,0,0,1", "no area", id="no width"),
        pytest.param("box:0,0,1,-0.5", "no area", id="height below zero"),
        pytest.param("box:0.6,0,0.5,1", "lies outside the picture", id="beyond the right edge"),
        pytest.param("box:-0.1,0,0.5,1", "lies outside the picture", id="beyond the left edge"),
        pytest.param("box:0,0,256,512", "not pixels", id="pixels"),
        pytest.param("mask:", "is no region", id="a mask without name"),
        pytest.param("not:", "is no region", id="no row"),
        pytest.param("not:0", "is no region", id="row 0"),
        pytest.param("not:x", "is no region", id="a row that is no number"),
        pytest.param(":", "is no region", id="a colon alone"),
    ],
)
def test_a_wrong_region_is_refused(text: str, says: str) -> None:
    with pytest.raises(EntryValueError, match=says):
        read_region(text)


def test_not_has_no_softness_of_its_own() -> None:
    with pytest.raises(EntryValueError, match="feather: not:2 has the softness of row 2"):
        read_region("not:2", 0.1)


def test_the_regions_of_a_stack() -> None:
    rows = [
        Entry("a", region="mask:left"),
        Entry("b", region="not:1"),
        Entry("c"),
        Entry("d", region="not:2"),
    ]
    left, rest, everywhere, again = read_regions(rows, MASKS)
    assert (left, rest) == (Region(MASK, name="left"), Region(NOT, row=1))
    assert everywhere is None and again == Region(NOT, row=2)


@pytest.mark.parametrize(
    ("regions", "says"),
    [
        pytest.param(["box:0,0,2,2"], r"row 1 \(n\): region", id="the row is named"),
        pytest.param(
            ["", "mask:lefd"],
            r"row 2 \(n\): region: there is no mask called \"lefd\". Nearest: 'left'",
            id="mask",
        ),
        pytest.param(["not:3", "inpaint"], "row 1.*the stack has 2 rows", id="a row that is not there"),
        pytest.param(
            ["not:2", ""], "row 1.*nowhere, because row 2 acts in the whole picture", id="the rest of all"
        ),
        pytest.param(["not:1"], "leads back to this row", id="the rest of itself"),
        pytest.param(["not:2", "not:1"], "leads back to this row", id="a circle"),
        pytest.param(["not:2", "not:3", "not:2"], "row 1.*leads back", id="a circle further on"),
    ],
)
def test_regions_that_do_not_go_together(regions: list[str], says: str) -> None:
    with pytest.raises(EntryValueError, match=says):
        read_regions([Entry("n", region=region) for region in regions], MASKS)


def test_a_row_that_is_off_may_be_wrong_until_another_needs_it() -> None:
    off = Entry("off", region="box:1,2", on=False)
    assert read_regions([off, Entry("b", region="inpaint")], ())[0] is None
    with pytest.raises(EntryValueError, match=r"row 2 \(b\): region not:1 cannot be told: row 1: region"):
        read_regions([off, Entry("b", region="not:1")], ())


def test_a_row_that_is_off_still_has_its_region() -> None:
    rows = [Entry("off", region="box:0,0,0.5,1", on=False), Entry("b", region="not:1")]
    assert read_regions(rows, ())[0] == Region(BOX, box=(0, 0, 0.5, 1))
