"""The library while it works: hashing beside a page that looks at files, pictures beside a host at work."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from lib_lora.library.library import Library
from lib_lora.library.network_file import NetworkFile
from lib_lora.ui.address import PREFIX
from tests.ui.files import write_network
from tests.ui.test_library_routes import MIRA, ONE, served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lora"
    for fill, label in enumerate((ONE, MIRA, "zorp")):
        write_network(folder / f"{label}.safetensors", fill=fill)
    picture = io.BytesIO()
    Image.new("RGB", (600, 300), "red").save(picture, "PNG")
    (folder / f"{ONE}.png").write_bytes(picture.getvalue())
    return folder


@pytest.fixture
def page(library: Library) -> TestClient:
    return TestClient(served(library), base_url="http://127.0.0.1", headers={"X-LoRA-Stack": "1"})


def test_what_was_noted_before_goes_into_the_webuis_own_file_too(page: TestClient, folder: Path) -> None:
    for fields in ({"notes": "at night", "title": "Mira"}, {"weight": 0.7}, {"notes": None}, {}):
        body = {"label": MIRA, **fields, "sidecar": fields == {}}
        assert page.patch(f"{PREFIX}/network", json=body).status_code == 200
    page.patch(f"{PREFIX}/network", json={"label": MIRA, "negative": "day", "sidecar": True})
    kept = json.loads((folder / f"{MIRA}.json").read_text("utf-8"))
    assert kept == {"preferred weight": 0.7, "negative text": "day"}


def test_a_file_one_looks_at_is_hashed_before_those_that_wait(
    page: TestClient, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With thousands of files those take hours."""
    going, order = Event(), []

    def slowly(file: NetworkFile, _read: Any) -> bool:
        going.wait(30)
        order.append(file.label)
        return True

    monkeypatch.setattr(library.hashes, "compute_all", slowly)
    everything = [file.label for file in library.files()]
    page.post(f"{PREFIX}/hash", json={"all": True})
    told = page.post(f"{PREFIX}/hash", json={"labels": [everything[-1]]}).json()
    going.set()
    library.hashing.wait(60)
    assert told["of"] == len(everything), "it is not counted twice"
    assert order.index(everything[-1]) <= 1, "the first was under way"
    assert sorted(order) == sorted(everything)


def test_hashing_tells_of_its_files_and_not_of_another_list(page: TestClient, library: Library) -> None:
    """A list that is asked for anew four times a second flickers, and hashing takes hours."""
    before, (serial, _) = library.edition, library.changes.since(0)
    page.post(f"{PREFIX}/hash", json={"all": True})
    library.hashing.wait(60)
    assert library.edition == before
    assert len(library.changes.since(serial)[1]) == 3


def test_what_the_host_does_with_warnings_stays_as_it_is(
    page: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures are made in several threads, and the filters of warnings are one for all of them."""
    seen = []
    real = Image.open

    def opening(*arguments: Any, **options: Any) -> Any:
        seen.append(list(warnings.filters))
        return real(*arguments, **options)

    monkeypatch.setattr(Image, "open", opening)
    before = list(warnings.filters)
    assert page.get(f"{PREFIX}/preview", params={"label": ONE, "size": 64}).status_code == 200
    assert seen == [before]
