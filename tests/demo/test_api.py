"""The API answers as AUTOMATIC1111's does, to good requests and to bad ones."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.demo.conftest import PROMPT, Host

pytestmark = pytest.mark.demo

SMALL = {"prompt": PROMPT, "seed": 1, "steps": 2, "width": 64, "height": 64, "sampler_name": "Euler"}


def encode(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def decode(text: str) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(text)))
    image.load()
    return image


def seen_args(host: Host) -> list[tuple]:
    """What the probe's process() got in the next requests."""
    seen: list[tuple] = []
    host.log.acting["process"] = lambda p, *args: seen.append(args)
    return seen


def test_txt2img(host: Host) -> None:
    status, body = host.call("/sdapi/v1/txt2img", SMALL)
    assert status == 200
    image = decode(body["images"][0])
    info = json.loads(body["info"])
    assert image.size == (64, 64)
    assert image.info["parameters"] == info["infotexts"][0]
    assert info["all_seeds"] == [1]
    assert body["parameters"]["steps"] == 2


def test_img2img_with_mask_keeps_the_rest(host: Host) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    mask = Image.fromarray(np.pad(np.full((32, 32), 255, np.uint8), 16))
    request = {
        **SMALL,
        "init_images": ["data:image/png;base64," + encode(image)],
        "mask": encode(mask),
        "mask_blur": 0,
        "inpaint_full_res": False,
        "inpainting_fill": 1,
        "denoising_strength": 0.99,
    }
    status, body = host.call("/sdapi/v1/img2img", request)
    assert status == 200
    outside = np.asarray(mask) == 0
    result = np.asarray(decode(body["images"][0]))
    assert (result[outside] == np.asarray(image)[outside]).all()
    inverted = host.call("/sdapi/v1/img2img", {**request, "inpainting_mask_invert": 1})[1]
    result = np.asarray(decode(inverted["images"][0]))
    assert (result[~outside] == np.asarray(image)[~outside]).all()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(None, (False, "default"), id="defaults when the script is not named"),
        pytest.param([], (False, "default"), id="defaults for no values"),
        pytest.param([True], (True, "default"), id="short list is filled"),
        pytest.param([True, "x", 1, 2], (True, "x"), id="long list is cut"),
        pytest.param([{"a": 1}, ["b", None]], ({"a": 1}, ["b", None]), id="raw JSON arrives as it is"),
    ],
)
def test_script_arguments(host: Host, given: Any, expected: tuple) -> None:
    seen = seen_args(host)
    scripts = {} if given is None else {"alwayson_scripts": {"PROBE": {"args": given}}}
    assert host.call("/sdapi/v1/txt2img", {**SMALL, **scripts})[0] == 200
    assert seen == [expected]


def test_infotext_sets_script_arguments(host: Host) -> None:
    seen = seen_args(host)
    text = 'x\nSteps: 2, Sampler: Euler, Seed: 1, Probe switch: True, Probe text: "a, b"'
    assert host.call("/sdapi/v1/txt2img", {**SMALL, "infotext": text})[0] == 200
    assert seen == [(True, "a, b")]


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        pytest.param(
            "txt2img", {"alwayson_scripts": {"nobody": {"args": []}}}, 422, "nobody", id="unknown script"
        ),
        pytest.param("txt2img", {"script_name": "nobody"}, 422, "nobody", id="unknown selectable script"),
        pytest.param("txt2img", {"sampler_name": "Eular"}, 400, "Eular", id="unknown sampler"),
        pytest.param("txt2img", {"steps": "many"}, 422, "steps", id="word for a number"),
        pytest.param("img2img", {}, 404, "Init image", id="no picture"),
        pytest.param(
            "img2img", {"init_images": ["zzz"]}, 500, "Invalid encoded image", id="picture that is none"
        ),
        pytest.param("options", {"sd_model_checkpoint": "none"}, 500, "none", id="unknown checkpoint"),
    ],
)
def test_refusals(host: Host, path: str, body: dict, status: int, words: str) -> None:
    request = body if path == "options" else {**SMALL, **body}
    code, answer = host.call(f"/sdapi/v1/{path}", request)
    assert code == status
    assert words in json.dumps(answer)


