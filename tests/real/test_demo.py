"""The demo draws what the real WebUI draws: same checkpoint, prompt, seed, sampler, steps and CFG."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration.server import ROOT, serve
from tests.real.compare import EQUAL, SEEN
from tests.real.inputs import inpaint, picture_of
from tests.real.test_equality import HIRES
from tests.real.webui import NEGATIVE, PROMPT, WebUI, difference, stack

MODELS = ROOT / "demo" / "models"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def demo(host: WebUI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebUI]:
    """The demo in the manner of the other one and spoken to alike; both with its checkpoint and LoRAs."""
    ours = next((MODELS / "checkpoint").glob("*.safetensors"))
    theirs = host.checkpoint()
    if theirs.stat().st_size != ours.stat().st_size or digest(theirs) != digest(ours):
        pytest.skip("the WebUI has another checkpoint loaded than demo/models/checkpoint")
    for server in serve(tmp_path_factory.mktemp("data"), as_forge=host.kind == "forge"):
        yield WebUI(server.url, host.kind)


@pytest.fixture(scope="module")
def network(host: WebUI, demo: WebUI) -> dict[str, str]:
    """A LoRA of the demo, named by its hash: the WebUI may keep it in another folder."""
    items = demo.call("/lora-stack/networks?limit=500").body["items"]
    label = next(item["label"] for item in items if item["label"].startswith("clothing/"))
    shorthash = demo.draw(stack((label, 1.0))).infotext.split('\\"hash\\":\\"')[1][:12]
    entry = {"network": label, "hash": shorthash}
    if host.draw(stack({**entry, "weight": 1.0})).status != 200:
        pytest.skip("the WebUI does not have the demo's LoRAs")
    return entry


@pytest.mark.parametrize("weight", [None, 0.8], ids=["plain", "with a stack"])
@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({}, id="Euler"),
        pytest.param({"sampler_name": "Euler a"}, id="Euler a"),
        pytest.param({"sampler_name": "DPM++ 2M", "scheduler": "Karras"}, id="DPM++ 2M Karras"),
        pytest.param({"sampler_name": "Heun"}, id="Heun"),
        pytest.param({"batch_size": 2, "seed": 77}, id="batch of two"),
        pytest.param({"prompt": "a (boy:1.2), [red:blue:0.5] shirt, in a forest"}, id="emphasis and editing"),
        pytest.param({"cfg_scale": 1}, id="CFG 1"),
    ],
)
def test_the_same_picture(
    host: WebUI, demo: WebUI, network: dict[str, str], request_: dict[str, Any], weight: float | None
) -> None:
    request = {"prompt": PROMPT, "negative_prompt": NEGATIVE, "steps": 8, **request_}
    rows = None if weight is None else stack({**network, "weight": weight})
    theirs, ours = host.draw(rows, **request).pictures, demo.draw(rows, **request).pictures
    distance = max(map(difference, theirs, ours))
    print(f"difference {distance:.5f}")
    assert distance <= EQUAL
    assert float(ours[0].std()) > SEEN


@pytest.mark.parametrize(
    ("fields", "request_"),
    [
        pytest.param({}, HIRES, id="hires"),
        pytest.param({"start": "0.25", "stop": "0.75"}, {}, id="a part of the making"),
        pytest.param({"schedule": "0@0,1@1"}, {"sampler_name": "Heun"}, id="a curve over the steps"),
        pytest.param({"te_schedule": "0@0,1@1"}, HIRES, id="prompts encoded at key frames, in both passes"),
        pytest.param({"blocks": "OUTD"}, {}, id="some blocks"),
        pytest.param({"region": "box:0,0,0.5,1"}, {}, id="the left half"),
        pytest.param({"region": "box:0.25,0.25,0.5,0.5", "feather": 0.1}, HIRES, id="a box in both passes"),
        pytest.param({"passes": "base,hires:0.3"}, HIRES, id="less in the second pass"),
        pytest.param({"region": "inpaint"}, inpaint(only_masked=False), id="the mask"),
        pytest.param({"region": "inpaint"}, inpaint(only_masked=True), id="the mask, it alone drawn"),
        pytest.param({"side": "positive"}, {}, id="for the prompt alone"),
    ],
)
def test_an_aimed_row_acts_there_alike(
    host: WebUI, demo: WebUI, network: dict[str, str], fields: dict[str, Any], request_: dict[str, Any]
) -> None:
    """Where, when and in which pass: places, steps and passes are told by the host, and mean the same."""
    request = {"prompt": PROMPT, "negative_prompt": NEGATIVE, "steps": 8, **request_}
    drawn: Any = ...
    if "mask" in request:
        drawn = picture_of(request["mask"]) > 0  # all else stays, and would thin every difference
        init = demo.draw(steps=8).body["images"][0]
        request |= {"init_images": [init], "denoising_strength": 0.8, "route": "img2img"}
    rows, whole = stack({**network, "weight": 1.0, **fields}), stack({**network, "weight": 1.0})

    def drawn_by(what: WebUI, rows: Any) -> np.ndarray:
        return what.draw(rows, **request).pictures[0][drawn]

    theirs, ours = drawn_by(host, rows), drawn_by(demo, rows)
    distance = difference(theirs, ours)
    print(f"difference {distance:.5f}")
    assert distance <= EQUAL
    assert difference(ours, drawn_by(demo, None)) > EQUAL
    if fields:
        assert difference(ours, drawn_by(demo, whole)) > EQUAL
