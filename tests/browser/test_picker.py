"""The large picker: find among ten thousand, choose several, add; all of it by keyboard too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator

from tests.browser.conftest import Demo
from tests.browser.fake_library import HOSTILE, FakeLibrary, make_item
from tests.browser.panel_page import SHORT_MS, PanelPage

pytestmark = pytest.mark.browser

MANY = 10_000
MOST_CARDS = 200


class PickerPage:
    """The dialog over a panel."""

    def __init__(self, panel: PanelPage, many: FakeLibrary) -> None:
        self.panel, self.page, self.many = panel, panel.page, many
        self.root = self.page.get_by_role("dialog", name="Choose LoRAs")
        self.search = self.root.get_by_role("searchbox")
        self.grid = self.root.get_by_role("listbox")
        self.cards = self.grid.get_by_role("option")
        self.status = self.root.locator(".ls-foot-status")

    def open(self) -> None:
        self.panel.root.get_by_role("button", name="Browse").click()
        self.settle()

    def settle(self) -> None:
        """Wait until the cards in sight are there."""
        self.root.locator(".ls-card:not(.ls-waiting)").first.wait_for(timeout=SHORT_MS)

    def card(self, text: str) -> Locator:
        return self.root.locator(".ls-card", has_text=text)

    def choice(self, name: str) -> Locator:
        """A check box of the filters; its name ends with a count."""
        return self.root.get_by_role("checkbox", name=re.compile(rf"^{name}\b"))

    def counted(self, total: int) -> None:
        """Wait until so many were found, the line below says so, and the cards are of them."""
        self.root.get_by_text(re.compile(rf"^{total} LoRAs?$")).wait_for(timeout=SHORT_MS)
        if total:
            cards = self.root.locator(f'.ls-card[aria-setsize="{total}"]:not(.ls-waiting)')
            cards.first.wait_for(timeout=SHORT_MS)

    def found(self, words: str) -> None:
        """Wait until the first card is the first file that has the words, and so many are counted."""
        found = self.many.found({"q": [words]})
        self.counted(len(found))
        first = self.root.locator('.ls-card[aria-posinset="1"]')
        first.filter(has_text=found[0]["label"].rpartition("/")[2]).wait_for(timeout=SHORT_MS)

    def find(self, words: str) -> None:
        self.search.fill(words)
        self.found(words)


@pytest.fixture
def many() -> FakeLibrary:
    hostile = {
        **make_item(0),
        "id": "evil",
        "label": f"{HOSTILE}/{HOSTILE}",
        "title": HOSTILE,
        "notes": HOSTILE,
    }
    hostile |= {
        "tags": [HOSTILE],
        "trigger_words": [HOSTILE],
        "problem": HOSTILE,
        "architecture_label": HOSTILE,
    }
    return FakeLibrary(MANY, hostile)


@pytest.fixture
def picker(panel: PanelPage, many: FakeLibrary) -> Iterator[PickerPage]:
    many.serve(panel.page)
    picker = PickerPage(panel, many)
    yield picker
    if picker.root.is_visible():
        picker.page.keyboard.press("Escape")
    many.unserve(panel.page)


def labels(panel: PanelPage) -> list[str]:
    return [entry["network"] for entry in panel.entries]


def test_ten_thousand_files_stay_few_cards(picker: PickerPage) -> None:
    picker.open()
    picker.counted(MANY + 1)
    seen = [picker.cards.count()]
    box = picker.grid.bounding_box()
    assert box is not None
    picker.page.mouse.move(box["x"] + 200, box["y"] + 200)
    for _ in range(12):
        picker.page.mouse.wheel(0, 2_500)
        seen.append(picker.cards.count())
    picker.grid.evaluate("grid => { grid.scrollTop = grid.scrollHeight; }")
    picker.card("09999").wait_for(timeout=SHORT_MS)
    seen.append(picker.cards.count())
    assert all(0 < count <= MOST_CARDS for count in seen), seen
    assert picker.cards.last.get_attribute("aria-setsize") == str(MANY + 1)


def test_a_newcomer_picks_two_with_the_mouse(picker: PickerPage) -> None:
    picker.open()
    picker.find("neon 001")
    picker.cards.nth(0).click()
    picker.find("mecha 002")
    picker.cards.nth(0).click()
    picker.root.get_by_role("button", name="Add 2 LoRAs").click()
    assert not picker.root.is_visible()
    assert [label.split(" ")[0].rpartition("/")[2] for label in labels(picker.panel)] == ["neon", "mecha"]
    assert picker.panel.rows.count() == 2


def test_a_newcomer_makes_a_picture_with_two_loras(
    demo: Demo, open_panel: Callable[..., PanelPage], many: FakeLibrary
) -> None:
    """The demo's own files: open the page, browse, click two, add, generate."""
    panel = open_panel()
    panel.prepare("a girl, red hair, blue shirt", 7, 4)
    picker = PickerPage(panel, many)
    picker.open()
    picker.counted(len(demo.networks()))
    picker.settle()
    for file in demo.networks()[:2]:
        picker.card(file["name"]).click()
    picker.root.get_by_role("button", name="Add 2 LoRAs").click()
    panel.generate()
    assert panel.report().startswith("2 of 2 applied")


