"""What axe-core finds wrong for people who see little or use no mouse: nothing serious, light or dark."""

from __future__ import annotations

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Window
from tests.browser.fake_library import FakeLibrary
from tests.browser.panel_page import SHORT_MS
from tests.browser.test_library import LibraryPage
from tests.browser.test_picker import PickerPage

pytestmark = pytest.mark.browser

SERIOUS = ("serious", "critical")


def faults(page: Page, selector: str) -> list[str]:
    """Return what is seriously wrong below `selector`, each with the rule and the first element."""
    found = Axe().run(page, context=selector, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{fault['id']}: {node['target']} {node['html'][:160]} {node['failureSummary'][-160:]}"
        for fault in found
        if fault["impact"] in SERIOUS
        for node in fault["nodes"][:3]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(window: Window, theme: str) -> None:
    panel = window.open(query=f"?__theme={theme}")
    files = FakeLibrary(40)
    files.serve(panel.page)
    try:
        suit = {"network": "clothing/mecha_suit", "role": "style", "weight": 2}
        rows = [suit, {"network": "gone", "on": False}]
        panel.put_text(json.dumps(rows))
        panel.rows.nth(1).wait_for()
        panel.button(panel.rows.nth(0), "More").click()
        assert faults(panel.page, ".lora-stack-txt2img") == []
        picker = PickerPage(panel, files)
        picker.open()
        picker.cards.nth(1).click()
        for mode in ("List", "Cards"):
            picker.root.get_by_role("button", name=mode, exact=True).click()
            assert faults(panel.page, "dialog[open]") == []
        panel.page.keyboard.press("Escape")
        library = LibraryPage(panel, files)
        library.show()
        assert faults(panel.page, ".ls-library") == []
        library.open("00007")
        library.root.get_by_role("button", name="Read the numbers").click()
        library.root.locator(".ls-unet").wait_for(timeout=SHORT_MS)
        assert faults(panel.page, ".ls-library") == []
    finally:
        files.unserve(panel.page)
