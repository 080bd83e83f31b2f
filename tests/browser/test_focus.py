"""By keyboard alone: whatever a key does to what has the focus, the focus stays where one works."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Demo
from tests.browser.fake_library import FakeLibrary
from tests.browser.panel_page import SHORT_MS, PanelPage
from tests.browser.test_library import LibraryPage, visited

pytestmark = pytest.mark.browser

SETTLE_MS = 150  # drawing and what the browser does about a focus that has nothing to be on

FOCUSED = """(root) => {
    const now = document.activeElement;
    if (now === null || now === document.body) return "the page's body";
    if (!root.contains(now)) return `outside: ${now.outerHTML.slice(0, 80)}`;
    if (now.disabled || now.getClientRects().length === 0) return "something that cannot be used";
    return now.getAttribute("aria-label") || now.textContent || now.tagName;
}"""


def focused(root: Locator) -> str:
    root.page.wait_for_timeout(SETTLE_MS)
    return root.evaluate(FOCUSED)


def press(button: Locator, key: str = "Enter") -> None:
    """Use a control as somebody without a mouse does."""
    button.focus()
    button.page.keyboard.press(key)


@pytest.fixture
def names(demo: Demo) -> list[str]:
    return [file["label"] for file in demo.networks()]


def fill(panel: PanelPage, *rows: dict[str, object]) -> None:
    panel.put_text(json.dumps({"version": 1, "entries": list(rows)}))
    panel.rows.nth(len(rows) - 1).wait_for()


def test_in_the_rows(panel: PanelPage, names: list[str]) -> None:
    fill(panel, *({"network": name} for name in names[:3]))
    short = [name.rpartition("/")[2] for name in names]
    press(panel.button(panel.rows.nth(0), "Duplicate"))
    assert panel.rows.count() == 4
    assert short[0] in focused(panel.root)
    press(panel.rows.nth(1).locator(".ls-icon-more").locator(".."))
    press(panel.rows.nth(1).get_by_role("button", name="Move down"))
    assert [entry["network"] for entry in panel.entries] == [names[0], names[1], names[0], names[2]]
    assert "Move down" in focused(panel.root)
    press(panel.rows.nth(1).locator(".ls-handle"), "ArrowUp")
    assert short[1] in focused(panel.root)
    press(panel.rows.nth(0).get_by_role("button", name="Remove"))
    assert "Remove" in focused(panel.root)
    for _ in range(4):
        press(panel.root.locator(".ls-tools").get_by_role("button", name="Undo"))
        assert focused(panel.root)[:4] in ("Undo", "Redo")
    press(panel.root.locator(".ls-tools").get_by_role("button", name="Remove all rows"))
    assert panel.rows.count() == 0
    assert focused(panel.root) == panel.search.get_attribute("aria-label")


def test_of_what_goes_away_when_it_was_used(panel: PanelPage, names: list[str]) -> None:
    fill(panel, {"network": names[0], "own": "thing", "other": 1})
    panel.switch(False)
    press(panel.root.locator(".ls-switched-off .ls-link"))
    assert panel.enabled
    assert "body" not in focused(panel.root)
    press(panel.rows.nth(0).locator(".ls-icon-more").locator(".."))
    row = panel.rows.nth(0)
    press(row.locator(".ls-chip", has_text="own: thing"))
    assert focused(panel.root) == "other: 1"
    press(row.locator(".ls-chip", has_text="other: 1"))
    assert "own" not in panel.entries[0]
    assert focused(row)
    assert row.evaluate("row => row.contains(document.activeElement)")
    panel.put_text("{")
    press(panel.root.locator(".ls-broken button"))
    assert "body" not in focused(panel.root)


def test_of_presets(panel: PanelPage, names: list[str]) -> None:
    fill(panel, {"network": names[0]})
    panel.root.locator(".ls-tools").get_by_role("button", name="Presets").click()
    drawer = panel.root.locator(".ls-drawer")
    drawer.get_by_label("Name of the preset").fill("one")
    press(drawer.get_by_role("button", name="Save the stack"))
    preset = drawer.locator(".ls-preset")
    preset.wait_for()
    assert focused(drawer) == "Save the stack"
    press(preset.get_by_role("button", name="Rename"))
    drawer.get_by_label("New name").fill("two")
    drawer.get_by_label("New name").press("Enter")
    preset.filter(has_text="two").wait_for()
    assert "two" in focused(drawer)
    press(preset.get_by_role("button", name="Delete"))
    drawer.get_by_text("No preset yet").wait_for()
    assert focused(drawer) == "Name of the preset"
    panel.page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()


@pytest.fixture
def library(panel: PanelPage) -> Iterator[LibraryPage]:
    yield from visited(panel, FakeLibrary(60))


def leave(library: LibraryPage) -> None:
    """Escape leads back to the files, from wherever the focus is."""
    library.page.keyboard.press("Escape")
    library.root.locator(".ls-grid").wait_for(timeout=SHORT_MS)
    assert focused(library.root) == library.root.locator(".ls-grid").get_attribute("aria-label")


def test_on_a_file_s_page(library: LibraryPage) -> None:
    library.open("00007")
    root = library.root
    press(root.get_by_role("button", name="Read the numbers"))
    root.locator(".ls-unet").wait_for(timeout=SHORT_MS)
    assert focused(root) == "Strength in each block"
    press(root.get_by_role("button", name="Favourite"))
    expect(root.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "true")
    assert focused(root) == "Favourite"
    assert root.locator(".ls-unet").is_visible(), "what was read is kept when the page is drawn anew"
    fold = root.get_by_role("region", name="Training").locator("summary")
    press(fold)
    press(root.get_by_role("button", name="Next picture"))
    assert focused(root) == "Next picture"
    assert root.get_by_text("2 / 2").is_visible()
    press(root.get_by_role("button", name="Favourite"))
    expect(root.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "false")
    assert fold.locator("..").get_attribute("open") is not None, "what was unfolded stays so"
    press(root.get_by_role("region", name="Tags").get_by_role("button", name="more"))
    assert "of 40" not in focused(root)
    press(root.get_by_role("button", name="Save"))
    library.message.filter(has_text="Saved").wait_for(timeout=SHORT_MS)
    assert focused(root) == "Save"
    leave(library)


def test_on_a_page_that_was_clicked_beside_its_controls(library: LibraryPage) -> None:
    library.open("00007")
    library.root.get_by_role("heading", name="Facts").click()
    leave(library)


def test_from_the_library_to_a_tab_and_back(library: LibraryPage) -> None:
    panel = library.panel
    library.card("00007").click(modifiers=["Control"])
    foot = library.root.locator(".ls-library-foot")
    press(foot.get_by_role("button", name="Unmark"))
    assert focused(library.root) == library.root.locator(".ls-grid").get_attribute("aria-label")
    library.card("00007").click(modifiers=["Control"])
    press(foot.get_by_role("button", name="Add to txt2img"))
    panel.rows.first.wait_for()
    assert "More" in focused(panel.root)
    panel.root.get_by_role("button", name="Browse").click()
    dialog = panel.page.get_by_role("dialog")
    dialog.locator(".ls-card:not(.ls-waiting)").first.click()
    press(dialog.locator(".ls-chosen .ls-chip"))
    assert "body" not in focused(dialog)
    press(dialog.get_by_role("button", name="Open in the Library"))
    library.root.get_by_role("region", name="Facts").wait_for(timeout=SHORT_MS)
    assert focused(library.root) == library.root.locator(".ls-page-name").first.inner_text()
    leave(library)
