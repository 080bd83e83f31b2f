"""The page of a running WebUI in headless Chromium: a newcomer, a collector, and Reload UI."""

from __future__ import annotations

import re
import time
import urllib.error
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, WebSocket, expect, sync_playwright

from tests.browser.panel_page import PanelPage, pixels
from tests.chromium import FLAGS, find_chromium
from tests.real.test_equality import LORA
from tests.real.webui import LIMIT, PROMPT, SIZE, STEPS, WebUI, stack

pytestmark = pytest.mark.browser

WAIT_MS = 180_000
PATIENCE = 6  # a WebUI without a graphics card
FIRST, SECOND = "real-suite/real_lora", "real-suite/real_second"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(host: WebUI, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1600, "height": 1100})
    page.set_default_timeout(WAIT_MS)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    # The WebUI's page names fonts and scripts of other servers, which a machine without them waits for.
    page.route(
        lambda address: not address.startswith((host.url, "data:", "blob:")), lambda route: route.abort()
    )
    asked: list[WebSocket] = []
    page.on("websocket", lambda one: asked.append(one))
    yield page
    _answered(page, asked)
    page.close()
    assert not [said for said in trouble if "lora" in said.lower() or "stack" in said.lower()]


def _answered(page: Page, asked: list[WebSocket]) -> None:
    """Wait for what the page still asks: gradio 3 waits for ever for one that left, Reload UI with it."""
    deadline = time.monotonic() + WAIT_MS / 1000
    while time.monotonic() < deadline and not all(one.is_closed() for one in asked):
        page.wait_for_timeout(200)


@pytest.fixture
def open_panel(host: WebUI, page: Page) -> Callable[..., PanelPage]:
    """Load the page and open the panel of a tab, with a small picture asked for."""

    def open_panel(**options: str) -> PanelPage:
        panel = PanelPage(page, host.url, patience=PATIENCE, **options)  # type: ignore[arg-type]
        if panel.tab == "txt2img":
            panel.prepare(PROMPT, 5, STEPS)
            for side in ("width", "height"):
                field = page.locator(f"#txt2img_{side} input[type=number]")
                field.fill(str(SIZE))
                field.press("Tab")
        return panel

    return open_panel


def go(page: Page, tab: str) -> None:
    page.locator("#tabs > .tab-nav button", has_text=tab).first.click()


def test_both_tabs_have_it(open_panel: Callable[..., PanelPage]) -> None:
    page = open_panel().page
    for tab in ("txt2img", "img2img"):
        assert page.locator(f"#script_{tab}_lora_stack_panel").count() == 1
        assert page.locator(f".lora-stack-{tab} input[role=combobox]").count() == 1


def test_a_newcomer_stacks_two(open_panel: Callable[..., PanelPage]) -> None:
    """Browse, choose two, add, generate; a slider changes the picture, the switch brings back the first."""
    panel = open_panel()
    panel.switch(False)
    plain = pixels(panel.generate())
    panel.root.get_by_role("button", name="Browse").click()
    dialog = panel.page.get_by_role("dialog", name="Choose LoRAs")
    for label in (FIRST, SECOND):
        dialog.get_by_role("searchbox").fill(label)
        name = panel.page.locator(".ls-card-name", has_text=re.compile(rf"^{label.rpartition('/')[2]}$"))
        dialog.locator('.ls-card[aria-posinset="1"]', has=name).click()
    dialog.get_by_role("button", name="Add 2 LoRAs").click()
    assert [entry["network"] for entry in panel.entries] == [FIRST, SECOND]
    assert panel.enabled
    for index in range(2):
        panel.rows.nth(index).locator(".ls-fits").wait_for()
    picture = panel.generate()
    two = pixels(picture)
    assert two != plain
    assert panel.report().startswith("2 of 2 applied")
    assert "LoRA Stack" in picture.info["parameters"]

    panel.type_weight(panel.rows.nth(0), "0.1")
    less = panel.generate()
    assert pixels(less) not in (plain, two)
    text = panel.text
    panel.switch(False)
    assert pixels(panel.generate()) == plain

    panel.root.get_by_role("button", name="Remove all rows").click()
    panel.page.locator("#txt2img_prompt textarea").fill(less.info["parameters"])
    panel.page.locator("#paste").first.click()
    panel.rows.nth(1).wait_for()
    assert panel.entries[0]["weight"] == 0.1
    assert [entry["network"] for entry in panel.entries] == [FIRST, SECOND]
    assert '"weight":0.1' in text.replace(" ", "")


