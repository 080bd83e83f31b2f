"""Screenshots for people to look at, and what can be measured of looks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.browser.conftest import WIDE, Demo, Window, screenshots
from tests.browser.panel_page import PanelPage
from tests.browser.test_accessibility import faults

pytestmark = pytest.mark.browser

MEASURE = Path(__file__).with_name("measure.js")
SIZES = {"wide": WIDE, "phone": ViewportSize(width=400, height=900)}
LANGUAGES = {("wide", "dark"): "zh", ("phone", "light"): "ja"}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", list(SIZES))
def test_the_panel_looks_right(
    demo: Demo, window: Window, open_panel: Callable[..., PanelPage], size: str, theme: str
) -> None:
    page = window.page
    page.set_viewport_size(SIZES[size])
    with speaking(page, demo, LANGUAGES.get((size, theme), "en")):
        panel = open_panel(query=f"?__theme={theme}")
    folder = screenshots(demo)
    picture = panel.accordion

    def shoot(name: str) -> None:
        page.wait_for_timeout(250)  # images of tiles
        picture.screenshot(path=folder / f"{name}-{size}-{theme}.png")

    shoot("empty")
    panel.search.click()
    panel.root.get_by_role("option").first.wait_for()
    shoot("list")
    panel.search.press("Escape")

    files = demo.networks()
    rows = [{"network": file["label"], "weight": 0.7, "role": file["role"]} for file in files[:5]]
    rows[0] |= {"region": "box:0.1,0.1,0.5,0.8", "schedule": "0@0,1@0.5,0.4@1", "passes": "base,hires:0.5"}
    rows += [{"network": "styles/a LoRA that went away", "weight": 3.5}, {**rows[0], "on": False, "te": 0.3}]
    panel.put_text(json.dumps(rows))
    panel.rows.nth(len(rows) - 1).wait_for()
    panel.root.locator(".ls-problem:visible").first.wait_for()
    panel.rows.nth(0).locator(".ls-icon-more").click()
    panel.root.locator(".ls-icon-presets").click()
    shoot("rows")
    page.screenshot(path=folder / f"page-{size}-{theme}.png", full_page=True)
    check_nothing_sticks_out(panel)
    assert faults(page, ".lora-stack-txt2img") == []


@contextmanager
def speaking(page: Page, demo: Demo, language: str) -> Iterator[None]:
    """Choose a language as the page itself keeps it, for the pages that are loaded meanwhile."""
    if not page.url.startswith(demo.address):
        page.goto(f"{demo.address}/nothing-here")  # any page of the same origin
    page.evaluate("language => localStorage.setItem('lora-stack-language', language)", language)
    try:
        yield
    finally:
        page.evaluate("localStorage.removeItem('lora-stack-language')")


def check_nothing_sticks_out(panel: PanelPage) -> None:
    """Every visible control lies inside the panel, is big enough to hit and covers no other one."""
    assert panel.root.evaluate(MEASURE.read_text(encoding="utf-8")) == []
