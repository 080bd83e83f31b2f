"""AddNet's API: its arguments in three layouts, and the faults it had (e9f3d62, measured in A1111)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.server import Answer, Server
from tests.integration.small import SmallServer
from tests.integration.test_pictures import stack

pytestmark = pytest.mark.demo


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    return SmallServer(server.url)


TITLE = "Additional networks for generating"
NONE = ("LoRA", "None", 1, 1)


def addnet(server: Server, *args: Any, **request: Any) -> Answer:
    scripts = {TITLE: {"args": list(args)}, **request.pop("scripts", {})}
    return server.draw(alwayson_scripts=scripts, **request)


@pytest.fixture(scope="module")
def plain(server: Server) -> tuple[str, ...]:
    return server.draw().pixels


@pytest.fixture(scope="module")
def name(server: Server) -> str:
    """AddNet's name of a file: `mecha_suit(0123456789ab)`."""
    text = server.draw(stack(("clothing/mecha_suit", 0.8))).info["extra_generation_params"]["Lora hashes"]
    file, _, digest = text.partition(": ")
    return f"{file}({digest})"


def test_the_surface_is_addnet_s(server: Server) -> None:
    assert TITLE.lower() in server.call("/sdapi/v1/scripts").body["txt2img"]
    (info, *_) = [row for row in server.call("/sdapi/v1/script-info").body if row["name"] == TITLE.lower()]
    labels = [arg["label"] for arg in info["args"]]
    assert len(labels) == 24
    assert labels[:6] == [
        "Enable",
        "Separate UNet/Text Encoder weights",
        "Network module 1",
        "Model 1",
        "UNet Weight 1",
        "TEnc Weight 1",
    ]
    assert labels[18:] == [
        "Network module 5",
        "Model 5",
        "UNet Weight 5",
        "TEnc Weight 5",
        "mask image:",
        "Refresh models",
    ]
    assert [arg["value"] for arg in info["args"]][:6] == [False, False, "LoRA", "None", 1.0, 1.0]


@pytest.mark.parametrize("route", ["txt2img", "img2img"])
def test_three_generations_of_arguments(server: Server, name: str, route: str) -> None:
    request: dict[str, Any] = {"route": route}
    if route == "img2img":
        request |= {"init_images": server.draw().body["images"], "denoising_strength": 0.7}
    row = server.draw(stack(("clothing/mecha_suit", 0.8)), **request).pixels
    slot = ("LoRA", name, 0.8, 0.8)
    layouts = (
        (True, "LoRA", name, 0.8, *("LoRA", "None", 1) * 4, "Refresh models"),
        (True, False, *NONE, *slot, *NONE * 3, "Refresh models"),
        (True, True, *NONE, *slot, *NONE * 3, None, "Refresh models"),
        (True, False, *slot),
    )
    for args in layouts:
        assert addnet(server, *args, **request).pixels == row, args


def test_weight_a_is_the_unet_s(server: Server, name: str) -> None:
    expected = server.draw(stack({"network": "clothing/mecha_suit", "weight": 0.3, "te": 0.9}))
    assert addnet(server, True, True, "LoRA", name, 0.3, 0.9).pixels == expected.pixels


def test_off_is_off(server: Server, name: str, plain: tuple[str, ...]) -> None:
    assert addnet(server, False, False, "LoRA", name, 0.8, 0.8).pixels == plain
    assert addnet(server, True, False, "LoRA", name, 0, 0).pixels == plain
    assert addnet(server, True).pixels == plain


def test_the_picture_carries_addnet_s_keys_and_ours(server: Server, name: str) -> None:
    answer = addnet(server, True, False, "LoRA", name, 0.8, 0.6)
    params = answer.info["extra_generation_params"]
    assert params["AddNet Model 1"] == name
    assert (params["AddNet Weight A 1"], params["AddNet Weight B 1"]) == (0.8, 0.6)
    assert server.draw(infotext=answer.info["infotexts"][0]).pixels == answer.pixels


def test_with_the_panel_rows_add_up_and_a_file_acts_once(server: Server, name: str) -> None:
    slot = ("LoRA", name, 0.8, 0.8)
    both = server.draw(stack(("style/neon", 0.5), ("clothing/mecha_suit", 0.8))).pixels
    panel = {"LoRA Stack": {"args": [True, stack(("style/neon", 0.5))]}}
    assert addnet(server, True, False, *slot, scripts=panel).pixels == both
    twice = {"LoRA Stack": {"args": [True, stack(("style/neon", 0.5), ("clothing/mecha_suit", 0.3))]}}
    assert addnet(server, True, False, *slot, scripts=twice).pixels == both
    infotext = addnet(server, True, False, *slot).info["infotexts"][0]
    alone = server.draw(stack(("clothing/mecha_suit", 0.8))).pixels
    assert addnet(server, True, False, *slot, infotext=infotext).pixels == alone


@pytest.mark.parametrize(
    ("args", "named"),
    [
        pytest.param(["yes"], "first argument", id="switch"),
        pytest.param([True, False, "LoHa", "mecha_suit", 1, 1], "slot 1 (mecha_suit)", id="module"),
        pytest.param([True, False, "LoRA", "mecha_suit", "strong", 1], "weight", id="weight"),
        pytest.param([True, False, "LoRA", 3, 1, 1], "slot 1", id="model"),
    ],
)
def test_wrong_arguments_are_an_error(
    server: Server, plain: tuple[str, ...], args: list[Any], named: str
) -> None:
    answer = addnet(server, *args)
    assert answer.status == 422, answer.body
    assert named in answer.body["detail"]
    assert server.draw().pixels == plain


def test_fault_1_encoded_prompts_are_not_stale(server: Server, name: str, plain: tuple[str, ...]) -> None:
    """AddNet: after a base picture only the UNet's part acted, and the base picture after it was polluted."""
    slot = ("LoRA", name, 1.5, 1.5)
    row = server.draw(stack(("clothing/mecha_suit", 1.5)), seed=77).pixels
    unet_only = server.draw(stack({"network": "clothing/mecha_suit", "weight": 1.5, "te": 0}), seed=77).pixels
    base = server.draw(seed=77).pixels
    assert addnet(server, True, False, *slot, seed=77).pixels == row != unet_only
    assert server.draw(seed=77).pixels == base
    assert server.draw().pixels == plain


def test_fault_2_a_file_that_does_not_fit_is_an_error(server: Server, plain: tuple[str, ...]) -> None:
    """AddNet: an SDXL file was an AssertionError in the log, the base picture and HTTP 200."""
    answer = addnet(server, True, False, "LoRA", "bad/for_sdxl", 1, 1)
    assert answer.status == 422, answer.body
    assert "SDXL" in answer.body["detail"]
    assert server.draw().pixels == plain


def test_fault_3_a_mask_is_not_dropped_in_silence(server: Server, name: str) -> None:
    """AddNet: a mask by API failed in the log; the picture came with the network all over it, HTTP 200."""
    answer = addnet(server, True, False, "LoRA", name, 1, 1, *NONE * 4, "aGVsbG8=")
    assert answer.status == 422, answer.body
    assert "mask image is not a picture" in answer.body["detail"]


def test_fault_4_an_unknown_model_is_an_error(server: Server, plain: tuple[str, ...]) -> None:
    """AddNet: "model not found" in the log, the base picture and HTTP 200."""
    answer = addnet(server, True, False, "LoRA", "mecha_sut", 1, 1)
    assert answer.status == 422, answer.body
    assert "mecha_sut" in answer.body["detail"] and "'mecha_suit'" in answer.body["detail"]
    assert server.draw().pixels == plain
