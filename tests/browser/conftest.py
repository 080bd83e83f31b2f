"""One demo server for each version of gradio, one browser for all, a fresh page for every test."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.browser.panel_page import SHORT_MS, PanelPage
from tests.chromium import FLAGS, find_chromium

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = {"4.40.0": ROOT / ".venv/bin/python", "3.41.2": ROOT / ".venv-gradio3/bin/python"}
START_S = 240
WIDE = ViewportSize(width=1600, height=1100)


@dataclass(frozen=True)
class Demo:
    """A running demo page."""

    address: str
    gradio: str

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.address}/{path}", timeout=10) as answer:
            return json.load(answer)

    def networks(self) -> list[dict[str, Any]]:
        """The LoRAs one can use, the demo's own."""
        return [file for file in self.ask("lora-stack/networks?limit=500")["items"] if not file["problem"]]


def screenshots(demo: Demo) -> Path:
    """Where pictures of a page are kept for people to look at."""
    folder = ROOT / "build" / "screenshots" / demo.gradio
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session", params=list(PYTHONS), ids=lambda version: f"gradio {version}")
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Start `python -m demo` in a folder of its own and end it afterwards."""
    python = PYTHONS[request.param]
    assert python.exists(), f"{python} is missing. `make test` sets it up."
    data = tmp_path_factory.mktemp("demo")
    port = _free_port()
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "GRADIO_ANALYTICS_ENABLED": "False"}
    with (data / "log.txt").open("w+") as log:
        command = [str(python), "-m", "demo", "--port", str(port), "--data-dir", str(data), "--no-browser"]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            demo = Demo(f"http://127.0.0.1:{port}", request.param)
            _wait(demo, server, Path(log.name))
            yield demo
        finally:
            server.terminate()
            server.wait(20)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        yield browser
        browser.close()


class Window:
    """The one page that all tests share: loading it takes longer than most of them."""

    def __init__(self, demo: Demo, page: Page) -> None:
        self.page = page
        self._demo = demo
        self._panel: PanelPage | None = None

    def open(self, **options: Any) -> PanelPage:
        """Load the page anew."""
        self._panel = None
        return PanelPage(self.page, self._demo.address, **options)

    def emptied(self) -> PanelPage:
        """The page as an earlier small test left it, emptied."""
        if self._panel is None:
            self.page.set_viewport_size(WIDE)
            panel = self.open()
            self._panel = panel
        else:
            self._panel.empty()
        return self._panel


@pytest.fixture(scope="session")
def window(demo: Demo, browser: Browser) -> Iterator[Window]:
    page = browser.new_page(viewport=WIDE)
    page.set_default_timeout(SHORT_MS)
    yield Window(demo, page)
    page.close()


@pytest.fixture
def open_panel(window: Window) -> Iterator[Callable[..., PanelPage]]:
    """Load the page anew and open the panel of a tab; nothing may go wrong in the browser meanwhile."""
    opened: list[PanelPage] = []

    def open_panel(**options: Any) -> PanelPage:
        opened.append(window.open(**options))
        return opened[-1]

    yield open_panel
    assert [trouble for panel in opened for trouble in panel.trouble] == []


@pytest.fixture
def panel(window: Window) -> Iterator[PanelPage]:
    """The txt2img tab with its panel open and empty."""
    panel = window.emptied()
    yield panel
    assert panel.trouble == []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(demo: Demo, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the page and our routes answer; fail with what the server said."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        assert server.poll() is None, f"The demo ended at once:\n{log.read_text()[-3000:]}"
        try:
            demo.ask("lora-stack/advice")
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise AssertionError(f"The demo did not answer within {START_S} s:\n{log.read_text()[-3000:]}")
