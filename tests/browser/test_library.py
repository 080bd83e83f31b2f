"""The Library tab: a page for each file, what one says of it, two compared, no markup from any file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.fake_library import HOSTILE, FakeLibrary, make_item
from tests.browser.panel_page import SHORT_MS, PanelPage

pytestmark = pytest.mark.browser


class LibraryPage:
    """The tab, with files that are nowhere on the disk."""

    def __init__(self, panel: PanelPage, files: FakeLibrary) -> None:
        self.panel, self.page, self.files = panel, panel.page, files
        self.root = self.page.locator(".ls-library")
        self.cards = self.root.locator(".ls-card:not(.ls-waiting)")
        self.message = self.root.locator(".ls-library-message")

    def go(self) -> None:
        """Go to the tab."""
        self.page.locator("#tabs > .tab-nav button", has_text="LoRA Library").click()

    def counted(self, total: int) -> None:
        """Wait until the cards are of so many files."""
        cards = self.root.locator(f'.ls-card[aria-setsize="{total}"]:not(.ls-waiting)')
        cards.first.wait_for(timeout=SHORT_MS)

    def place(self, number: int, file: dict[str, Any]) -> Locator:
        """The card at that place, if it is of that file."""
        return self.root.locator(f'.ls-card[aria-posinset="{number}"]', has_text=file["name"])

    def show(self) -> None:
        """Go to the tab; it looks for files when it is first seen, so a fresh search is made after that."""
        self.go()
        search = self.root.get_by_role("searchbox")
        if self.root.get_by_role("button", name="Back to all LoRAs").first.is_visible():
            self.root.get_by_role("button", name="Back to all LoRAs").first.click()
        # whatever an earlier test searched for: the next search is another
        search.fill("nothing has this name")
        self.root.locator(".ls-browser-main .ls-browser-note").wait_for(timeout=SHORT_MS)
        search.fill("v1")
        found = len(self.files.found({"q": ["v1"]}))  # before the answer comes, cards show other files
        self.counted(found)

    def card(self, text: str) -> Locator:
        return self.root.locator(".ls-card", has_text=text).first

    def open(self, text: str) -> None:
        self.card(text).click()
        self.root.get_by_role("region", name="Facts").wait_for(timeout=SHORT_MS)


def hostile_item() -> dict[str, Any]:
    fields = ("title", "notes", "architecture_label", "description", "misfit")
    return {
        **make_item(0),
        "id": "evil",
        "label": f"{HOSTILE}/v1{HOSTILE}",
        "name": f"v1{HOSTILE}",
        "tags": [HOSTILE],
        "trigger_words": [HOSTILE],
        **dict.fromkeys(fields, HOSTILE),
    }


def visited(panel: PanelPage, files: FakeLibrary) -> Iterator[LibraryPage]:
    """The Library tab with such files for the length of a test; then txt2img again."""
    files.serve(panel.page)
    library = LibraryPage(panel, files)
    library.show()
    yield library
    files.unserve(panel.page)
    panel.page.locator("#tabs > .tab-nav button", has_text="txt2img").click()


@pytest.fixture
def library(panel: PanelPage) -> Iterator[LibraryPage]:
    files = FakeLibrary(60, hostile_item())
    files.links = [{"label": HOSTILE, "href": "javascript:document.title=1"}]
    yield from visited(panel, files)


def sent(library: LibraryPage, method: str, name: str) -> list[Any]:
    return [body for verb, route, body in library.files.asked if (verb, route) == (method, name)]


def test_a_page_tells_everything_and_a_word_goes_into_the_prompt(library: LibraryPage) -> None:
    library.open("00007")
    for part in ("Facts", "Tags it was trained with", "Training", "Hashes", "Found beside the file"):
        assert library.root.get_by_role("region", name=part).is_visible(), part
    assert "UNet, second text encoder" in library.root.get_by_role("region", name="Facts").inner_text()
    library.root.get_by_role("button", name="Read the numbers").click()
    picture = library.root.locator(".ls-unet")
    picture.wait_for(timeout=SHORT_MS)
    assert picture.locator(".ls-unet-box").count() == 10
    word = library.files.items[8]["tags"][0] + " 0"
    library.root.locator(".ls-tag-bar", has_text=word).first.click()
    assert word in library.page.locator("#txt2img_prompt textarea").input_value()
    assert word in library.message.inner_text()


def test_what_one_says_of_a_file_is_saved(library: LibraryPage) -> None:
    library.open("00007")
    form = library.root.get_by_role("region", name="What you say of it")
    form.get_by_label("Title").fill("Mine")
    form.get_by_label("Trigger words").fill("one, two ,")
    form.get_by_label("Preferred weight").fill("much")
    form.get_by_role("button", name="Save").click()
    form.get_by_role("alert").filter(has_text="much").wait_for(timeout=SHORT_MS)
    assert sent(library, "PATCH", "network") == []
    form.get_by_label("Preferred weight").fill("0,65")
    form.get_by_role("button", name="5 stars").click()
    form.get_by_label("also write it").check()
    form.get_by_role("button", name="Save").click()
    library.message.filter(has_text="Saved").wait_for(timeout=SHORT_MS)
    (body,) = sent(library, "PATCH", "network")
    said = {"title": "Mine", "trigger_words": ["one", "two"], "weight": 0.65, "rating": 5}
    assert body == {"id": "f7", **said, "sidecar": True}


def test_what_is_being_typed_stays_when_the_page_is_drawn_anew(library: LibraryPage) -> None:
    """A star, a finished hash or somebody else's change shows the file again."""
    library.open("00007")
    notes = library.root.get_by_role("textbox", name="Notes")
    notes.fill("half a sen")
    asked = len(sent(library, "GET", "network"))
    library.root.get_by_role("button", name="5 stars").click()
    notes.focus()
    library.root.get_by_role("button", name="Favourite").dispatch_event("click")
    expect(library.root.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "true")
    with library.page.expect_response("**/lora-stack/network?*"):
        library.root.get_by_role("button", name="Favourite").dispatch_event("click")
    assert len(sent(library, "GET", "network")) > asked
    library.page.keyboard.type("tence")
    assert notes.input_value() == "half a sentence"
    library.root.get_by_role("button", name="Save").click()
    library.message.filter(has_text="Saved").wait_for(timeout=SHORT_MS)
    body = sent(library, "PATCH", "network")[-1]
    assert body == {"id": "f7", "notes": "half a sentence", "rating": 5}


