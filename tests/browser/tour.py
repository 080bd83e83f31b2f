"""A program, not a test: draws the README's tour and pictures of the panel in the demo.

    python -m tests.browser.tour        writes docs/pictures/tour.webp and a picture for every feature

It opens the demo page in headless Chromium, as the tests of this folder do, and does what a person would do.
"""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Locator, Page, ViewportSize, sync_playwright

from tests.browser.film import Film
from tests.browser.panel_page import LONG_MS, PanelPage
from tests.browser.server import ROOT, Demo, serving
from tests.chromium import FLAGS, find_chromium

FOLDER = ROOT / "docs" / "pictures"
FILM = ViewportSize(width=1280, height=1000)
STILL = ViewportSize(width=1600, height=1320)
LIBRARY = ViewportSize(width=1280, height=940)
FILM_WIDTH = 960
PROMPT, SEED, STEPS = "a girl, light skin, red hair, yellow shirt, blue trousers, waving, in a meadow", 5, 20
WORDS = ", mecha suit, neon style"
SUIT, NEON = "clothing/mecha_suit", "style/neon"


def main() -> None:
    """Draw all of them."""
    with (
        tempfile.TemporaryDirectory() as data,
        serving("4.40.0", Path(data)) as demo,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        page = browser.new_page(viewport=FILM)
        page.set_default_timeout(LONG_MS)
        tell(demo, page)
        page.set_viewport_size(STILL)
        draw_stills(demo, page)
        browser.close()


def opened(demo: Demo, page: Page) -> PanelPage:
    """The page with everything filled in."""
    panel = PanelPage(page, demo.address, query="?__theme=light")
    panel.prepare(PROMPT, SEED, STEPS)
    return panel


def tell(demo: Demo, page: Page) -> None:
    """The film: two LoRAs found, added, weighed and aimed."""
    panel = opened(demo, page)
    panel.generate()
    page.locator("#txt2img_seed input").blur()
    show_panel(page)
    film = Film(page, FILM_WIDTH, "A picture as the checkpoint alone draws it.")
    film.show(1800)
    film.say("Browse: all LoRAs with their pictures.")
    film.click(panel.root.get_by_role("button", name="Browse"), 100)
    dialog = page.locator("dialog[open]")
    dialog.locator(".ls-card:not(.ls-waiting) img").nth(5).wait_for()
    page.wait_for_timeout(500)
    film.show(900)
    film.click(dialog.locator(".ls-card", has_text="mecha_suit").first, 500)
    film.say("Search as you type; click the ones you want.")
    film.click(dialog.get_by_role("searchbox"), 200)
    film.type("neon")
    neon = dialog.locator('.ls-card[aria-posinset="1"]', has=page.get_by_text("neon", exact=True))
    neon.locator("img").wait_for()
    film.show(500)
    film.click(neon, 700)
    film.click(dialog.get_by_role("button", name="Add 2 LoRAs"), 900)
    show_panel(page)
    film.say("Two rows, each with a weight of its own.")
    film.show(900)
    generate(film, panel, "Generate.")
    film.say("The slider says how much. The green band is where such a LoRA works best.")
    slide(film, panel.rows.nth(0), 0.35)
    generate(film, panel, "Generate again: less of the suit.")
    film.say("More: where in the picture, when, in which parts of the model, in which passes.")
    film.click(panel.button(panel.rows.nth(0), "More"), 600)
    where = panel.rows.nth(0).get_by_role("combobox", name="Where")
    where.select_option("box")
    stage = panel.rows.nth(0).locator(".ls-box-editor:visible .ls-stage")
    stage.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    film.show(700)
    film.click(panel.rows.nth(0).get_by_role("button", name="Left half"), 1200)
    panel.button(panel.rows.nth(0), "More").click()
    show_panel(page)
    panel.type_weight(panel.rows.nth(0), "1")
    generate(film, panel, "The suit on the left half alone; the line below the rows tells.", 3000)
    film.save(FOLDER / "tour.webp")


def show_panel(page: Page) -> None:
    """Scroll to the end of the panel, with as much of the picture as there is room for."""
    end = "panel => window.scrollTo(0, scrollY + panel.getBoundingClientRect().bottom + 12 - innerHeight)"
    page.locator("#script_txt2img_lora_stack_panel").evaluate(end)
    page.wait_for_timeout(300)


def generate(film: Film, panel: PanelPage, words: str, ms: int = 2000) -> None:
    """Make a picture and wait for it and the report."""
    film.say(words)
    film.show(600)
    panel.generate()
    panel.report()
    show_panel(film.page)
    film.show(ms)


def slide(film: Film, row: Locator, weight: float) -> None:
    """Drag a row's slider to a weight; it goes from -1 to 2, with a thumb 16 pixels wide."""
    slider = row.locator(".ls-range").first
    box = slider.bounding_box()
    assert box is not None

    def at(value: float) -> tuple[float, float]:
        return box["x"] + 8 + (box["width"] - 16) * (value + 1) / 3, box["y"] + box["height"] / 2

    film.drag(at(float(slider.input_value())), at(weight))
    film.show(500)


def draw_stills(demo: Demo, page: Page) -> None:
    """One picture for each feature, in the order of the README."""
    panel = opened(demo, page)
    panel.prepare(PROMPT + WORDS, SEED, STEPS)
    rows: list[dict[str, Any]] = [
        {"network": SUIT, "weight": 0.65, "role": "clothing"},
        {"network": NEON, "weight": 0.5, "role": "style"},
    ]
    fill(panel, *rows)
    panel.switch(True)
    panel.generate()
    panel.report()
    shoot(page.locator("body"), "panel", 0)
    panel.root.locator(".ls-report summary").click()
    shoot(panel.accordion, "report")

    page.set_viewport_size(LIBRARY)
    panel.root.get_by_role("button", name="Browse").click()
    dialog = page.locator("dialog[open]")
    dialog.locator(".ls-card:not(.ls-waiting) img").first.wait_for()
    dialog.locator(".ls-card", has_text="ink").first.click()
    shoot(dialog, "picker")
    page.keyboard.press("Escape")
    page.set_viewport_size(STILL)

    fill(panel, {**rows[0], "region": "box:0.1,0.2,0.5,0.75", "feather": 0.05}, rows[1])
    row = panel.rows.nth(0)
    panel.button(row, "More").click()
    shoot(row.locator(".ls-more > *", has=page.locator(".ls-box-editor")).first, "region")
    fill(panel, {**rows[1], "schedule": "0@0,1@0.35,1@0.7,0.3@1", "blocks": "OUTD"})
    row = panel.rows.nth(0)
    panel.button(row, "More").click()
    shoot(row.locator(".ls-more > *", has=page.locator(".ls-plot")).first, "schedule")
    shoot(row.locator(".ls-more > *", has=page.locator(".ls-blocks")).first, "blocks")
    panel.button(row, "More").click()
    draw_presets(panel, rows)
    draw_library(panel)


def draw_presets(panel: PanelPage, rows: list[dict[str, Any]]) -> None:
    """Two presets, one of them compared with the rows."""
    panel.root.locator(".ls-icon-presets").click()
    drawer = panel.root.locator(".ls-drawer")
    for name, stack in (("night city", rows), ("the suit alone", rows[:1])):
        fill(panel, *stack)
        drawer.get_by_label("Name of the preset").fill(name)
        drawer.get_by_label("Name of the preset").press("Enter")
        drawer.locator(".ls-preset").filter(has_text=name).wait_for()
    preset = drawer.locator(".ls-preset").filter(has_text="night city")
    preset.get_by_role("button", name="Compare").click()
    preset.locator(".ls-diff").filter(has_text="neon").wait_for()
    shoot(panel.accordion, "presets")


def draw_library(panel: PanelPage) -> None:
    """A file's page, with the strength of its blocks read."""
    page = panel.page
    page.set_viewport_size(LIBRARY)
    page.locator("#tabs > .tab-nav button", has_text="LoRA Library").click()
    library = page.locator(".ls-library")
    library.locator(".ls-card:not(.ls-waiting)", has_text=SUIT.rpartition("/")[2]).first.click()
    library.get_by_role("button", name="Read the numbers").click()
    library.locator(".ls-unet").wait_for()
    library.locator(".ls-page-body:visible").evaluate("body => { body.scrollTop = 0; }")
    shoot(library, "library")


def fill(panel: PanelPage, *rows: dict[str, Any]) -> None:
    """Put rows into the panel and wait until each says that it fits."""
    panel.put_text("")
    panel.put_text(json.dumps({"version": 1, "entries": list(rows)}))
    for index in range(len(rows)):
        panel.rows.nth(index).locator(".ls-fits").wait_for()


def shoot(what: Locator, name: str, edge: int = 10) -> None:
    """Write one picture with a little of what is around, once its own pictures are there."""
    page = what.page
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)
    what.scroll_into_view_if_needed()
    box = what.bounding_box()
    assert box is not None
    size = page.viewport_size or STILL
    left, top = max(0, box["x"] - edge), max(0, box["y"] - edge)
    right = min(size["width"], box["x"] + box["width"] + edge)
    bottom = min(size["height"], box["y"] + box["height"] + edge)
    shot = page.screenshot(clip={"x": left, "y": top, "width": right - left, "height": bottom - top})
    path = FOLDER / f"{name}.webp"
    Image.open(io.BytesIO(shot)).convert("RGB").save(path, quality=90, method=6)
    print(f"{path.name}: {path.stat().st_size // 1000} kB", flush=True)


if __name__ == "__main__":
    main()