def test_a_missing_file_is_told_in_its_row_and_makes_no_picture(open_panel: Callable[..., PanelPage]) -> None:
    panel = open_panel()
    panel.put_text('[{"network": "never heard of"}]')
    panel.rows.first.locator(".ls-problem:visible").filter(has_text="never heard of").wait_for()
    panel.switch(True)
    panel.page.locator("#txt2img_generate").click()
    panel.root.locator(".ls-report.ls-failed").filter(has_text="never heard of").wait_for()


def test_tags_of_the_prompt_become_rows(open_panel: Callable[..., PanelPage]) -> None:
    panel = open_panel()
    prompt = panel.page.locator("#txt2img_prompt textarea")
    prompt.fill(f"{PROMPT}, <lora:real_lora:0.6>")
    panel.root.locator(".ls-tools").get_by_role("button", name="Take the LoRA tags").click()
    panel.rows.first.wait_for()
    assert panel.entries == [{"network": "real_lora", "weight": 0.6}]
    expect(prompt).to_have_value(PROMPT)


def test_img2img_has_a_stack_of_its_own(open_panel: Callable[..., PanelPage]) -> None:
    panel = open_panel(tab="img2img")
    panel.add("real_lora")
    assert len(panel.entries) == 1
    assert panel.page.locator("#script_txt2img_lora_stack_stack textarea").input_value() == ""


def test_a_picture_sent_to_img2img_takes_its_stack_along(open_panel: Callable[..., PanelPage]) -> None:
    panel = open_panel()
    panel.add("real_lora")
    panel.type_weight(panel.rows.first, "0.35")
    panel.generate()
    page, sent = panel.page, panel.text
    page.locator("#txt2img_send_to_img2img").click()
    rows = page.locator(".lora-stack-img2img .ls-row")
    rows.first.wait_for(state="attached")
    expect(page.locator("#script_img2img_lora_stack_stack textarea")).to_have_value(sent)
    expect(page.locator("#script_img2img_lora_stack_panel-checkbox input")).to_be_checked()


def card(page: Page, name: str) -> Locator:
    """The card of a file of this suite in the Library."""
    title = page.locator(".ls-card-name", has_text=re.compile(f"^{name}$"))
    return page.locator(".ls-library .ls-card:not(.ls-waiting)", has=title)


def test_a_collector_finds_two_compares_them_and_adds_both(open_panel: Callable[..., PanelPage]) -> None:
    """Folder, kind, a star, two compared: all in the Library tab of the WebUI's own files."""
    panel = open_panel()
    page = panel.page
    go(page, "LoRA Library")
    library = page.locator(".ls-library")
    library.get_by_role("treeitem", name="real-suite").click()
    kind = library.get_by_role("checkbox", name=re.compile("^LoHa"))
    kind.check()
    library.locator('.ls-card[aria-setsize="1"]', has_text="real_loha").wait_for()
    kind.uncheck()
    first, second = card(page, "real_lora"), card(page, "real_second")
    first.hover()
    first.locator(".ls-card-star").click()
    starred = library.locator(".ls-card.ls-favourite", has_text="real_lora")
    starred.wait_for()
    first.click(modifiers=["Control"])
    second.click(modifiers=["Control"])
    foot = library.locator(".ls-library-foot")
    foot.get_by_role("button", name="Compare").click()
    library.get_by_role("columnheader", name=SECOND).wait_for()
    page.keyboard.press("Escape")
    first.hover()
    first.locator(".ls-card-star").click()
    starred.wait_for(state="detached")
    foot.get_by_role("button", name="Add to txt2img").click()
    expect(panel.root).to_be_visible()
    assert [entry["network"] for entry in panel.entries] == [FIRST, SECOND]


