"""Block weights are read as LoRA Block Weight reads them, and mistakes are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_lora.errors import EntryValueError
from lib_lora.stack.blocks import (
    ELEMENT_PRESETS,
    LAYOUTS,
    PRESETS,
    SD1_BLOCKS,
    SDXL_BLOCKS,
    describe_blocks,
    read_blocks,
)

# The vectors of its preset file for 17 blocks.
RECORDED = {
    "NONE": "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
    "INS": "1,1,1,1,0,0,0,0,0,0,0,0,0,0,0,0,0",
    "IND": "1,0,0,0,1,1,1,0,0,0,0,0,0,0,0,0,0",
    "INALL": "1,1,1,1,1,1,1,0,0,0,0,0,0,0,0,0,0",
    "MIDD": "1,0,0,0,1,1,1,1,1,1,1,1,0,0,0,0,0",
    "OUTD": "1,0,0,0,0,0,0,0,1,1,1,1,0,0,0,0,0",
    "OUTS": "1,0,0,0,0,0,0,0,0,0,0,0,1,1,1,1,1",
    "OUTALL": "1,0,0,0,0,0,0,0,1,1,1,1,1,1,1,1,1",
}


@pytest.mark.parametrize("name", RECORDED)
def test_a_preset_is_the_recorded_vector(name: str) -> None:
    assert read_blocks(name, SD1_BLOCKS).factors == read_blocks(RECORDED[name], SD1_BLOCKS).factors
    assert read_blocks(name.lower(), SD1_BLOCKS) == read_blocks(name, SD1_BLOCKS)


def test_all_leaves_no_block_out() -> None:
    for model in (SD1_BLOCKS, SDXL_BLOCKS):
        assert set(dict(read_blocks("ALL", model).factors).values()) == {1.0}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{len(layout.blocks)} numbers")
def test_each_number_goes_to_its_block(layout) -> None:
    numbers = [n / 10 for n in range(len(layout.blocks))]
    found = read_blocks(",".join(map(str, numbers)), layout.model)
    for block, number in zip(layout.blocks, numbers, strict=True):
        assert found.factor(block, "unet.x") == number
    assert found.missing == set(layout.model) - set(layout.blocks)
    assert all(found.factor(block, "unet.x") == 0 for block in found.missing)


@pytest.mark.parametrize(
    ("text", "block", "name", "factor"),
    [
        pytest.param("IN05-OUT05:attn:0", "IN07", "unet.a.attn1.to_q", 0, id="a rule alone starts from ALL"),
        pytest.param("IN05-OUT05:attn:0", "IN04", "unet.a.attn1.to_q", 1, id="outside the range"),
        pytest.param("IN05-OUT05:attn:0", "M00", "unet.a.proj_in", 1, id="another element"),
        pytest.param("OUTD;:to_k to_v:0.5", "OUT04", "unet.a.attn2.to_v", 0.5, id="several elements"),
        pytest.param("OUTD;:to_k to_v:0.5", "OUT04", "unet.a.attn2.to_q", 1, id="none of the elements"),
        pytest.param("OUTD;:to_k to_v:0.5", "IN01", "unet.a.attn2.to_k", 0.5, id="a rule overrules a 0"),
        pytest.param("ALL;NOT M00::0", "IN01", "unet.a", 0, id="all blocks but one"),
        pytest.param("ALL;NOT M00::0", "M00", "unet.a", 1, id="the one that is not meant"),
        pytest.param("ALL;:NOT attn2:0", "M00", "unet.attn1.to_q", 0, id="all elements but one"),
        pytest.param("ALL;:NOT attn2:0", "M00", "unet.attn2.to_q", 1, id="the element that is not meant"),
        pytest.param("ALL;IN01::0;IN01:ff:2", "IN01", "unet.ff.net", 2, id="the last rule that fits counts"),
        pytest.param("ATTNDEEPOFF", "OUT05", "unet.attn1.to_q", 0, id="a preset of elements"),
        pytest.param("OUTD;attndeepon", "IN08", "unet.attn1.to_q", 1, id="a preset after a preset"),
        pytest.param("OUT05-IN05::0", "M00", "unet.a", 0, id="a range backwards"),
        pytest.param(":attn1_to_q:0", "M00", "unet.attn1.to_q", 0, id="underscores stand for dots"),
    ],
)
def test_rules(text: str, block: str, name: str, factor: float) -> None:
    assert read_blocks(text, SD1_BLOCKS).factor(block, name) == factor


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("OUTDD", ["no preset 'OUTDD'", "'OUTD'"], id="unknown preset"),
        pytest.param(",".join("1" * 18), ["18 numbers", "17 or 26"], id="eighteen numbers"),
        pytest.param(",".join("1" * 12), ["12 numbers", "another kind"], id="numbers for SDXL"),
        pytest.param("1,0,half" + ",1" * 14, ["'half' is not a number"], id="a word for a number"),
        pytest.param("R" + ",1" * 16, ["'R'", "made again"], id="chance"),
        pytest.param("X+0.2" + ",1" * 16, ["made again"], id="a placeholder"),
        pytest.param("1e9" + ",1" * 16, ["from -100 to 100"], id="a slip"),
        pytest.param("nan" + ",1" * 16, ["from -100 to 100"], id="not a number"),
        pytest.param("ALL;IN05:attn", ["is no rule", "IN05-OUT05:attn:0"], id="half a rule"),
        pytest.param("ALL;IN55::0", ["no block 'IN55'", "'IN05'"], id="unknown block"),
        pytest.param("ALL;" + "IN01::0;" * 101, ["the most is 100"], id="too many rules"),
        pytest.param("ALL;ATTNDEEPOF", ["is no rule", "ATTNDEEPOF"], id="unknown preset of elements"),
    ],
)
def test_mistakes(text: str, words: list[str]) -> None:
    with pytest.raises(EntryValueError) as error:
        read_blocks(text, SD1_BLOCKS)
    assert all(word in str(error.value) for word in words), str(error.value)


@given(st.text(max_size=60), st.sampled_from([SD1_BLOCKS, SDXL_BLOCKS]))
def test_any_text_is_read_or_refused(text: str, model: tuple[str, ...]) -> None:
    try:
        found = read_blocks(text, model)
    except EntryValueError as error:
        assert "blocks" in str(error)
    else:
        assert set(dict(found.factors)) == set(model)


def test_every_preset_can_be_read_for_every_model() -> None:
    for model in (SD1_BLOCKS, SDXL_BLOCKS):
        for name in [*(preset.name for preset in PRESETS), *ELEMENT_PRESETS]:
            read_blocks(name, model)


def test_the_panel_is_told_the_numbers_of_each_preset() -> None:
    told = describe_blocks()
    for kind, model in (("sd1", SD1_BLOCKS), ("sdxl", SDXL_BLOCKS)):
        names = told["layouts"][kind]
        for preset in told["presets"]:
            expected = dict(read_blocks(preset["name"], model).factors)
            assert preset[kind] == [expected[name] for name in names]
