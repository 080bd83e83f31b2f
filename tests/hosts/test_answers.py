"""What an API caller is told when a picture is refused, on a host that knows nothing of our errors."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.testclient import TestClient

from lib_lora.errors import NetworkNotFoundError
from lib_lora.hosts.answers import answer_errors


def host() -> FastAPI:
    app = FastAPI()

    @app.post("/sdapi/v1/txt2img")
    def draw() -> None:
        raise NetworkNotFoundError("No LoRA is called nobody.")

    @app.post("/broken")
    def broken() -> None:
        raise ValueError("not ours")

    return app


def test_the_reason_and_422() -> None:
    app = host()
    client = TestClient(app, raise_server_exceptions=False)
    assert client.post("/sdapi/v1/txt2img").status_code == 500  # the host alone; its middleware is built now
    answer_errors(app)
    answer_errors(app)
    answer = client.post("/sdapi/v1/txt2img")
    assert answer.status_code == 422
    assert answer.json()["error"] == "NetworkNotFoundError"
    assert "nobody" in answer.json()["detail"]
    assert answer.json()["errors"] == answer.json()["detail"]


def test_other_errors_are_the_host_s() -> None:
    app = host()
    answer_errors(app)
    assert TestClient(app, raise_server_exceptions=False).post("/broken").status_code == 500
