"""Half an emoji in a request, as a page sends it after a careless cut, is no error of the server."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from lib_lora.library.library import Library
from lib_lora.library.masks import MaskStore
from lib_lora.library.presets import Presets
from lib_lora.ui.address import PREFIX
from lib_lora.ui.bodies import HALF
from lib_lora.ui.guards import HEADER
from lib_lora.ui.interference import add_interference_route
from lib_lora.ui.mask_routes import add_mask_routes
from lib_lora.ui.panel_routes import add_panel_routes
from lib_lora.ui.routes import add_routes


class NoReports:
    def last(self, tab: str) -> None:
        return None


@pytest.fixture
def page(tmp_path: Path) -> TestClient:
    app = FastAPI()
    add_routes(app, lambda: Library([tmp_path]), NoReports())
    add_panel_routes(app, lambda: Presets(tmp_path / "presets"))
    add_mask_routes(app, lambda: MaskStore(tmp_path))
    add_interference_route(app, lambda stack: {"told": stack})
    return TestClient(app, base_url="http://127.0.0.1", headers={HEADER: "1"}, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("check", r'{"stack": "\ud83d"}'),
        ("read", r'{"text": "\ud83d"}'),
        ("tags/read", r'{"prompt": "a girl \ud83d, <lora:x:1>"}'),
        ("tags/write", r'{"stack": "\ud83d"}'),
        ("presets", r'{"name": "\ud83d", "stack": "{}"}'),
        ("presets/rename", r'{"name": "\ud83d", "to": "x"}'),
        ("presets/delete", r'{"name": "\ud83d"}'),
        ("masks", r'{"picture": "\ud83d"}'),
        ("interference", r'{"stack": "\ud83d"}'),
    ],
)
def test_it_is_told(page: TestClient, route: str, body: str) -> None:
    answer = page.post(f"{PREFIX}/{route}", content=body, headers={"Content-Type": "application/json"})
    told = answer.json()
    if answer.status_code == 200:  # where the framework lets it through, the row's own problem is told
        assert route == "check"
        assert told["problem"]
    else:
        assert answer.status_code == 422, told
        assert isinstance(told["detail"], str)


def test_what_would_be_repeated_is_not(page: TestClient) -> None:
    answer = page.post(f"{PREFIX}/interference", content=r'{"stack": "\ud83d"}')
    assert answer.json() == {"detail": HALF}


def test_other_mistakes_are_told_as_ever(page: TestClient) -> None:
    answer = page.post(f"{PREFIX}/read", json={"text": []})
    assert answer.status_code == 422
    assert "str" in str(answer.json()["detail"])
