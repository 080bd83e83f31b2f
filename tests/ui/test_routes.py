"""The panel's questions and their answers, over a folder of real files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient

from lib_lora.library.library import Library
from lib_lora.stack.advice import ROLES
from lib_lora.ui.address import PREFIX
from lib_lora.ui.library_routes import PAGE_LIMIT
from lib_lora.ui.routes import add_routes
from tests.ui.files import PIXEL, write_network


class Reports:
    def __init__(self, reports: dict[str, Any]) -> None:
        self.reports = reports

    def last(self, tab: str) -> dict[str, Any] | None:
        return self.reports.get(tab)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lora"
    write_network(folder / "styles" / "ghibli.safetensors", rank=8, fill=1)
    write_network(folder / "people" / "Mira.safetensors", fill=2, **{"modelspec.trigger_phrase": "mira, hat"})
    (folder / "people" / "Mira.preview.png").write_bytes(PIXEL)
    (folder / "broken.safetensors").write_bytes(b"half a file")
    (tmp_path / "secret.png").write_bytes(PIXEL)
    return folder


@pytest.fixture
def app(folder: Path) -> FastAPI:
    app = FastAPI()
    library = Library([folder])
    library.scan()
    add_routes(
        app, lambda: library, Reports({"txt2img": {"serial": 3, "ok": True, "line": "1 of 1 applied"}})
    )
    return app


@pytest.fixture
def page(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="http://127.0.0.1", headers={"X-LoRA-Stack": "1"})


def labels(answer: dict[str, Any]) -> list[str]:
    return [item["label"] for item in answer["items"]]


def test_networks_are_listed_with_what_the_page_shows(page: TestClient) -> None:
    answer = page.get(f"{PREFIX}/networks").json()
    assert answer["total"] == 3
    assert labels(answer) == ["broken", "people/Mira", "styles/ghibli"]
    broken, mira, ghibli = answer["items"]
    assert broken["problem"] != ""
    assert mira["trigger_words"] == ["mira", "hat"]
    assert mira["preview"] is True
    assert mira["role"] == "character"
    assert ghibli["rank"] == "8"
    assert ghibli["problem"] == ""


def test_networks_are_searched_and_paged(page: TestClient) -> None:
    assert labels(page.get(f"{PREFIX}/networks", params={"q": "GHIB"}).json()) == ["styles/ghibli"]
    assert page.get(f"{PREFIX}/networks", params={"q": "no such"}).json()["items"] == []
    second = page.get(f"{PREFIX}/networks", params={"offset": 1, "limit": 1}).json()
    assert labels(second) == ["people/Mira"]
    assert second["total"] == 3


@pytest.mark.parametrize(
    "params",
    [{"limit": 0}, {"limit": PAGE_LIMIT + 1}, {"offset": -1}, {"limit": "many"}, {"q": "x" * 501}],
    ids=["no limit", "too many", "before the first", "no number", "endless query"],
)
def test_senseless_pages_are_refused(page: TestClient, params: dict[str, Any]) -> None:
    answer = page.get(f"{PREFIX}/networks", params=params)
    assert answer.status_code == 422
    assert "detail" in answer.json()


def test_refresh_finds_new_files(page: TestClient, folder: Path) -> None:
    write_network(folder / "new.safetensors", fill=9)
    assert page.get(f"{PREFIX}/networks").json()["total"] == 3
    told = page.post(f"{PREFIX}/refresh").json()
    assert told == {"total": 4, "added": 1, "changed": 0, "removed": 0, "problems": []}
    assert "new" in labels(page.get(f"{PREFIX}/networks").json())


def test_what_changes_something_is_no_get(page: TestClient) -> None:
    assert page.get(f"{PREFIX}/refresh").status_code == 405
    assert page.post(f"{PREFIX}/networks").status_code == 405


def test_blocks_are_told_as_numbers(page: TestClient) -> None:
    told = page.get(f"{PREFIX}/blocks").json()
    assert len(told["layouts"]["sd1"]) == 17
    assert {preset["name"] for preset in told["presets"]} >= {"ALL", "OUTD"}
    assert told["problems"] == []


def test_advice_is_the_table_of_roles(page: TestClient) -> None:
    answer = page.get(f"{PREFIX}/advice").json()
    assert [role["name"] for role in answer] == [role.name for role in ROLES]
    assert {"label", "low", "high", "default", "hint", "slider_max"} <= answer[0].keys()


def test_preview_of_a_known_file(page: TestClient) -> None:
    answer = page.get(f"{PREFIX}/preview", params={"label": "people/Mira"})
    assert answer.content == PIXEL
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "label",
    [
        "styles/ghibli",
        "nobody",
        "",
        "../secret",
        "../secret.png",
        "people/Mira.preview.png",
        "people/../people/Mira",
        "/etc/passwd",
        "people/Mira\0",
        "\\\\server\\share\\x",
    ],
)
def test_no_other_file_is_served(page: TestClient, label: str) -> None:
    answer = page.get(f"{PREFIX}/preview", params={"label": label})
    assert answer.status_code == 404
    assert answer.json() == {"detail": "This LoRA has no preview picture."}


def test_a_preview_of_another_type_is_not_served(page: TestClient, folder: Path) -> None:
    """Whatever a picture is called, a browser is never given something it could run."""
    (folder / "people" / "Mira.preview.png").write_text("<script>alert(1)</script>")
    page.post(f"{PREFIX}/refresh")
    for size in ({}, {"size": 128}):
        answer = page.get(f"{PREFIX}/preview", params={"label": "people/Mira", **size})
        assert answer.status_code == 404


def test_report_of_a_tab(page: TestClient) -> None:
    assert page.get(f"{PREFIX}/report", params={"tab": "txt2img"}).json()["line"] == "1 of 1 applied"
    assert page.get(f"{PREFIX}/report", params={"tab": "img2img"}).json() == {"serial": 0}


def test_check_answers_for_every_row(page: TestClient) -> None:
    stack = '[{"network": "people/Mira"}, {"network": "Miro"}, {"network": "broken"}]'
    answer = page.post(f"{PREFIX}/check", json={"stack": stack}).json()
    assert answer["problem"] == ""
    assert [row["file"] and row["file"]["label"] for row in answer["rows"]] == ["people/Mira", None, "broken"]
    assert [bool(row["problem"]) for row in answer["rows"]] == [False, True, True]


@pytest.mark.parametrize("body", [{}, {"stack": ["a"]}, {"stack": None}, "text"], ids=str)
def test_check_wants_a_text(page: TestClient, body: Any) -> None:
    assert page.post(f"{PREFIX}/check", json=body).status_code == 422


def test_a_second_call_replaces_the_first(app: FastAPI, page: TestClient, tmp_path: Path) -> None:
    empty = Library([tmp_path / "elsewhere"])
    before = len(app.router.routes)
    add_routes(app, lambda: empty, Reports({}))
    assert len(app.router.routes) == before
    assert page.get(f"{PREFIX}/networks").json()["total"] == 0


def test_every_route_is_guarded(folder: Path) -> None:
    def nobody() -> None:
        raise HTTPException(401, "Log in first.")

    app = FastAPI()
    add_routes(app, lambda: Library([folder]), Reports({}), guard=[Depends(nobody)])
    page = TestClient(app, base_url="http://127.0.0.1")
    ours = [route for route in app.router.routes if str(getattr(route, "path", "")).startswith(PREFIX)]
    assert len(ours) == 20
    for route in ours:
        for method in route.methods:  # type: ignore[attr-defined]
            answer = page.request(method, route.path)  # type: ignore[attr-defined]
            assert answer.status_code == 401, route