def test_a_collector_keeps_what_she_says_of_a_file(open_panel: Callable[..., PanelPage]) -> None:
    """Search in the Library, hashes, a title: found by it on another page, and added."""
    panel = open_panel()
    page = panel.page
    go(page, "LoRA Library")
    library = page.locator(".ls-library")
    library.get_by_role("searchbox").fill("real_lora")
    card(page, "real_lora").click()
    hashes = library.get_by_role("region", name="Hashes")
    compute = hashes.get_by_role("button", name="Compute hashes")
    shown = hashes.get_by_text(re.compile("^[0-9a-f]{64}$")).first
    compute.or_(shown).first.wait_for()
    if compute.is_visible():  # else an earlier run has asked for them
        compute.click()
    shown.wait_for()
    form = library.get_by_role("region", name="What you say of it")
    form.get_by_label("Title").fill("Seen in a real WebUI")
    form.get_by_role("button", name="Save").click()
    library.locator(".ls-library-message").filter(has_text="Saved").wait_for()

    panel = open_panel()
    go(page, "LoRA Library")
    library.get_by_role("searchbox").fill("seen in a real")
    library.locator('.ls-card[aria-setsize="1"]', has_text="real_lora").click()
    form.get_by_label("Title").fill("")
    form.get_by_role("button", name="Save").click()
    library.locator(".ls-library-message").filter(has_text="Saved").wait_for()
    library.locator(".ls-page-head").get_by_role("button", name="Add to txt2img").click()
    expect(panel.root).to_be_visible()
    assert [entry["network"] for entry in panel.entries] == [FIRST]


@pytest.mark.parametrize(("language", "browse"), [("zh", "浏览"), ("ja", "一覧")])
def test_it_speaks_the_reader_s_language(
    page: Page, open_panel: Callable[..., PanelPage], language: str, browse: str
) -> None:
    page.add_init_script(f"localStorage.setItem('lora-stack-language', '{language}')")
    panel = open_panel(query="?__theme=dark")
    assert panel.root.locator(".ls-browse").inner_text() == browse
    assert panel.root.get_attribute("lang") == language


def test_reload_ui_changes_nothing(host: WebUI, page: Page, open_panel: Callable[..., PanelPage]) -> None:
    """The script is loaded anew, our package is not: nothing may act twice, nothing may be lost."""
    before, plain = host.draw(stack(LORA)).pictures[0], host.plain()[0]
    panel = open_panel()
    panel.add("real_lora")
    panel.type_weight(panel.rows.first, "0.35")
    text = panel.text
    go(page, "LoRA Library")  # it listens to the server, which must end all the same
    page.locator(".ls-library .ls-card").first.wait_for()
    go(page, "Settings")
    page.evaluate("window.isTheOldPage = true")
    page.locator("#settings_restart_gradio").click()
    # Not the event "load": that waits for what a page of the WebUI asks of other servers.
    page.wait_for_function("window.isTheOldPage === undefined")
    _wait(host)
    panel.root.wait_for(state="attached")
    panel.open()
    panel.rows.first.wait_for()
    assert panel.text == text
    assert panel.enabled
    assert np.array_equal(host.draw(stack(LORA)).pictures[0], before)
    assert np.array_equal(host.draw().pictures[0], plain)
    assert host.call("/lora-stack/networks").body["total"] > 0


def _wait(host: WebUI) -> None:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        try:
            if host.call("/lora-stack/networks").status == 200:
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(2)
    pytest.fail("the WebUI did not come back")
