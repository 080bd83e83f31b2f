"""Rows that act during part of the making, or in part of the model, through the host's own sampling."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.server import Server

pytestmark = pytest.mark.demo
NETWORK = "style/neon"
SEVENTEEN = ",".join("1" * 17)


def row(**fields: Any) -> dict[str, Any]:
    return {"version": 1, "entries": [{"network": NETWORK, "weight": 0.8, **fields}]}


@pytest.mark.parametrize(
    ("fields", "same"),
    [
        pytest.param({"start": "0", "stop": "1.0"}, {}, id="a window of all steps"),
        pytest.param({"start": "1", "stop": "4"}, {}, id="all steps by number"),
        pytest.param({"schedule": "1@0,1@1"}, {}, id="a level curve"),
        pytest.param({"schedule": "0.5"}, {"unet": 0.4}, id="half for the UNet, the text encoder as it was"),
        pytest.param({"start": "9"}, {"unet": 0}, id="a step that never comes: the text encoder only"),
        pytest.param({"stop": "0"}, {"unet": 0}, id="over before it began"),
        pytest.param({"blocks": "ALL"}, {}, id="all blocks"),
        pytest.param({"blocks": SEVENTEEN}, {}, id="seventeen ones, no convolutions in the file"),
        pytest.param({"blocks": "NONE"}, {"weight": 0}, id="no block"),
        pytest.param({"blocks": "1" + ",0" * 16}, {"unet": 0}, id="the text encoder only"),
    ],
)
def test_the_same_said_otherwise(server: Server, fields: dict[str, Any], same: dict[str, Any]) -> None:
    assert server.draw(row(**fields)).pixels == server.draw(row(**same)).pixels


def test_parts_of_the_making_and_of_the_model_are_pictures_of_their_own(server: Server) -> None:
    some = [
        {"stop": "0.5"},
        {"start": "0.5"},
        {"schedule": "0@0,1@1"},
        {"blocks": "OUTALL"},
        {"blocks": "INALL"},
    ]
    pictures = [server.draw().pixels, *(server.draw(row(**fields)).pixels for fields in ({}, *some))]
    assert len(set(pictures)) == len(pictures)
    assert server.draw().pixels == pictures[0]


@pytest.mark.parametrize("sampler", ["Euler a", "Heun", "DPM++ 2M"])
def test_two_halves_of_one_row_are_the_whole(server: Server, sampler: str) -> None:
    """Also with samplers that call the model twice a step."""
    halves = [{"network": NETWORK, "te": 0, "stop": "2"}, {"network": NETWORK, "te": 0, "start": "3"}]
    one = server.draw({"entries": [{"network": NETWORK, "te": 0}]}, sampler_name=sampler)
    two = server.draw({"entries": halves}, sampler_name=sampler)
    assert two.status == 200, two.body
    assert one.pixels == two.pixels


def test_it_is_written_into_the_picture_and_read_back(server: Server) -> None:
    first = server.draw(row(schedule="0@0,1@0.5", stop="75%", blocks="OUTD;IN05-OUT05:attn:0.5"))
    again = server.draw(infotext=first.info["infotexts"][0])
    assert again.status == 200, again.body
    assert again.pixels == first.pixels


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"blocks": "OUTX"}, ["OUTX", "OUTD"]),
        ({"blocks": ",".join("1" * 18)}, ["18 numbers", "17 or 26"]),
        ({"blocks": "IN05-OUT05:attn"}, ["is no rule"]),
        ({"schedule": "0@1,1@0"}, ["positions after @"]),
        ({"schedule": "often"}, ["not a number"]),
        ({"te_schedule": "often"}, ["te_schedule", "not a number"]),
        ({"te_schedule": "same", "start": "sigma:7"}, ["te_schedule", "noise level"]),
        ({"start": "half"}, ["half"]),
        ({"start": "8", "stop": "2"}, ["comes after"]),
    ],
)
def test_mistakes_name_the_row(server: Server, fields: dict[str, Any], words: list[str]) -> None:
    answer = server.draw(row(**fields))
    assert answer.status == 422
    said = answer.body["detail"]
    assert all(word in said for word in ("row 1 (style/neon)", *words)), said
