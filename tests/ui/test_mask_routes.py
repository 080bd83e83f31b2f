"""Masks over the panel's routes: kept, shown, refused; never a path from a request."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient
from PIL import Image

from lib_lora.library.masks import MaskStore
from lib_lora.ui.mask_routes import MASKS, add_mask_routes


def half() -> Image.Image:
    image = Image.new("L", (4, 2))
    image.paste(255, (0, 0, 2, 2))
    return image


def data_url(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture
def page(tmp_path: Path) -> TestClient:
    app = FastAPI()
    store = MaskStore(tmp_path / "masks")
    add_mask_routes(app, lambda: store)
    return TestClient(app, base_url="http://127.0.0.1")


def test_a_drawn_mask_is_kept_and_shown_again(page: TestClient) -> None:
    answer = page.post(MASKS, json={"picture": data_url(half())})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["width"], told["height"], told["share"]) == (4, 2, 0.5)
    shown = page.get(f"{MASKS}/{told['hash']}")
    assert shown.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(shown.content)).tobytes() == half().tobytes()


def test_what_is_no_picture_is_refused(page: TestClient) -> None:
    answer = page.post(MASKS, json={"picture": base64.b64encode(b"<html>").decode()})
    assert answer.status_code == 422 and "The mask is not a picture" in answer.json()["detail"]


@pytest.mark.parametrize("digest", ["0" * 16, "..%2Fsecret", "x"])
def test_a_mask_that_is_not_kept_is_not_found(page: TestClient, digest: str) -> None:
    assert page.get(f"{MASKS}/{digest}").status_code == 404


def test_a_guard_stands_before_both(tmp_path: Path) -> None:
    def nobody() -> None:
        raise HTTPException(401)

    app = FastAPI()
    add_mask_routes(app, lambda: MaskStore(tmp_path), guard=[Depends(nobody)])
    page = TestClient(app, base_url="http://127.0.0.1")
    assert page.get(f"{MASKS}/{'0' * 16}").status_code == 401
    assert page.post(MASKS, json={"picture": data_url(half())}).status_code == 401
