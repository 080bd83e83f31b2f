"""Bad input over the API: an error naming the row and the way out, never a picture as if all were well."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.server import Server

pytestmark = pytest.mark.demo

GOOD = "clothing/mecha_suit"


def row(network: Any = GOOD, **fields: Any) -> dict[str, Any]:
    return {"version": 1, "entries": [{"network": network, **fields}]}


BAD_STACKS = [
    pytest.param(
        row("clothing/mecha_sut"),
        ["row 1 (clothing/mecha_sut)", "mecha_suit"],
        id="unknown name with the nearest one",
    ),
    pytest.param(row(weight="abc"), ["row 1", "weight", "abc"], id="weight is a word"),
    pytest.param('{"entries": [{"network": "x", "weight": Infinity}]}', ["weight"], id="weight is infinite"),
    pytest.param('{"entries": [{"network": "x", "weight": NaN}]}', ["weight"], id="weight is not a number"),
    pytest.param(row(weight=1e9), ["row 1", "weight"], id="weight beyond reason"),
    pytest.param(row(weight=True), ["row 1", "weight"], id="weight is a switch"),
    pytest.param(row(te="0.5"), ["row 1", "te"], id="text-encoder weight is a word"),
    pytest.param(row(3), ["row 1", "network"], id="name is a number"),
    pytest.param(row(""), ["row 1", "network"], id="no name"),
    pytest.param('{"version": 1, "entries": [', ["line"], id="text broken off"),
    pytest.param("[[[[", ["stack"], id="no stack at all"),
    pytest.param({"version": 99, "entries": []}, ["99"], id="from the future"),
    pytest.param(7, ["stack"], id="a number instead of a stack"),
    pytest.param(row(region="inpaint"), ["row 1", "not inpainted"], id="inpaint without a mask"),
    pytest.param(row(region="box:0,0,2,2"), ["row 1", "outside the picture"], id="box outside"),
    pytest.param(row("bad/empty"), ["row 1 (bad/empty)"], id="file without content"),
    pytest.param(row("bad/truncated"), ["row 1 (bad/truncated)"], id="file cut short"),
    pytest.param(row("bad/pickled"), ["row 1 (bad/pickled)"], id="file that is a pickle"),
    pytest.param(row("bad/no_tensors"), ["row 1 (bad/no_tensors)"], id="file without tensors"),
    pytest.param(row("bad/strange_numbers"), ["row 1", "F99"], id="file of unknown numbers"),
    pytest.param(row("bad/not_a_number"), ["row 1 (bad/not_a_number)"], id="file with NaN"),
    pytest.param(row("bad/web_page"), ["row 1", "log-in"], id="file that is a web page"),
    pytest.param(row("bad/half"), ["row 1", "lora_down is missing"], id="half a LoRA"),
    pytest.param(row("bad/two_families"), ["row 1", "mixes LoRA with diff"], id="two families at once"),
    pytest.param(row("bad/enormous"), ["row 1", "16384 × 16384"], id="small file for an enormous layer"),
    pytest.param(row("bad/full_size"), ["full_size", "row 1"], id="file for a larger model"),
    pytest.param(row("bad/stranger"), ["row 1 (bad/stranger)"], id="file that is no LoRA"),
    pytest.param(row("bad/for_sdxl"), ["row 1", "SDXL"], id="file for SDXL"),
]


@pytest.fixture(scope="module")
def plain(server: Server) -> tuple[str, ...]:
    answer = server.draw()
    assert answer.status == 200, answer.body
    return answer.pixels


@pytest.mark.parametrize(("stack", "named"), BAD_STACKS)
def test_refused_with_a_reason_and_nothing_left_behind(
    server: Server, plain: tuple[str, ...], stack: Any, named: list[str]
) -> None:
    answer = server.draw(stack)
    assert answer.status == 422, answer.body
    said = str(answer.body["detail"])
    for word in named:
        assert word.lower() in said.lower(), said
    assert "Traceback" not in said
    assert server.draw().pixels == plain


@pytest.mark.parametrize("stack", ["", None, {"version": 1, "entries": []}, row(on=False), row(weight=0)])
def test_nothing_to_apply_is_the_plain_picture(server: Server, plain: tuple[str, ...], stack: Any) -> None:
    answer = server.draw(stack)
    assert answer.status == 200, answer.body
    assert answer.pixels == plain


def test_a_file_that_is_not_the_one_meant_is_used_but_told(server: Server) -> None:
    """It may have been trained further: the name counts, and the page and the picture's comments say so."""
    usual = server.draw(row())
    answer = server.draw(row(hash="123456789abc"))
    assert answer.status == 200, answer.body
    assert answer.pixels == usual.pixels
    report = server.call("/lora-stack/report?tab=txt2img").body
    assert "123456789abc" in report["line"]


def test_a_row_that_is_off_may_be_missing(server: Server, plain: tuple[str, ...]) -> None:
    """It is kept for later and must not stop the picture."""
    answer = server.draw(row("gone", on=False))
    assert answer.status == 200, answer.body
    assert answer.pixels == plain


def test_arguments_may_be_fewer_than_the_script_has(server: Server, plain: tuple[str, ...]) -> None:
    body = {"alwayson_scripts": {"LoRA Stack": {"args": [True]}}}
    assert server.draw(**body).pixels == plain


def test_the_page_hears_of_the_failure_too(server: Server) -> None:
    server.draw(row("clothing/mecha_sut"))
    report = server.call("/lora-stack/report?tab=txt2img").body
    assert report["ok"] is False
    assert "mecha_sut" in report["line"]
