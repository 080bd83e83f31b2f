"""The route asks who measures, and nobody passes the guard unseen."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient

from lib_lora.ui.interference import add_interference_route
from lib_lora.ui.routes import STACK_LIMIT


def measure(text: str) -> dict[str, Any]:
    return {"rows": [text], "matrix": [[1.0]], "left_out": [0]}


def test_the_stack_is_measured() -> None:
    app = FastAPI()
    add_interference_route(app, measure)
    client = TestClient(app)
    answer = client.post("/lora-stack/interference", json={"stack": "[]"})
    assert answer.json() == {"rows": ["[]"], "matrix": [[1.0]], "left_out": [0]}
    assert client.post("/lora-stack/interference", json={"stack": "x" * (STACK_LIMIT + 1)}).status_code == 422


def test_the_guard_stands_before_it() -> None:
    def refuse() -> None:
        raise HTTPException(401, "Log in first.")

    app = FastAPI()
    add_interference_route(app, measure, (Depends(refuse),))
    answer = TestClient(app).post("/lora-stack/interference", json={"stack": "[]"})
    assert answer.status_code == 401
