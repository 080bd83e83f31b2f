"""One demo server for each version of gradio, one browser for all, a fresh page for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.browser.panel_page import SHORT_MS, PanelPage
from tests.browser.server import PYTHONS, ROOT, Demo, serving
from tests.chromium import FLAGS, find_chromium

WIDE = ViewportSize(width=1600, height=1100)


def screenshots(demo: Demo) -> Path:
    """Where pictures of a page are kept for people to look at."""
    folder = ROOT / "build" / "screenshots" / demo.gradio
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session", params=list(PYTHONS), ids=lambda version: f"gradio {version}")
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo server in a folder of its own."""
    with serving(request.param, tmp_path_factory.mktemp("demo")) as demo:
        yield demo


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
