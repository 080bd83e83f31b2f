"""Who may ask and who may change: gradio's real login in both versions, and names that lead here unasked."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient

from lib_lora.library.library import Library
from lib_lora.library.masks import MaskStore
from lib_lora.library.presets import Presets
from lib_lora.ui.guards import require_known_host
from lib_lora.ui.interference import add_interference_route
from lib_lora.ui.mask_routes import add_mask_routes
from lib_lora.ui.panel_routes import add_panel_routes
from lib_lora.ui.routes import PREFIX, add_routes

ROOT = Path(__file__).parents[2]
PYTHONS = {"4.40.0": ROOT / ".venv/bin/python", "3.41.2": ROOT / ".venv-gradio3/bin/python"}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("gradio", PYTHONS)
def test_gradios_login_is_ours(gradio: str) -> None:
    done = subprocess.run(
        [PYTHONS[gradio], "-W", "ignore", "-m", "tests.ui.login_page"],
        cwd=ROOT,
        env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "gradio": gradio,
        "open": 200,
        "stranger": 401,
        "wrong password": [400, 401],
        "right password": [200, 200],
        "another browser": 401,
        "made-up cookie": 401,
        "API's password": [401, 401, 200],
        "login by function": [200, 200],
    }


def test_every_route_of_ours_asks_its_guards(tmp_path: Path) -> None:
    def refuse() -> None:
        raise HTTPException(401)

    app, library, guard = FastAPI(), Library([]), [Depends(refuse)]
    add_routes(app, lambda: library, NoReports(), guard)
    add_panel_routes(app, lambda: Presets(tmp_path), guard)
    add_mask_routes(app, lambda: MaskStore(tmp_path), guard)
    add_interference_route(app, lambda text: {}, guard)
    caller = TestClient(app, headers={"X-LoRA-Stack": "1"})
    ours = [route for route in app.routes if str(getattr(route, "path", "")).startswith(PREFIX)]
    assert len(ours) > 20
    for route in ours:
        for method in route.methods:  # type: ignore[attr-defined]
            answer = caller.request(method, route.path, content=b"{}")  # type: ignore[attr-defined]
            assert answer.status_code == 401, (method, route)


def answered() -> dict[str, str]:
    return {}


class NoReports:
    def last(self, tab: str) -> None:
        return None


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:7860", 200),
        ("[::1]:7860", 200),
        ("192.168.1.20:7860", 200),
        ("localhost:7860", 200),
        ("my-pc:7860", 200),
        ("my-pc.local:7860", 200),
        ("a1b2.gradio.live", 200),
        ("Draw.Example.ORG.", 200),
        ("evil.example:7860", 403),
        ("127.0.0.1.evil.example:7860", 403),
        ("gradio.live.evil.example", 403),
        ("evilgradio.live", 403),
        ("localhost.evil.example", 403),
    ],
)
def test_a_strangers_name_that_leads_here_changes_nothing(host: str, status: int) -> None:
    app = FastAPI()
    known = [Depends(require_known_host(lambda: ["draw.example.org"], login=False))]
    app.post("/change", dependencies=known)(answered)
    app.get("/look", dependencies=known)(answered)
    app.post("/check", dependencies=known)(answered)
    caller = TestClient(app)
    answer = caller.post("/change", headers={"Host": host})
    assert answer.status_code == status
    assert status == 200 or "Names of this WebUI" in answer.json()["detail"]
    for asked in (caller.get("/look", headers={"Host": host}), caller.post("/check", headers={"Host": host})):
        assert asked.status_code == 200


def test_a_login_makes_names_harmless() -> None:
    app = FastAPI()
    app.post("/change", dependencies=[Depends(require_known_host(tuple, login=True))])(answered)
    assert TestClient(app).post("/change", headers={"Host": "evil.example"}).status_code == 200
