"""What the panel asks besides files: stacks from anywhere, tags, presets."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image, PngImagePlugin

from lib_lora.errors import AmbiguousNetworkError
from lib_lora.files.pictures import BYTE_LIMIT
from lib_lora.library.presets import Presets
from lib_lora.ui.address import PREFIX
from lib_lora.ui.guards import HEADER as PAGE_HEADER
from lib_lora.ui.panel_routes import add_panel_routes

STACK = '{"version":1,"entries":[{"network":"styles/a","weight":0.5}]}'


@pytest.fixture
def page(tmp_path: Path) -> TestClient:
    app = FastAPI()
    shelf = Presets(tmp_path / "presets")
    add_panel_routes(app, lambda: shelf)
    return TestClient(app, base_url="http://127.0.0.1", headers={PAGE_HEADER: "1"})


def asked(page: TestClient, route: str, /, **values: Any) -> Any:
    answer = page.post(f"{PREFIX}/{route}", json=values)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_stack_is_read_from_text(page: TestClient) -> None:
    assert asked(page, "read", text=f"Steps: 4, LoRA Stack: {json.dumps(STACK)}") == {"stack": STACK}
    answer = page.post(f"{PREFIX}/read", json={"text": "nothing of use"})
    assert answer.status_code == 422
    assert "no stack" in answer.json()["detail"]


def test_a_stack_is_read_from_a_picture(page: TestClient) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", f"a girl\nSteps: 4, LoRA Stack: {json.dumps(STACK)}")
    data = io.BytesIO()
    Image.new("L", (2, 2)).save(data, "PNG", pnginfo=info)
    answer = page.post(f"{PREFIX}/read-picture", content=data.getvalue())
    assert answer.json() == {"stack": STACK}
    told = page.post(f"{PREFIX}/read-picture", content=b"no picture").json()["detail"]
    assert "not a picture" in told


def test_a_picture_without_end_is_not_read(page: TestClient) -> None:
    answer = page.post(f"{PREFIX}/read-picture", content=iter([b"x"]))
    assert answer.status_code == 413
    huge = page.build_request(
        "POST", f"{PREFIX}/read-picture", content=b"x", headers={"Content-Length": str(BYTE_LIMIT + 1)}
    )
    assert page.send(huge).status_code == 413


def test_tags_become_rows_and_leave_the_prompt(page: TestClient) -> None:
    told = asked(page, "tags/read", prompt="a girl, <lora:a:0.8>, hat\n<lora:b:1> <hypernet:x:1>")
    assert told["prompt"] == "a girl, hat\n<hypernet:x:1>"
    assert [row["network"] for row in json.loads(told["stack"])["entries"]] == ["a", "b"]
    untouched = asked(page, "tags/read", prompt=" a  girl ,")
    assert untouched["prompt"] == " a  girl ,"
    assert page.post(f"{PREFIX}/tags/read", json={"prompt": "<lora:a:b>"}).status_code == 422


@pytest.mark.parametrize(
    ("prompt", "rest"),
    [
        ("a girl,\nred hair,  (hat:1.2) ,\n<lora:a:1>", "a girl,\nred hair,  (hat:1.2) ,"),
        ("<lora:a:1>, a  girl,\n,, hat", "a  girl,\n,, hat"),
        ("a, <lora:a:1>\nb <lora:b:1>\nc", "a,\nb\nc"),
        ("a <lora:a:1><lora:b:1> b, <lora:c:1> , c", "a b, c"),
        ("<lora:a:1> <lora:b:1>", ""),
    ],
)
def test_only_what_held_a_tag_leaves_the_prompt_with_it(page: TestClient, prompt: str, rest: str) -> None:
    """Every comma counts for the picture, those at the ends of lines too."""
    assert asked(page, "tags/read", prompt=prompt)["prompt"] == rest


def test_rows_become_tags_and_those_that_cannot_say_why(page: TestClient) -> None:
    rows = [
        {"network": "styles/a", "weight": 0.5},
        {"network": "b", "on": False},
        {"network": "c", "schedule": "0@0,1@1"},
    ]
    told = asked(page, "tags/write", stack=json.dumps(rows))["rows"]
    assert [row["tag"] for row in told] == ["<lora:a:0.5>", "", ""]
    assert [bool(row["problem"]) for row in told] == [False, False, True]
    assert "schedule" in told[2]["problem"]
    assert "row 1" not in told[2]["problem"], "it is row 3, and the name says which"


def test_a_row_whose_file_shares_its_name_is_no_tag(tmp_path: Path) -> None:
    """The tag would be of the other file, and the row would be gone from the panel."""

    def tag_name(network: str) -> str:
        raise AmbiguousNetworkError(f"{network}: a prompt tag cannot say which")

    app = FastAPI()
    add_panel_routes(app, lambda: Presets(tmp_path), tag_name=tag_name)
    page = TestClient(app, base_url="http://127.0.0.1", headers={PAGE_HEADER: "1"})
    (told,) = asked(page, "tags/write", stack=STACK)["rows"]
    assert told == {"tag": "", "problem": "styles/a: a prompt tag cannot say which"}


def test_a_preset_that_is_replaced_is_told_so_that_it_can_be_brought_back(page: TestClient) -> None:
    """Another browser tab may have saved under that name meanwhile."""
    assert asked(page, "presets", name=" one", stack=STACK) == {"name": "one", "replaced": ""}
    assert asked(page, "presets", name="one", stack="[]") == {"name": "one", "replaced": STACK}


def test_presets_are_kept_renamed_and_deleted(page: TestClient) -> None:
    asked(page, "presets", name="one", stack=STACK)
    asked(page, "presets/rename", name="one", to="two")
    assert page.get(f"{PREFIX}/presets").json() == {
        "presets": [{"name": "two", "stack": STACK}],
        "problems": [],
    }
    answer = page.post(f"{PREFIX}/presets/delete", json={"name": "twoo"})
    assert answer.status_code == 422
    assert "'two'" in answer.json()["detail"]
    asked(page, "presets/delete", name="two")
    assert page.get(f"{PREFIX}/presets").json()["presets"] == []


@pytest.mark.parametrize("name", ["read", "tags/read", "presets", "presets/rename", "presets/delete"])
def test_another_origin_s_page_cannot_send_it_unasked(page: TestClient, name: str) -> None:
    del page.headers[PAGE_HEADER]
    answer = page.post(f"{PREFIX}/{name}", json={"name": "a", "to": "b", "stack": STACK, "text": STACK})
    assert answer.status_code == 403
    assert page.get(f"{PREFIX}/presets").json()["presets"] == []


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "\\\\server\\share", "a\0b"])
def test_a_name_is_never_a_path(page: TestClient, tmp_path: Path, name: str) -> None:
    page.post(f"{PREFIX}/presets", json={"name": name, "stack": STACK})
    assert {path.parent for path in tmp_path.rglob("*.json")} <= {tmp_path / "presets"}