def test_keys_alone_find_mark_favour_and_add(picker: PickerPage, many: FakeLibrary) -> None:
    page = picker.page
    page.locator("body").press("Alt+l")
    picker.settle()
    assert picker.search.evaluate("field => field === document.activeElement")
    page.keyboard.type("lantern 00")
    picker.found("lantern 00")
    page.keyboard.press("ArrowDown")
    assert picker.grid.evaluate("grid => grid === document.activeElement")
    page.keyboard.press("ArrowRight")
    active = picker.grid.get_attribute("aria-activedescendant")
    assert picker.root.locator(f"#{active}").get_attribute("aria-posinset") == "2"
    page.keyboard.press("f")
    picker.root.locator(f"#{active}.ls-favourite").wait_for(timeout=SHORT_MS)
    changed = [body for method, name, body in many.asked if (method, name) == ("PATCH", "network")]
    assert [set(body) for body in changed] == [{"id", "favourite"}]
    page.keyboard.press("Shift+Enter")
    assert picker.root.is_visible()
    assert len(labels(picker.panel)) == 1
    page.keyboard.press("Space")
    page.keyboard.press("End")
    picker.root.locator(".ls-active:not(.ls-waiting)").wait_for(timeout=SHORT_MS)
    page.keyboard.press("Space")
    page.keyboard.press("/")
    assert picker.search.evaluate("field => field === document.activeElement")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert not picker.root.is_visible()
    assert len(labels(picker.panel)) == 3


def test_focus_stays_in_the_dialog_and_goes_back(picker: PickerPage) -> None:
    picker.open()
    inside = "root => root.contains(document.activeElement)"
    for key in ("Tab", "Shift+Tab"):
        for _ in range(40):
            picker.page.keyboard.press(key)
            assert picker.root.evaluate(inside), key
    picker.page.keyboard.press("Escape")
    assert not picker.root.is_visible()
    focused = picker.page.evaluate("document.activeElement.textContent")
    assert focused == "Browse"


def test_what_does_not_fit_is_greyed_and_says_why(picker: PickerPage, many: FakeLibrary) -> None:
    picker.open()
    picker.choice("SDXL").check()
    picker.counted(len(many.found({"architecture": ["sdxl"]})))
    misfit = picker.root.locator(".ls-card.ls-grey").first
    assert "Made for SDXL." in misfit.inner_text()
    assert "Made for SDXL." in (misfit.get_attribute("aria-label") or "")
    picker.root.get_by_role("button", name="Fits SD 1.x").click()
    picker.root.get_by_text("No LoRA passes these filters.").wait_for(timeout=SHORT_MS)
    picker.root.get_by_role("button", name="Fits SD 1.x").click()
    picker.root.get_by_role("button", name="Take out the filter SDXL").click()
    picker.find("00049")
    broken = picker.card("The file ends too early.")
    assert broken.get_attribute("aria-disabled") == "true"
    broken.click(force=True)  # it calls itself disabled
    assert picker.root.get_by_role("button", name="Add", exact=True).last.is_disabled()


def test_folders_and_filters_narrow_and_are_taken_out(picker: PickerPage, many: FakeLibrary) -> None:
    picker.open()
    picker.root.get_by_role("treeitem", name="styles").click()
    picker.root.get_by_role("treeitem", name="painters").click()
    picker.choice("LoHa").check()
    expected = sum(item["folder"] == "styles/painters" and item["family"] == "loha" for item in many.items)
    picker.counted(expected)
    picker.root.get_by_role("button", name="Take out the filter LoHa").click()
    picker.root.get_by_role("button", name="Take out the filter styles/painters").click()
    picker.counted(MANY + 1)


def test_a_folder_that_is_not_there_is_told_of(picker: PickerPage, many: FakeLibrary) -> None:
    many.problems = ["The folder /mroe does not exist. Create it, or change the setting."]
    try:
        picker.open()
        picker.find("00049")
        assert picker.root.locator(".ls-trouble").inner_text() == many.problems[0]
    finally:
        many.problems = []
    picker.find("00007")
    assert picker.root.locator(".ls-trouble").is_hidden()


def test_hostile_names_are_only_text(picker: PickerPage) -> None:
    picker.open()
    picker.find("onerror")
    picker.cards.first.hover()
    for mode in ("List", "Cards"):
        picker.root.get_by_role("button", name=mode, exact=True).click()
        assert HOSTILE in picker.cards.first.inner_text()
    assert HOSTILE in picker.root.locator(".ls-details").inner_text()
    assert picker.root.locator("img[src=x], b").count() == 0
    assert picker.page.title() != "1"
