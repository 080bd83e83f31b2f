"""From the panel to the picture and back: what issue reports call "it does nothing" is looked for here."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Demo, screenshots
from tests.browser.panel_page import PanelPage, pixels

pytestmark = pytest.mark.browser

PROMPT, SEED, STEPS = "a girl, red hair, blue shirt", 7, 6


def test_the_whole_journey(demo: Demo, open_panel: Callable[..., PanelPage]) -> None:
    """Add, slide, generate, switch off, and bring everything back from the picture in a fresh page."""
    first, second = (file["label"] for file in demo.networks()[:2])
    panel = open_panel()
    panel.prepare(PROMPT, SEED, STEPS)
    panel.switch(False)
    without = pixels(panel.generate())

    row = panel.add(first)
    panel.add(second)
    panel.type_weight(row, "0.4")
    one = pixels(panel.generate())
    assert one != without
    assert panel.report().startswith("2 of 2 applied")

    panel.slide(row, 1.2)
    assert panel.root.locator(".ls-report.ls-stale").count() == 1
    picture = panel.generate()
    assert pixels(picture) not in (one, without)
    panel.report()
    panel.page.screenshot(path=screenshots(demo) / "journey.png", full_page=True)
    text = panel.text

    panel.switch(False)
    assert pixels(panel.generate()) == without

    parameters = picture.info["parameters"]
    assert "LoRA Stack:" in parameters
    again = open_panel()
    assert again.text == ""
    again.page.locator("#txt2img_prompt textarea").fill(parameters)
    again.page.locator("#paste").first.click()
    again.rows.nth(1).wait_for()
    assert without_hashes(again.text) == without_hashes(text)
    assert again.enabled
    assert pixels(again.generate()) == pixels(picture)


def without_hashes(text: str) -> list[dict[str, object]]:
    """Rows without their hashes, which the server fills in where the page did not know them."""
    return [
        {name: value for name, value in row.items() if name != "hash"} for row in json.loads(text)["entries"]
    ]


def test_an_old_picture_of_addnet_s_fills_the_panel(demo: Demo, open_panel: Callable[..., PanelPage]) -> None:
    """Its rows come into the panel once: not into the prompt, as the built-in Lora would do it."""
    label = demo.networks()[0]["label"]
    name = label.rpartition("/")[2]
    panel = open_panel()
    panel.page.locator("#txt2img_prompt textarea").fill(
        f"{PROMPT}\nSteps: {STEPS}, Sampler: Euler, CFG scale: 5, Seed: {SEED}, Size: 128x128, "
        f"AddNet Enabled: True, AddNet Module 1: LoRA, AddNet Model 1: {name}(e3b0c44298fc), "
        "AddNet Weight A 1: 0.4, AddNet Weight B 1: 0.4"
    )
    panel.page.locator("#paste").first.click()
    panel.rows.first.wait_for()
    assert [(row["network"], row["weight"]) for row in panel.entries] == [(name, 0.4)]
    assert panel.enabled
    assert panel.page.locator("#txt2img_prompt textarea").input_value() == PROMPT
    panel.generate()
    assert panel.report().startswith("1 of 1 applied")


def test_a_missing_lora_makes_no_picture(open_panel: Callable[..., PanelPage], demo: Demo) -> None:
    panel = open_panel()
    panel.prepare(PROMPT, SEED, 2)
    panel.put_text(json.dumps([{"network": demo.networks()[0]["label"]}, {"network": "never heard of"}]))
    panel.switch(True)
    assert "never heard of" in panel.generate_and_fail()
    report = panel.root.locator(".ls-report.ls-failed")
    report.wait_for()
    assert "never heard of" in report.inner_text()
    panel.button(panel.rows.nth(1), "Remove").click()
    panel.generate()
    assert panel.report().startswith("1 of 1 applied")


def test_an_open_row_is_aimed_over_the_newest_picture(
    demo: Demo, open_panel: Callable[..., PanelPage]
) -> None:
    panel = open_panel()
    panel.prepare(PROMPT, SEED, 2)
    panel.put_text(json.dumps([{"network": demo.networks()[0]["label"], "region": "box:0,0,0.5,1"}]))
    panel.switch(True)
    panel.button(panel.rows.first, "More").click()
    behind = panel.rows.first.locator(".ls-stage:visible > img")
    for seed in (SEED, SEED + 1):
        panel.prepare(PROMPT, seed, 2)
        panel.generate()
        shown = panel.page.locator("#txt2img_gallery img").first.get_attribute("src")
        assert shown
        expect(behind).to_have_attribute("src", shown)
