"""The page of a running WebUI in headless Chromium: the panel is there, works, and survives Reload UI."""

from __future__ import annotations

import time
import urllib.error
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, sync_playwright

from tests.chromium import FLAGS, find_chromium
from tests.real.test_equality import LORA
from tests.real.webui import LIMIT, WebUI, stack

pytestmark = pytest.mark.browser

WAIT_MS = LIMIT * 1000


@pytest.fixture
def page(host: WebUI) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1600, "height": 1100})
        page.set_default_timeout(WAIT_MS)
        trouble: list[str] = []
        page.on("pageerror", lambda error: trouble.append(str(error)))
        # The WebUI's page names fonts and scripts of other servers, which a machine without them waits for.
        page.route(
            lambda address: not address.startswith((host.url, "data:", "blob:")), lambda route: route.abort()
        )
        page.goto(host.url, wait_until="commit")
        page.locator(".lora-stack-txt2img").wait_for(state="attached")
        yield page
        browser.close()
    assert not [said for said in trouble if "lora" in said.lower() or "stack" in said.lower()]


def test_a_row_and_a_picture(host: WebUI, page: Page) -> None:
    page.locator("#script_txt2img_lora_stack_panel .label-wrap").first.click()
    root = page.locator(".lora-stack-txt2img")
    search = root.get_by_role("combobox", name="Add a LoRA")
    search.fill("real_lora")
    root.get_by_role("option", name="real_lora").first.click()
    root.locator(".ls-row").wait_for()
    page.locator("#txt2img_generate").click()
    page.locator("#html_info_txt2img, #html_info_formatted_txt2img", has_text="LoRA Stack").first.wait_for()
    page.locator(".ls-report", has_text="1 of 1 applied").first.wait_for()


def test_both_tabs_have_it(page: Page) -> None:
    assert page.locator("#script_txt2img_lora_stack_panel").count() == 1
    assert page.locator("#script_img2img_lora_stack_panel").count() == 1


def test_reload_ui_changes_nothing(host: WebUI, page: Page) -> None:
    """The script is loaded anew, our package is not: nothing may act twice, nothing may be lost."""
    before, plain = host.draw(stack(LORA)).pictures[0], host.plain()[0]
    page.locator("#tabs > .tab-nav button", has_text="Settings").click()
    page.locator("#settings_restart_gradio").click()
    time.sleep(5)
    _wait(host)
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
