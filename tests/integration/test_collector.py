"""A collector's evening over HTTP: hundreds of files found, filtered, noted, edited, moved and hashed."""

from __future__ import annotations

import io
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_lora.files.hashes import payload_sha256
from lib_lora.files.header import read_header
from tests.bench.shelf import make_shelf
from tests.integration.server import Server
from tests.ui.files import PIXEL, write_network

pytestmark = pytest.mark.demo
FILES = 240
TELLING = {"X-LoRA-Stack": "1"}


@dataclass(frozen=True)
class Caller:
    """The page's own way of asking."""

    url: str

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: Any
    ) -> tuple[int, Any]:
        """Return status and JSON, or the bytes of what is none."""
        address = f"{self.url}/lora-stack/{path}?{urllib.parse.urlencode(query)}"
        told = {"Content-Type": "application/json", **(TELLING if headers is None else headers)}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, data, told, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                content, kind = answer.read(), answer.headers["Content-Type"]
                return answer.status, json.loads(content) if "json" in kind else (kind, content)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def get(self, path: str, **query: Any) -> Any:
        """Return the answer of a question that must be answered."""
        status, answer = self.ask("GET", path, **query)
        assert status == 200, answer
        return answer

    def change(self, method: str, path: str, **body: Any) -> Any:
        """Return the answer of a change that must be made."""
        status, answer = self.ask(method, path, body)
        assert status == 200, answer
        return answer

    def labels(self, words: str) -> list[str]:
        """Return what a search finds."""
        return [item["label"] for item in self.get("networks", q=words, limit=500)["items"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = make_shelf(tmp_path / "collection", FILES)
    for epoch in (1, 2, 3):
        told = {"ss_session_id": "evening", "ss_output_name": f"heroine-{epoch:06}"}
        write_network(folder / "heroines" / f"heroine-{epoch:06}.safetensors", fill=epoch, **told)
    (folder / "heroines" / "heroine-000003.preview.png").write_bytes(PIXEL)
    return folder


@pytest.fixture
def caller(server: Server, folder: Path) -> Iterator[Caller]:
    """A page whose settings name the folder."""
    before = server.call("/sdapi/v1/options").body["lora_stack_folders"]
    server.call("/sdapi/v1/options", {"lora_stack_folders": str(folder)})
    yield Caller(server.url)
    server.call("/sdapi/v1/options", {"lora_stack_folders": before})


def heroine(epoch: int) -> str:
    return f"heroines/heroine-{epoch:06}"


def test_an_evening_with_a_collection(caller: Caller, folder: Path) -> None:
    first, second, third = heroine(1), heroine(2), heroine(3)

    # The folder of the settings is there, page by page and filter by filter.
    total = caller.get("networks", limit=1)["total"]
    assert total >= FILES + 3
    assert caller.labels("heroine") == [first, second, third]
    facets = caller.get("facets")
    assert facets["total"] == sum(row["count"] for row in facets["roots"]) == total
    root = next(row["root"] for row in facets["roots"] if row["path"].endswith("collection"))
    mine = caller.get("networks", root=root, limit=200, sort="name")
    rest = caller.get("networks", root=root, limit=200, offset=200, sort="name")
    assert mine["total"] == FILES + 3 == len({item["id"] for item in mine["items"] + rest["items"]})
    for row in facets["architectures"]:
        assert caller.get("networks", architecture=row["name"], limit=1)["total"] == row["count"]
    kind, content = caller.get("preview", label=third, size=256)
    with Image.open(io.BytesIO(content)) as image:
        assert kind == Image.MIME[image.format]

    # What is noted is shown, found, and written where the WebUI looks for it.
    card = caller.change(
        "PATCH",
        "network",
        label=third,
        rating=5,
        notes="works with rain",
        trigger_words=["zorpina"],
        sidecar=True,
    )
    assert (card["rating"], card["trigger_words"]) == (5, ["zorpina"])
    assert caller.labels("works rain") == caller.labels("zorpina") == [third]
    assert json.loads((folder / f"{third}.json").read_text())["activation text"] == "zorpina"
    assert caller.get("facets")["notes"] >= 1

    # Metadata goes into the file, the old file is kept, the payload is the same; then into its siblings.
    path = folder / f"{third}.safetensors"
    old, payload = path.read_bytes(), payload_sha256(path)
    told = {"modelspec.title": "The heroine", "modelspec.description": "Made in an evening."}
    done = caller.change("POST", "metadata", label=third, fields=told, backup=True)
    assert payload_sha256(path) == payload
    assert (path.parent / done["backup"]).read_bytes() == old
    assert [item["label"] for item in caller.get("siblings", label=third)["items"]] == [first, second]
    copied = caller.change("POST", "metadata/copy", **{"from": third, "to": [first, second]})
    assert (copied["copied"], copied["skipped"]) == ([first, second], [])
    assert read_header(folder / f"{first}.safetensors").metadata["modelspec.title"] == "The heroine"
    assert caller.labels("the heroine evening") == [first, second, third]

    # Files come, go and move; what was noted follows.
    (folder / f"{second}.safetensors").unlink()
    (folder / "best").mkdir()
    path.rename(folder / "best" / "queen.safetensors")
    write_network(folder / "new.safetensors", rank=8, fill=9)
    found = caller.change("POST", "refresh")
    assert (found["total"], found["added"], found["removed"]) == (total, 2, 2)
    moved = caller.get("network", label="best/queen")
    assert (moved["rating"], moved["user"]["notes"]) == (5, "works with rain")

    # Hashes are computed when asked for, and told.
    assert moved["hashes"]["autov3"] is None
    caller.change("POST", "hash", labels=["best/queen", first])
    ends = time.monotonic() + 60
    while caller.get("status")["hash"]["state"] == "running" and time.monotonic() < ends:
        time.sleep(0.1)
    assert caller.get("network", label="best/queen")["hashes"]["payload_sha256"] == payload


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**TELLING, "Origin": "https://evil.example"},
        {**TELLING, "Sec-Fetch-Site": "cross-site"},
        {**TELLING, "Host": "evil.example:7860", "Origin": "http://evil.example:7860"},
    ],
    ids=["no header", "another origin", "another site", "a name that leads here"],
)
def test_a_stranger_changes_nothing(caller: Caller, headers: dict[str, str]) -> None:
    label = heroine(1)
    for method, path, body in (
        ("PATCH", "network", {"label": label, "rating": 1}),
        ("POST", "metadata", {"label": label, "fields": {"modelspec.title": "x"}}),
        ("POST", "hash", {"labels": [label]}),
        ("POST", "presets", {"name": "x", "stack": '{"version": 1, "entries": []}'}),
    ):
        assert caller.ask(method, path, body, headers)[0] == 403, path
    assert caller.get("network", label=label)["rating"] == 0


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "heroines/../new", "\\\\host\\share\\x", "a\0b"]
)
def test_no_path_comes_from_a_request(caller: Caller, name: str) -> None:
    assert caller.ask("GET", "network", label=name)[0] == 404
    assert caller.ask("GET", "preview", label=name)[0] == 404
    assert caller.ask("POST", "metadata", {"label": name, "fields": {"modelspec.title": "x"}})[0] == 404
