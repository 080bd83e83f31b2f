"""The demo draws what the real WebUI draws: same checkpoint, prompt, seed, sampler, steps and CFG."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.integration.server import ROOT, Server
from tests.real.compare import EQUAL, SEEN
from tests.real.webui import NEGATIVE, PROMPT, WebUI, difference, stack

MODELS = ROOT / "demo" / "models"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def demo(host: WebUI, server: Server, pytestconfig: pytest.Config) -> WebUI:
    """The demo, spoken to like the other one; both with the demo's checkpoint and LoRAs."""
    ours = next((MODELS / "checkpoint").glob("*.safetensors"))
    theirs = host.checkpoint()
    if theirs.stat().st_size != ours.stat().st_size or digest(theirs) != digest(ours):
        pytest.skip("the WebUI has another checkpoint loaded than demo/models/checkpoint")
    return WebUI(server.url, "a1111")


@pytest.fixture(scope="module")
def network(host: WebUI, demo: WebUI) -> dict[str, str]:
    """A LoRA of the demo, named by its hash: the WebUI may keep it in another folder."""
    items = demo.call("/lora-stack/networks?limit=500").body["items"]
    label = next(item["label"] for item in items if item["label"] == "clothing/mecha")
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
