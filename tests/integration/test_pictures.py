"""A stack changes the picture, exactly as long as it is asked for, whatever came before."""

from __future__ import annotations

import base64
import io
import itertools
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.integration.server import Answer, Server

pytestmark = pytest.mark.demo


def stack(*rows: tuple[str, float] | dict[str, Any]) -> dict[str, Any]:
    entries = [row if isinstance(row, dict) else {"network": row[0], "weight": row[1]} for row in rows]
    return {"version": 1, "entries": entries}


def picture(answer: Answer) -> np.ndarray:
    assert answer.status == 200, answer.body
    return np.asarray(
        Image.open(io.BytesIO(base64.b64decode(answer.body["images"][0]))).convert("RGB"), float
    )


MECHA, NEON = ("clothing/mecha_suit", 0.8), ("style/neon", 0.5)


def test_every_network_changes_the_picture(server: Server) -> None:
    plain = picture(server.draw())
    for network in server.call("/lora-stack/networks?limit=500").body["items"]:
        if network["problem"] or network["label"].startswith("bad/"):
            continue
        changed = picture(server.draw(stack((network["label"], 1.0))))
        assert np.abs(changed - plain).mean() > 2, network["label"]


def test_the_same_stack_is_the_same_picture_whatever_came_before(server: Server) -> None:
    stacks = [None, stack(MECHA), stack(NEON), stack(MECHA, NEON), stack(("clothing/mecha_suit", -0.4))]
    seen: dict[int, tuple[str, ...]] = {}
    for before, after in itertools.permutations(range(len(stacks)), 2):
        for index in (before, after):
            pixels = server.draw(stacks[index]).pixels
            assert seen.setdefault(index, pixels) == pixels, f"stack {index} after {before}"
    assert len(set(seen.values())) == len(stacks)


def test_the_order_of_rows_does_not_matter(server: Server) -> None:
    assert server.draw(stack(MECHA, NEON)).pixels == server.draw(stack(NEON, MECHA)).pixels


@pytest.mark.parametrize(
    ("row", "same"),
    [
        pytest.param(
            {"network": "clothing/mecha_suit", "weight": 0.7, "te": 0, "unet": 0}, None, id="both parts at 0"
        ),
        pytest.param(
            {"network": "clothing/mecha_suit", "weight": 0.7, "te": 0.7}, {"weight": 0.7}, id="te spelled out"
        ),
        pytest.param(
            {"network": "clothing/mecha_suit", "weight": 0.1, "te": 0.7, "unet": 0.7},
            {"weight": 0.7},
            id="both override",
        ),
    ],
)
def test_parts_have_their_own_weights(
    server: Server, row: dict[str, Any], same: dict[str, Any] | None
) -> None:
    expected = server.draw(None if same is None else stack({"network": "clothing/mecha_suit", **same}))
    assert server.draw(stack(row)).pixels == expected.pixels


def test_the_text_encoder_alone_acts_and_leaves_no_stale_prompt(server: Server) -> None:
    """The host keeps encoded prompts; ours must not be kept for a picture without us, nor theirs for ours."""
    text_only = stack({"network": "clothing/mecha_suit", "weight": 1.5, "unet": 0})
    unet_only = stack({"network": "clothing/mecha_suit", "weight": 1.5, "te": 0})
    both = stack(("clothing/mecha_suit", 1.5))
    plain = server.draw().pixels
    first = [server.draw(what).pixels for what in (text_only, unet_only, both)]
    assert len({plain, *first}) == 4
    for what, pixels in zip((both, unet_only, text_only), reversed(first), strict=True):
        assert server.draw().pixels == plain
        assert server.draw(what).pixels == pixels


def test_switched_off_is_the_plain_picture(server: Server) -> None:
    assert server.draw(stack(MECHA), enabled=False).pixels == server.draw().pixels


def test_the_stack_is_written_into_the_picture_and_read_back(server: Server) -> None:
    first = server.draw(stack(MECHA, {"network": "style/neon", "weight": 0.3, "on": False}))
    infotext = first.info["infotexts"][0]
    assert "LoRA Stack: " in infotext
    assert "Lora hashes: " in infotext
    again = server.draw(infotext=infotext)
    assert again.status == 200, again.body
    assert again.pixels == first.pixels
    assert again.info["infotexts"][0] == infotext


def test_a_renamed_file_is_found_by_its_hash(server: Server) -> None:
    networks = server.draw(stack(MECHA)).info["infotexts"][0]
    shorthash = networks.split('\\"hash\\":\\"')[1][:12]
    renamed = stack({"network": "old name", "hash": shorthash, "weight": 0.8})
    assert server.draw(renamed).pixels == server.draw(stack(MECHA)).pixels


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({"batch_size": 2}, id="batch of two"),
        pytest.param({"n_iter": 2}, id="two batches"),
        pytest.param({"cfg_scale": 1}, id="CFG 1"),
        pytest.param({"sampler_name": "DPM++ 2M"}, id="second-order sampler"),
        pytest.param(
            {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.6, "hr_second_pass_steps": 4},
            id="hires",
        ),
    ],
)
def test_ways_to_generate(server: Server, request_: dict[str, Any]) -> None:
    plain = server.draw(**request_).pixels
    changed = server.draw(stack(MECHA), **request_).pixels
    assert all(one != other for one, other in zip(plain, changed, strict=True))
    assert server.draw(**request_).pixels == plain
    assert server.draw(stack(MECHA), **request_).pixels == changed


def test_inpainting_with_an_object_leaves_everything_else_alone(server: Server) -> None:
    init = server.draw().body["images"][0]
    mask = Image.new("L", (128, 128), 0)
    mask.paste(255, (40, 8, 88, 64))
    stream = io.BytesIO()
    mask.save(stream, "PNG")
    request = {
        "init_images": [init],
        "mask": base64.b64encode(stream.getvalue()).decode(),
        "denoising_strength": 0.9,
        "inpainting_fill": 1,
        "mask_blur": 0,
        "route": "img2img",
    }
    before = picture(server.draw(**request))
    after = picture(server.draw(stack(("clothing/mecha_suit", 1.2)), **request))
    outside = np.asarray(mask) == 0
    assert np.array_equal(before[outside], after[outside])
    assert np.abs(before - after)[~outside].mean() > 1
