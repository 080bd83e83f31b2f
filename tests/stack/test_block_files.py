"""LoRA Block Weight's files of presets: what is read from them, and how a row uses it."""

from __future__ import annotations

import pytest

from lib_lora.stack.block_files import describe_own, read_element_presets, read_presets, written_out
from lib_lora.stack.blocks import SD1_BLOCKS, SDXL_BLOCKS, read_blocks

SEVENTEEN = "1,0,0,0,1,1,1,1,1,1,1,1,0,0,0,0,0.5"
FILE = f"""\
# my presets
NONE:{",".join("0" * 17)}
MyFace:{SEVENTEEN}
XL: {", ".join("1" * 12)}
SHORT:1,1,1
FLUXALL:{",".join("1" * 61)}
WORDS:1,one,1
note: my own, made in May
no colon here
OFF:{SEVENTEEN} # commented
:{SEVENTEEN}
"""


def test_lines_that_are_presets_are_read() -> None:
    assert read_presets(FILE) == {
        "NONE": ",".join("0" * 17),
        "MYFACE": SEVENTEEN,
        "XL": ",".join("1" * 12),
        "SHORT": "1,1,1",
        "WORDS": "1,one,1",
    }


def test_rules_are_read() -> None:
    text = "HANDS:IN05-OUT05:attn:0.5,IN01:ff:0\n\nXYZ:::1\n#OFF:::0\nBAD:IN05:attn\n"
    assert read_element_presets(text) == {"HANDS": "IN05-OUT05:attn:0.5;IN01:ff:0", "XYZ": "::1"}


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ("myface", SEVENTEEN),
        ("MyFace;HANDS", f"{SEVENTEEN};IN05-OUT05:attn:0.5"),
        ("OUTD", "OUTD"),
        ("ALL", "ALL"),
        ("unknown;IN01:attn:0", "unknown;IN01:attn:0"),
        ("", ""),
    ],
)
def test_a_preset_is_written_out(blocks: str, expected: str) -> None:
    own = {**read_presets(FILE), "HANDS": "IN05-OUT05:attn:0.5", "ALL": "0", "OUTD": "0"}
    assert written_out(blocks, own) == expected


def test_what_is_written_out_can_be_read() -> None:
    own = read_presets(FILE)
    assert read_blocks(written_out("MYFACE", own), SD1_BLOCKS).factor("OUT11", "unet.output_blocks.11") == 0.5
    assert read_blocks(written_out("XL", own), SDXL_BLOCKS).factor("OUT05", "unet.output_blocks.5") == 1


def test_the_panel_is_told_what_each_preset_fits_and_what_is_wrong() -> None:
    own = {**read_presets(FILE), **read_element_presets("HANDS:IN05-OUT05:attn:0.5")}
    told = {str(preset["name"]): preset for preset in describe_own(own)}
    assert list(told) == ["MYFACE", "XL", "SHORT", "WORDS", "HANDS"], "NONE is ours"
    assert told["MYFACE"]["fits"] == ["sd1"] and told["MYFACE"]["sd1"] == [
        float(n) for n in SEVENTEEN.split(",")
    ]
    assert told["XL"]["fits"] == ["sdxl"] and told["XL"]["sdxl"] == [1.0] * 12
    assert told["HANDS"]["fits"] == ["sd1", "sdxl"] and told["HANDS"]["sd1"] is None
    assert "3 numbers" in str(told["SHORT"]["problem"]) and "'one' is not a number" in str(
        told["WORDS"]["problem"]
    )