def test_the_file_itself_is_written_only_when_asked(library: LibraryPage) -> None:
    library.open("00007")
    part = library.root.get_by_role("region", name="In the file itself")
    part.get_by_text("Write into the file, or").click()
    part.get_by_label("modelspec.author").fill("Somebody")
    part.get_by_label("modelspec.title").fill("")
    part.get_by_role("button", name="Write into the file").click()
    library.message.filter(has_text=".bak").wait_for(timeout=SHORT_MS)
    (body,) = sent(library, "POST", "metadata")
    wanted = {"modelspec.author": "Somebody", "modelspec.title": None}
    assert body == {"id": "f7", "fields": wanted, "backup": True}
    part.get_by_role("button", name="Copy the metadata").click()
    library.message.filter(has_text="It has its own.").wait_for(timeout=SHORT_MS)


def test_hashes_are_computed_with_progress_and_can_be_stopped(library: LibraryPage) -> None:
    library.open("00007")
    part = library.root.get_by_role("region", name="Hashes")
    part.get_by_role("button", name="Compute hashes").click()
    part.get_by_role("progressbar").wait_for(timeout=SHORT_MS)
    assert sent(library, "POST", "hash") == [{"ids": ["f7"]}]
    with library.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        part.get_by_role("button", name="Cancel").click()
    assert len(sent(library, "DELETE", "hash")) == 1


def test_two_files_are_compared(library: LibraryPage) -> None:
    library.card("00007").click(modifiers=["Control"])
    library.card("00014").click(modifiers=["Control"])
    library.root.locator(".ls-library-foot").get_by_role("button", name="Compare").click()
    table = library.root.get_by_role("table")
    table.wait_for(timeout=SHORT_MS)
    assert table.locator("tbody tr").count() == 4
    library.root.get_by_label("only what differs").check()
    assert table.locator("tr.ls-same:visible").count() == 0
    library.page.keyboard.press("Escape")
    library.root.get_by_role("button", name="Unmark").click()


def test_files_go_into_the_stack_of_a_tab(library: LibraryPage) -> None:
    library.open("00007")
    library.root.locator(".ls-page-head").get_by_role("button", name="Add to txt2img").click()
    expect(library.panel.root).to_be_visible()
    assert [entry["network"] for entry in library.panel.entries] == [library.files.items[8]["label"]]


def test_the_stack_s_interference_is_a_matrix(library: LibraryPage) -> None:
    button = library.root.locator(".ls-library-head").get_by_role("button", name="Interference")
    button.click()
    library.root.get_by_text("Put at least two LoRAs").wait_for(timeout=SHORT_MS)
    library.panel.put_text(
        f'{{"version":1,"entries":[{{"network":"a"}},{{"network":{json.dumps(HOSTILE)}}}]}}'
    )
    button.click()
    table = library.root.locator(".ls-mix-table")
    table.wait_for(timeout=SHORT_MS)
    assert table.locator("td.ls-mix-same").count() == 2
    assert HOSTILE in table.inner_text()
    library.page.keyboard.press("Escape")


def test_hostile_metadata_is_only_text(library: LibraryPage) -> None:
    library.open("bold")
    library.root.get_by_role("button", name="Read the numbers").click()
    library.root.locator(".ls-unet").wait_for(timeout=SHORT_MS)
    assert HOSTILE in library.root.locator(".ls-page").first.inner_text()
    assert library.root.locator("img[src=x], b, a[href^=javascript]").count() == 0
    assert library.root.locator("a[href]").count() == 1
    assert library.page.title() != "1"
