"""Screenshots for people to look at, and what can be measured of looks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import ViewportSize

from tests.browser.conftest import WIDE, Demo, Window, screenshots
from tests.browser.panel_page import PanelPage

pytestmark = pytest.mark.browser

MEASURE = Path(__file__).with_name("measure.js")
SIZES = {"wide": WIDE, "phone": ViewportSize(width=400, height=900)}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", list(SIZES))
def test_the_panel_looks_right(
    demo: Demo, window: Window, open_panel: Callable[..., PanelPage], size: str, theme: str
) -> None:
    page = window.page
    page.set_viewport_size(SIZES[size])
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
    rows += [{"network": "styles/a LoRA that went away", "weight": 3.5}, {**rows[0], "on": False, "te": 0.3}]
    panel.put_text(json.dumps(rows))
    panel.rows.nth(len(rows) - 1).wait_for()
    panel.root.locator(".ls-problem:visible").first.wait_for()
    panel.button(panel.rows.nth(0), "More").click()
    shoot("rows")
    page.screenshot(path=folder / f"page-{size}-{theme}.png", full_page=True)
    check_nothing_sticks_out(panel)


def check_nothing_sticks_out(panel: PanelPage) -> None:
    """Every visible control lies inside the panel, is big enough to hit and covers no other one."""
    assert panel.root.evaluate(MEASURE.read_text(encoding="utf-8")) == []
