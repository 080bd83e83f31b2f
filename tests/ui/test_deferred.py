"""Routes that are made with the first question: the same answers, and nothing before it."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from lib_lora.ui.address import PREFIX
from lib_lora.ui.deferred import defer_routes


def answering(made: list[str], word: str = "advice"):
    def add(app: FastAPI) -> None:
        made.append(word)

        @app.get(f"{PREFIX}/advice")
        def advice(request: Request) -> str:
            return f"{word} of {request.scope.get('root_path', '')}"

        @app.post(f"{PREFIX}/masks/{{digest}}")
        def mask(digest: str) -> str:
            return digest

    return add


def test_routes_are_made_once_and_answer_like_any_others() -> None:
    app, made = FastAPI(), []
    defer_routes(app, answering(made))
    page = TestClient(app)
    assert page.get("/other").status_code == 404 and made == []
    assert page.get(f"{PREFIX}/advice").json() == "advice of "
    assert page.post(f"{PREFIX}/masks/3f0c").json() == "3f0c"
    assert page.get(f"{PREFIX}/nothing").status_code == 404
    assert page.post(f"{PREFIX}/advice").status_code == 405
    assert made == ["advice"]


def test_below_a_path_of_a_proxy() -> None:
    app, made = FastAPI(), []
    defer_routes(app, answering(made))
    outer = FastAPI()
    outer.mount("/webui", app)
    assert TestClient(outer).get(f"/webui{PREFIX}/advice").json() == "advice of /webui"


def test_a_second_call_takes_the_place_of_the_first() -> None:
    app, made = FastAPI(), []
    defer_routes(app, answering(made, "old"))
    defer_routes(app, answering(made, "new"))
    assert TestClient(app).get(f"{PREFIX}/advice").json() == "new of "
    assert made == ["new"]


def test_they_are_not_told_to_readers_of_the_api() -> None:
    app = FastAPI()
    defer_routes(app, answering([]))
    page = TestClient(app)
    assert page.get("/openapi.json").json()["paths"] == {}
    page.get(f"{PREFIX}/advice")
    assert page.get(f"{PREFIX}/openapi.json").status_code == 404
