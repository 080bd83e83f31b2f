"""Every page of ours at every size, light and dark, in every language: measured, and judged by axe-core.

One test for each gradio, one load for each language: sizes and themes change under the open page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Locator

from tests.browser.conftest import WIDE, Demo, Window, screenshots
from tests.browser.fake_library import FakeLibrary, make_item
from tests.browser.looks import MEASURE, faults, speaking, wear
from tests.browser.panel_page import SHORT_MS, PanelPage

pytestmark = pytest.mark.browser

SIZES = {360: 780, 400: 850, 1280: 900, 2560: 1440, 1600: 1000}  # the last is where the next page is opened
SMALLEST = {360: 24, 400: 24}  # pixels of what a finger aims at; a mouse needs less
# What is the same everywhere is looked at once: the colours of each theme in one language, at one width.
THEMES = {"en": "light", "zh": "dark", "ja": None}
JUDGED = {"light": 1280, "dark": 400}
KEPT = (400, 1600, 2560)  # widths of which there are screenshots
SELECTORS = {"rows": ".lora-stack-txt2img", "picker": "dialog[open]"}  # the others are in the Library
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
LONG = "a_name_that_nobody_would_give_to_a_file_but_somebody_did_" * 2


def long_item() -> dict[str, Any]:
    """A file of which everything is longer than one would like, in letters with and without spaces."""
    japanese = "光と影の魔法使いの長い長い名前" * 3
    told = {"title": japanese, "trigger_words": [LONG, japanese], "tags": [japanese]}
    return {
        **make_item(1),
        **told,
        "id": "long",
        "label": f"日本語/{LONG}",
        "name": LONG,
        "description": LONG,
        "notes": f"{LONG} {japanese}",
    }


class Pages:
    """The pages, each opened from where the one before has left the browser."""

    def __init__(self, panel: PanelPage, networks: list[dict[str, Any]]) -> None:
        self.panel, self.page, self.networks = panel, panel.page, networks
        self.library = self.page.locator(".ls-library")

    def button(self, root: Locator, key: str) -> Locator:
        name = self.page.evaluate("key => LoraStack.text(key)", key)
        return root.get_by_role("button", name=name, exact=True).first

    def rows(self) -> Locator:
        """The panel with every kind of row, one unfolded, the drawer of presets and the list to add from."""
        files = self.networks
        rows = [{"network": file["label"], "weight": 0.7, "role": file["role"]} for file in files[:4]]
        rows[0] |= {"region": "box:0.1,0.1,0.5,0.8", "schedule": "0@0,1@0.5,0.4@1", "passes": "hires:0.5"}
        rows[1] |= {"region": "inpaint", "blocks": "MIDD", "te_schedule": "1@0,0@1"}
        rows += [{"network": f"styles/{LONG}", "weight": 3.5}, {**rows[0], "on": False, "te": 0.3}]
        self.panel.put_text(json.dumps({"version": 1, "entries": rows}))
        self.panel.rows.nth(len(rows) - 1).wait_for()
        self.panel.root.locator(".ls-problem:visible").first.wait_for()
        self.panel.rows.nth(0).locator(".ls-icon-more").first.click()
        self.panel.root.locator(".ls-icon-presets").click()
        self.panel.search.click()
        self.panel.root.get_by_role("option").first.wait_for()
        return self.panel.root

    def picker(self) -> Locator:
        self.panel.search.press("Escape")
        self.panel.root.locator(".ls-browse").click()
        dialog = self.page.locator("dialog[open]")
        for place in (1, 2, 3):
            dialog.locator(f'.ls-card[aria-posinset="{place}"]:not(.ls-waiting)').click()
        return dialog

    def files(self) -> Locator:
        """The Library, as a list; the picker shows cards."""
        self.page.keyboard.press("Escape")
        self.page.locator("#tabs > .tab-nav button", has_text="LoRA Library").click()
        self.button(self.library, "browse.list").click()
        for place in (1, 2):
            card = self.library.locator(f'.ls-card[aria-posinset="{place}"]:not(.ls-waiting)')
            card.click(modifiers=["Control"])
        return self.library

    def file(self) -> Locator:
        self.library.locator('.ls-card[aria-posinset="1"]').click()
        self.button(self.library, "page.strengths_read").click()
        self.library.locator(".ls-unet").wait_for(timeout=SHORT_MS)
        return self.library

    def compare(self) -> Locator:
        self.page.keyboard.press("Escape")
        self.button(self.library.locator(".ls-library-foot"), "lib.compare").click()
        self.library.get_by_role("table").wait_for(timeout=SHORT_MS)
        return self.library

    def interference(self) -> Locator:
        self.page.keyboard.press("Escape")
        self.button(self.library.locator(".ls-library-head"), "mix.title").click()
        self.library.locator(".ls-mix-table").wait_for(timeout=SHORT_MS)
        return self.library

    def all(self) -> Iterator[tuple[str, Callable[[], Locator]]]:
        for page in (self.rows, self.picker, self.files, self.file, self.compare, self.interference):
            yield page.__name__, page


def test_every_page_in_every_size_theme_and_language(demo: Demo, window: Window) -> None:
    page = window.page
    files = FakeLibrary(80, long_item())
    files.problems = [f"The folder /{LONG} does not exist. Create it, or change the setting."]
    for item in files.items[8:]:
        item["preview"] = False  # each picture would be a question to this process
    browser = page.context.new_cdp_session(page)
    wrong: list[str] = []
    try:
        for language, theme in THEMES.items():
            page.set_viewport_size(WIDE)
            with speaking(page, demo, language):
                panel = window.open()
            files.serve(page)
            wear(page, theme or "light")
            for name, open_page in Pages(panel, demo.networks()).all():
                root = open_page()
                for width in SIZES:
                    resize(browser, root, width)
                    where = f"{name} {width} {language} {theme}"
                    measured = root.evaluate(MEASURE, SMALLEST.get(width, 16))
                    wrong += [f"{where}: {fault}" for fault in measured]
                    if theme and width == JUDGED[theme]:
                        judged = faults(page, SELECTORS.get(name, ".ls-library"))
                        wrong += [f"{where}: {fault}" for fault in judged]
                    if theme and width in KEPT:
                        picture = panel.accordion if name == "rows" else page
                        picture.screenshot(path=screenshots(demo) / f"{name}-{width}-{theme}.png")
            files.unserve(page)
    finally:
        files.unserve(page)
        touch(browser, on=False)
        browser.detach()
        page.set_viewport_size(WIDE)
    assert wrong == []


def resize(browser: CDPSession, root: Locator, width: int) -> None:
    """Make the window so wide, and on a phone's width touched by a finger; return when it is drawn."""
    touch(browser, on=width in SMALLEST)
    root.page.set_viewport_size({"width": width, "height": SIZES[width]})
    root.page.evaluate(DRAWN)


def touch(browser: CDPSession, *, on: bool) -> None:
    browser.send("Emulation.setTouchEmulationEnabled", {"enabled": on})
