"""Whole journeys: a collector among ten thousand files and among real ones, and a page that is made anew."""

from __future__ import annotations

import hashlib
import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.bench.shelf import make_shelf
from tests.browser.conftest import Demo
from tests.browser.fake_library import FakeLibrary
from tests.browser.panel_page import LONG_MS, SHORT_MS, PanelPage
from tests.browser.test_library import LibraryPage

pytestmark = pytest.mark.browser

FOLDERS = "lora_stack_folders"
REAL = 24


@contextmanager
def more_folders(demo: Demo, folders: str) -> Iterator[None]:
    """Name a folder in the settings, as the settings page would, and take it out again."""
    before = demo.ask("sdapi/v1/options")[FOLDERS]
    _post(demo, "sdapi/v1/options", {FOLDERS: folders})
    try:
        yield
    finally:
        _post(demo, "sdapi/v1/options", {FOLDERS: before})
        _post(demo, "lora-stack/refresh", {})


def _post(demo: Demo, path: str, body: Any) -> None:
    headers = {"Content-Type": "application/json", "X-LoRA-Stack": "1"}
    request = urllib.request.Request(f"{demo.address}/{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200


def test_a_collector_finds_two_among_ten_thousand(open_panel: Callable[..., PanelPage]) -> None:
    """Folder, filter, order, a star, two compared, one rated, both added: all in the Library tab."""
    panel = open_panel()
    files = FakeLibrary(10_000)
    files.serve(panel.page)
    library = LibraryPage(panel, files)
    try:
        library.show()
        root = library.root
        root.get_by_role("searchbox").fill("")
        library.counted(10_000)
        root.get_by_role("button", name="List", exact=True).click()
        root.get_by_role("treeitem", name="styles").click()
        root.get_by_role("treeitem", name="painters").click()
        root.get_by_role("checkbox", name=re.compile("^LoHa")).check()
        wanted = {"folder": ["styles/painters"], "family": ["loha"]}
        library.counted(len(files.found(wanted)))
        root.get_by_role("combobox", name="Order").select_option("rating")
        best = files.found({**wanted, "sort": ["rating"]})[:2]
        first = library.place(1, best[0])
        first.hover()
        first.locator(".ls-card-star").click()
        root.locator(".ls-card.ls-favourite", has_text=best[0]["name"]).wait_for(timeout=SHORT_MS)
        assert files.found({"q": [best[0]["name"]]})[0]["favourite"]

        first.click(modifiers=["Control"])
        library.place(2, best[1]).click(modifiers=["Control"])
        foot = root.locator(".ls-library-foot")
        foot.get_by_role("button", name="Compare").click()
        root.get_by_role("columnheader", name=best[1]["label"]).wait_for(timeout=SHORT_MS)
        library.page.keyboard.press("Escape")
        foot.get_by_role("button", name="Add to txt2img").click()
        expect(panel.root).to_be_visible()
        assert [entry["network"] for entry in panel.entries] == [file["label"] for file in best]
    finally:
        files.unserve(panel.page)


def test_a_collector_brings_in_a_folder_of_real_files(
    open_panel: Callable[..., PanelPage], demo: Demo, tmp_path: Path
) -> None:
    """New files are found, told apart, hashed and named; what is said of one survives another page."""
    shelf = make_shelf(tmp_path / "shelf", REAL)
    usual = len(demo.networks())
    panel = open_panel()
    library = LibraryPage(panel, FakeLibrary(0))
    with more_folders(demo, str(shelf)):
        library.go()
        root = library.root
        root.get_by_role("button", name="Refresh").click()
        library.counted(usual + REAL)
        files = [file for file in demo.ask("lora-stack/networks?limit=500")["items"] if file["root"] != 0]
        assert len(files) == REAL
        large = next(file for file in files if file["architecture"] == "sdxl")
        small = min(files, key=lambda file: file["size"])
        root.get_by_role("searchbox").fill(large["name"])
        library.place(1, large).filter(has_text="SDXL").wait_for(timeout=SHORT_MS)
        expect(library.place(1, large)).to_have_class(re.compile("ls-grey"))

        root.get_by_role("searchbox").fill(small["name"])
        library.place(1, small).click()
        hashes = root.get_by_role("region", name="Hashes")
        hashes.get_by_role("button", name="Compute hashes").click()
        path = next(shelf.rglob(f"{small['name']}.safetensors"))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        hashes.get_by_text(digest).wait_for(timeout=LONG_MS)
        form = root.get_by_role("region", name="What you say of it")
        form.get_by_label("Title").fill("Kept for later")
        form.get_by_label("Notes").fill("my own note")
        form.get_by_role("button", name="Save").click()
        library.message.filter(has_text="Saved").wait_for(timeout=SHORT_MS)

        again = LibraryPage(open_panel(), FakeLibrary(0))
        again.go()
        again.root.get_by_role("searchbox").fill("kept for later")
        again.place(1, small).click()
        form = again.root.get_by_role("region", name="What you say of it")
        expect(form.get_by_label("Notes")).to_have_value("my own note")
        again.root.locator(".ls-page-head").get_by_role("button", name="Add to txt2img").click()
        again.panel.rows.first.wait_for()
        assert again.panel.entries[0]["network"].endswith(small["name"])


def test_reload_ui_keeps_the_stack(open_panel: Callable[..., PanelPage], demo: Demo) -> None:
    """The server makes its page anew, the browser follows: rows, switch and words are as they were.

    Somewhere else the Library tab is open and listens, which must not keep the server from its end.
    """
    panel = open_panel()
    row = panel.add(demo.networks()[0]["label"])
    panel.type_weight(row, "0.35")
    text = panel.text
    assert panel.enabled
    page = panel.page
    page.locator("#tabs > .tab-nav button", has_text="Settings").click()
    page.evaluate("window.isTheOldPage = true")
    with urllib.request.urlopen(f"{demo.address}/lora-stack/events", timeout=60) as listening:
        assert listening.readline() == b"event: status\n"
        page.locator("#settings_restart_gradio").click()
        # not the event "load": that waits for fonts of gradio's own, which may never come
        page.wait_for_function("window.isTheOldPage === undefined", timeout=SHORT_MS)
    panel.root.wait_for(state="attached", timeout=LONG_MS)
    panel.open()
    panel.rows.first.wait_for(timeout=SHORT_MS)
    assert panel.text == text
    assert panel.enabled
    assert panel.root.locator(".ls-row").count() == 1
