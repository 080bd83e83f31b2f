"""The panel's tools: undo, presets, tags, dropped files, one row alone, what survives a reload."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, PngImagePlugin
from playwright.sync_api import expect

from tests.browser.conftest import Demo, Window
from tests.browser.panel_page import PanelPage

pytestmark = pytest.mark.browser


@pytest.fixture
def files(demo: Demo) -> list[dict[str, Any]]:
    return demo.networks()


@pytest.fixture
def names(files: list[dict[str, Any]]) -> list[str]:
    return [file["label"] for file in files]


def fill(panel: PanelPage, *rows: dict[str, Any]) -> None:
    panel.put_text(json.dumps({"version": 1, "entries": list(rows)}))
    panel.rows.nth(len(rows) - 1).wait_for()


def tool(panel: PanelPage, name: str) -> None:
    panel.root.locator(".ls-tools").get_by_role("button", name=name).click()


def test_everything_is_undone_and_redone(panel: PanelPage, names: list[str]) -> None:
    row = panel.add(names[0])
    panel.slide(row, 1.5)
    slid = panel.entries[0]["weight"]
    row.get_by_role("switch").first.click()
    panel.button(row, "Duplicate").click()
    assert len(panel.entries) == 2
    tool(panel, "Undo")
    assert len(panel.entries) == 1
    row.locator(".ls-range").first.press("Control+z")
    assert "on" not in panel.entries[0]
    row.locator(".ls-range").first.press("Control+z")
    assert panel.entries[0].get("weight", 1) != slid, "the slider's whole way is one step"
    row.locator(".ls-number").first.press("Control+Shift+z")
    assert panel.entries[0]["weight"] == slid
    assert float(row.locator(".ls-number").first.input_value()) == slid
    tool(panel, "Redo")
    tool(panel, "Redo")
    assert len(panel.entries) == 2


def test_words_leave_the_prompt_with_their_row_and_come_back(
    panel: PanelPage, files: list[dict[str, Any]]
) -> None:
    file = next(file for file in files if file["trigger_words"])
    word = file["trigger_words"][0]
    row = panel.add(file["label"])
    panel.button(row, "More").click()
    chip = row.locator(".ls-chip").filter(has_text=word).first
    chip.click()
    prompt = panel.page.locator("#txt2img_prompt textarea")
    prompt.fill(f"a girl, {word}")
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(row.locator(".ls-words")).to_have_text(f"1 of {len(file['trigger_words'])} trigger words")
    panel.button(row, "Remove").click()
    assert prompt.input_value() == "a girl"
    panel.root.get_by_role("button", name="Undo", exact=True).click()
    assert prompt.input_value() == f"a girl, {word}"
    assert len(panel.entries) == 1
    prompt.fill("a girl")
    count = len(file["trigger_words"])
    words = panel.rows.first.locator(".ls-words")
    expect(words).to_have_text(f"0 of {count} trigger words")
    words.click()
    expect(words).to_have_text(f"{count} of {count} trigger words")
    assert prompt.input_value() == ", ".join(["a girl", *file["trigger_words"]])


def test_one_row_alone_and_back(panel: PanelPage, names: list[str]) -> None:
    fill(panel, {"network": names[0]}, {"network": names[1], "on": False}, {"network": names[2]})

    def on() -> list[bool]:
        return [entry.get("on", True) for entry in panel.entries]

    alone = panel.button(panel.rows.nth(2), "alone")
    alone.click()
    assert on() == [False, False, True]
    assert alone.get_attribute("aria-pressed") == "true"
    alone.click()
    assert on() == [True, False, True]


def test_presets_are_saved_compared_used_renamed_and_deleted(panel: PanelPage, names: list[str]) -> None:
    fill(panel, {"network": names[0], "weight": 0.7})
    kept = panel.text
    tool(panel, "Presets")
    drawer = panel.root.locator(".ls-drawer")
    drawer.get_by_label("Name of the preset").fill("two girls")
    drawer.get_by_label("Name of the preset").press("Enter")
    preset = drawer.locator(".ls-preset").filter(has_text="two girls")
    preset.wait_for()
    panel.type_weight(panel.rows.first, "0.2")
    panel.add(names[1])
    preset.get_by_role("button", name="Compare").click()
    told = preset.locator(".ls-diff").inner_text()
    assert "0.2 → 0.7" in told
    assert f"{names[1]} would be removed" in told
    preset.get_by_role("button", name="in place of").click()
    assert json.loads(panel.text) == json.loads(kept)
    preset.get_by_role("button", name="Add the rows").click()
    assert len(panel.entries) == 2
    preset.get_by_role("button", name="Rename").first.click()
    preset.get_by_label("New name").fill("three girls")
    preset.get_by_label("New name").press("Enter")
    renamed = drawer.locator(".ls-preset").filter(has_text="three girls")
    renamed.wait_for()
    with panel.page.expect_download() as download:
        renamed.get_by_role("button", name="to share").click()
    assert download.value.suggested_filename == "three girls.json"
    renamed.get_by_role("button", name="Delete").click()
    drawer.get_by_text("No preset yet").wait_for()
    panel.root.get_by_role("button", name="Undo", exact=True).click()
    renamed.wait_for()
    renamed.get_by_role("button", name="Delete").click()
    drawer.get_by_text("No preset yet").wait_for()
    tool(panel, "Presets")


def test_tags_of_the_prompt_become_rows_and_rows_tags(panel: PanelPage, names: list[str]) -> None:
    prompt = panel.page.locator("#txt2img_prompt textarea")
    name = names[0].rpartition("/")[2]
    prompt.fill(f"a girl, <lora:{name}:0.6>, hat")
    tool(panel, "Take the LoRA tags")
    panel.rows.first.wait_for()
    assert panel.entries == [{"network": name, "weight": 0.6}]
    assert prompt.input_value() == "a girl, hat"
    assert panel.enabled
    tool(panel, "Undo")
    assert prompt.input_value() == f"a girl, <lora:{name}:0.6>, hat"
    tool(panel, "Redo")
    fill(panel, {"network": name, "weight": 0.6}, {"network": names[1], "schedule": "0@0,1@1"})
    tool(panel, "Put the rows")
    panel.root.locator(".ls-status").filter(has_text="schedule").wait_for()
    assert prompt.input_value() == f"a girl, hat <lora:{name}:0.6>"
    assert [entry["network"] for entry in panel.entries] == [names[1]]
    tool(panel, "Undo")
    assert prompt.input_value() == "a girl, hat"
    assert len(panel.entries) == 2


DROP = """(root, [name, type, data]) => {
    const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name, { type }));
    for (const kind of ["dragover", "drop"]) {
        root.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
    }
}"""


def dropped(panel: PanelPage, name: str, kind: str, data: bytes) -> None:
    panel.root.evaluate(DROP, [name, kind, base64.b64encode(data).decode()])


def test_pictures_and_files_are_dropped_on_the_panel(panel: PanelPage, names: list[str]) -> None:
    stack = json.dumps({"version": 1, "entries": [{"network": names[0], "weight": 0.35}]})
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", f"a girl\nSteps: 4, LoRA Stack: {json.dumps(stack)}")
    data = io.BytesIO()
    Image.new("RGB", (8, 8)).save(data, "PNG", pnginfo=info)
    dropped(panel, "girl.png", "image/png", data.getvalue())
    panel.rows.first.wait_for()
    assert panel.entries == [{"network": names[0], "weight": 0.35}]
    mask = io.BytesIO()
    Image.new("L", (4, 4), 255).save(mask, "PNG")
    shared = {
        "version": 1,
        "entries": [{"network": names[1], "region": "mask:left"}],
        "masks": {"left": f"data:image/png;base64,{base64.b64encode(mask.getvalue()).decode()}"},
    }
    dropped(panel, "shared.json", "application/json", json.dumps(shared).encode())
    panel.page.wait_for_function(
        r"""field => /"left":"[0-9a-f]{16}"/.test(field.value)""", arg=panel.stack_field.element_handle()
    )
    assert panel.entries[0]["network"] == names[1]
    dropped(panel, "notes.txt", "text/plain", b"nothing of use")
    panel.root.locator(".ls-status").filter(has_text="no stack").wait_for()
    assert panel.entries[0]["network"] == names[1], "what cannot be read changes nothing"


def test_a_row_says_before_generating_that_it_fits(panel: PanelPage, names: list[str]) -> None:
    panel.add(names[0])
    panel.root.get_by_role("button", name="Refresh").click()
    panel.rows.first.locator(".ls-fits").wait_for(timeout=60_000)


def test_the_stack_survives_a_reload_of_the_page(
    open_panel: Callable[..., PanelPage], window: Window, names: list[str]
) -> None:
    panel = open_panel()
    panel.add(names[0])
    panel.type_weight(panel.rows.first, "0.35")
    text = panel.text
    assert panel.enabled
    again = open_panel(keep=True)
    again.rows.first.wait_for()
    assert again.text == text
    assert again.enabled
    anew = open_panel(tab="img2img")
    assert anew.text == ""
    anew.put_text(json.dumps([{"network": names[0], "role": "object"}]))
    recipe = anew.rows.first.locator(".ls-recipe")
    recipe.wait_for()
    recipe.get_by_role("button").click()
    assert anew.entries == [{"network": names[0], "role": "object", "region": "inpaint", "weight": 1.1}]
    anew.root.locator(".ls-status").filter(has_text="describe only the thing").wait_for()