class Refusal(Exception):
    def __init__(self) -> None:
        super().__init__("row 1 (x): no such file")
        self.status_code = 422
        self.detail = "detail of the refusal"
        self.body = {"row": 1}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(
            Refusal(),
            (422, {"error": "Refusal", "detail": "detail of the refusal", "body": {"row": 1}}),
            id="carries a status",
        ),
        pytest.param(
            ValueError("plain"), (500, {"error": "ValueError", "detail": "", "body": ""}), id="plain"
        ),
    ],
)
def test_exceptions_become_answers(
    host: Host, monkeypatch: pytest.MonkeyPatch, error: Exception, expected: tuple
) -> None:
    from modules import processing

    def fail(p):
        raise error

    monkeypatch.setattr(processing.StableDiffusionProcessingTxt2Img, "setup_conds", fail)
    status, body = host.call("/sdapi/v1/txt2img", SMALL)
    assert (status, {key: body[key] for key in ("error", "detail", "body")}) == expected
    assert body["errors"] == str(error)
    monkeypatch.undo()
    assert host.call("/sdapi/v1/txt2img", SMALL)[0] == 200


def test_an_exception_in_a_hook_is_not_told(host: Host) -> None:
    host.log.raising.add("process")
    assert host.call("/sdapi/v1/txt2img", SMALL)[0] == 200


def test_options(host: Host) -> None:
    status, before = host.call("/sdapi/v1/options")
    assert status == 200
    assert before["persistent_cond_cache"] is True
    assert host.call("/sdapi/v1/options", {"persistent_cond_cache": False})[0] == 200
    assert host.call("/sdapi/v1/options")[1]["persistent_cond_cache"] is False
    host.call("/sdapi/v1/options", {"persistent_cond_cache": True})


def test_scripts_and_their_arguments(host: Host) -> None:
    scripts = host.call("/sdapi/v1/scripts")[1]
    assert "probe" in scripts["txt2img"]
    assert "probe" in scripts["img2img"]
    info = [row for row in host.call("/sdapi/v1/script-info")[1] if row["name"] == "probe"]
    assert [row["is_img2img"] for row in info] == [False, True]
    assert [arg["label"] for arg in info[0]["args"]] == ["Probe switch", "Probe text"]
    assert [arg["value"] for arg in info[0]["args"]] == [False, "default"]


def test_lists(host: Host) -> None:
    samplers = [row["name"] for row in host.call("/sdapi/v1/samplers")[1]]
    assert {"Euler", "Euler a", "DPM++ 2M"} <= set(samplers)
    models = host.call("/sdapi/v1/sd-models")[1]
    assert models[0]["title"] == f"{models[0]['model_name']}.safetensors [{models[0]['hash']}]"
    loras = host.call("/sdapi/v1/loras")[1]
    assert loras
    assert all(row["name"] and row["path"].endswith(".safetensors") for row in loras)
    assert host.call("/sdapi/v1/refresh-loras", {})[0] == 200


def test_progress_and_interrupt(host: Host) -> None:
    seen = {}
    host.log.acting["cfg_after_cfg"] = lambda params: seen.setdefault(
        "during", host.call("/sdapi/v1/progress")[1]
    )
    assert host.call("/sdapi/v1/txt2img", SMALL)[0] == 200
    assert seen["during"]["state"]["sampling_steps"] == 2
    assert seen["during"]["state"]["job"] == "scripts_txt2img"
    assert host.call("/sdapi/v1/progress")[1]["progress"] == 0
    host.log.acting["cfg_after_cfg"] = lambda params: host.call("/sdapi/v1/interrupt", {})
    host.log.events.clear()
    assert host.call("/sdapi/v1/txt2img", {**SMALL, "steps": 9})[0] == 200
    assert host.log.events.count("cfg_denoiser") == 1


def test_png_info(host: Host) -> None:
    picture = host.call("/sdapi/v1/txt2img", SMALL)[1]["images"][0]
    answer = host.call("/sdapi/v1/png-info", {"image": picture})[1]
    assert answer["parameters"]["Prompt"] == PROMPT
    assert answer["parameters"]["Seed"] == "1"
    assert answer["info"].startswith(PROMPT)


def test_a_request_closes_itself(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import processing

    closed = []
    klass = processing.StableDiffusionProcessingTxt2Img
    original = klass.close
    monkeypatch.setattr(klass, "close", lambda p: (closed.append(p), original(p))[1])
    host.call("/sdapi/v1/txt2img", SMALL)
    assert len(closed) == 1
    assert closed[0].c is None
