"""The panel by itself: rows, numbers, keys, pasting, what is said of bad input. No picture is made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Demo
from tests.browser.panel_page import SHORT_MS, PanelPage

pytestmark = pytest.mark.browser


@pytest.fixture
def names(demo: Demo) -> list[str]:
    """Labels of LoRAs that can be used."""
    return [file["label"] for file in demo.networks()]


def stack_of(*rows: dict[str, Any]) -> str:
    return json.dumps({"version": 1, "entries": list(rows)}, separators=(",", ":"))


def test_adding_writes_the_stack_and_switches_the_panel_on(
    open_panel: Callable[..., PanelPage], names: list[str]
) -> None:
    panel = open_panel()
    panel.switch(False)
    assert not panel.enabled
    panel.add(names[0])
    assert [entry["network"] for entry in panel.entries] == [names[0]]
    assert panel.enabled


def test_rows_that_will_not_be_used_say_so(open_panel: Callable[..., PanelPage], names: list[str]) -> None:
    panel = open_panel()
    panel.add(names[0])
    note = panel.root.get_by_text("Switched off")
    assert not note.is_visible()
    panel.switch(False)
    note.wait_for()
    panel.root.get_by_role("button", name="Switch on").click()
    assert not note.is_visible()
    assert panel.enabled


def test_the_list_is_used_by_keyboard(panel: PanelPage, names: list[str]) -> None:
    panel.search.press("ArrowDown")
    options = panel.root.get_by_role("option")
    options.first.wait_for()
    assert options.count() >= min(len(names), 2)
    for _ in range(2):
        panel.search.press("ArrowDown")
    chosen = panel.root.locator('[role=option][aria-selected="true"]')
    assert panel.search.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    label = chosen.get_attribute("title")
    panel.search.press("Enter")
    assert panel.search.get_attribute("aria-expanded") == "false"
    assert panel.entries[0]["network"] == label
    panel.search.press("ArrowDown")
    options.first.wait_for()
    panel.search.press("Escape")
    assert panel.search.get_attribute("aria-expanded") == "false"
    assert len(panel.entries) == 1


def test_a_search_without_result_says_so(panel: PanelPage) -> None:
    panel.search.click()
    panel.search.fill("no LoRA is called like this")
    panel.root.get_by_text("No LoRA matches").wait_for(timeout=SHORT_MS)
    panel.search.press("Enter")
    assert panel.text == ""


def test_slider_and_number_are_one_weight(panel: PanelPage, names: list[str]) -> None:
    row = panel.add(names[0])
    panel.slide(row, 1.2)
    assert panel.entries[0]["weight"] == pytest.approx(1.2, abs=0.06)
    assert float(row.locator(".ls-number").input_value()) == panel.entries[0]["weight"]
    panel.type_weight(row, "-0,75")
    assert panel.entries[0]["weight"] == -0.75
    assert row.locator(".ls-range").input_value() == "-0.75"
    row.locator(".ls-range").press("ArrowRight")
    assert panel.entries[0]["weight"] == -0.7
    panel.type_weight(row, "3.5")
    assert panel.entries[0]["weight"] == 3.5
    usual = row.locator(".ls-range").get_attribute("title")
    row.locator(".ls-range").press("Delete")
    assert str(panel.entries[0].get("weight", 1)) in (usual or "")


@pytest.mark.parametrize(
    ("typed", "told"), [("abc", "not a number"), ("1e9", "±100"), ("", "not a number"), ("Infinity", "±100")]
)
def test_a_bad_weight_is_refused_and_the_old_one_kept(
    panel: PanelPage, names: list[str], typed: str, told: str
) -> None:
    row = panel.add(names[0])
    panel.type_weight(row, "0.8")
    before = panel.text
    panel.type_weight(row, typed)
    assert told in row.get_by_role("alert").inner_text()
    assert row.locator(".ls-number").input_value() == "0.80"
    assert panel.text == before
    panel.type_weight(row, "0.9")
    assert not row.get_by_role("alert").is_visible()


def test_rows_are_moved_duplicated_and_removed(panel: PanelPage, names: list[str]) -> None:
    first, second = names[:2]
    panel.put_text(stack_of({"network": first}, {"network": second}))
    panel.rows.nth(1).wait_for()

    def order() -> list[str]:
        return [entry["network"] for entry in panel.entries]

    panel.rows.nth(0).locator(".ls-handle").press("ArrowDown")
    assert order() == [second, first]
    panel.button(panel.rows.nth(1), "More").click()
    for way, where in (("Move up", 0), ("Move down", 1)):
        button = panel.rows.nth(1 - where).get_by_role("button", name=way)
        button.focus()
        panel.page.keyboard.press("Enter")
        assert order()[where] == first
        assert panel.page.evaluate("document.activeElement.textContent") == way, (
            "the focus moves with the row"
        )
    panel.button(panel.rows.nth(1), "More").click()
    handle = panel.rows.nth(1).locator(".ls-handle")
    handle.drag_to(panel.rows.nth(0), target_position={"x": 40, "y": 3})
    assert order() == [first, second]
    panel.button(panel.rows.nth(0), "Duplicate").click()
    assert order() == [first, first, second]
    panel.button(panel.rows.nth(2), "Remove").click()
    panel.button(panel.rows.nth(0), "Remove").click()
    assert order() == [first]
    panel.root.get_by_role("button", name="Undo", exact=True).click()
    assert order() == [first, first]
    panel.root.get_by_role("button", name="Remove all rows").click()
    assert panel.entries == []
    assert panel.search.evaluate("field => document.activeElement !== null")


def test_a_row_is_switched_off_and_on(panel: PanelPage, names: list[str]) -> None:
    row = panel.add(names[0])
    row.get_by_role("switch").first.click()
    assert panel.entries[0]["on"] is False
    row.get_by_role("switch").first.click()
    assert "on" not in panel.entries[0]


def test_the_text_encoder_gets_a_weight_of_its_own(panel: PanelPage, names: list[str]) -> None:
    row = panel.add(names[0])
    panel.type_weight(row, "0.8")
    panel.button(row, "More").click()
    row.get_by_label("Own weight for the text encoder").check()
    assert panel.entries[0]["te"] == 0.8
    field = row.get_by_role("textbox", name="Weight of text encoder of")
    field.fill("0.3")
    field.press("Enter")
    assert panel.entries[0]["te"] == 0.3
    expect(row.locator(".ls-range").first).to_be_enabled()
    row.get_by_label("Own weight for the UNet").check()
    expect(row.locator(".ls-range").first).to_be_disabled()  # it would move nothing
    assert "moved under More" in row.locator(".ls-hint").inner_text()
    row.get_by_label("Own weight for the text encoder").uncheck()
    assert "te" not in panel.entries[0]
    expect(row.locator(".ls-range").first).to_be_enabled()
    row.get_by_label("Own weight for the UNet").uncheck()


def test_the_role_draws_its_band_and_gives_its_advice(panel: PanelPage, demo: Demo, names: list[str]) -> None:
    row = panel.add(names[0])
    panel.button(row, "More").click()
    row.get_by_label("Kind").select_option("beautifier")
    assert panel.entries[0]["role"] == "beautifier"
    hint = next(role["hint"] for role in demo.ask("lora-stack/advice") if role["name"] == "beautifier")
    assert row.locator(".ls-advice").inner_text() == hint
    assert row.locator(".ls-band").first.is_visible()
    panel.type_weight(row, "0.2")
    assert not row.locator(".ls-hint").is_visible()
    panel.type_weight(row, "0.9")
    assert row.locator(".ls-hint").inner_text() == hint


def test_trigger_words_go_into_the_prompt_and_out_again(panel: PanelPage, demo: Demo) -> None:
    file = next((file for file in demo.networks() if file["trigger_words"]), None)
    assert file is not None, "at least one of the demo's LoRAs has trigger words"
    word = file["trigger_words"][0]
    row = panel.add(file["label"])
    panel.button(row, "More").click()
    prompt = panel.page.locator("#txt2img_prompt textarea")
    prompt.fill("something else")
    chip = row.get_by_role("button", name=word, exact=True)
    chip.click()
    assert prompt.input_value() == f"something else, {word}"
    assert chip.get_attribute("aria-pressed") == "true"
    chip.click()
    assert prompt.input_value() == "something else"


def test_an_unknown_name_is_told_in_its_row_with_the_nearest(panel: PanelPage, names: list[str]) -> None:
    panel.put_text(stack_of({"network": names[0]}, {"network": f"{names[1]}x"}))
    problem = panel.rows.nth(1).locator(".ls-problem:visible")
    problem.wait_for(timeout=SHORT_MS)
    assert names[1].rpartition("/")[2] in problem.inner_text()
    assert not panel.rows.nth(0).locator(".ls-problem:visible").count()


def test_rows_that_cannot_be_used_are_kept_and_told(panel: PanelPage, names: list[str]) -> None:
    text = stack_of(
        {"network": names[0], "weight": "abc"}, {"network": names[0], "blocks": "OUTDD", "zoo": [1]}
    )
    panel.put_text(text)
    panel.rows.nth(1).locator(".ls-problem:visible").wait_for(timeout=SHORT_MS)
    assert '"abc"' in panel.rows.nth(0).locator(".ls-problem:visible").inner_text()
    assert "OUTD" in panel.rows.nth(1).locator(".ls-problem:visible").inner_text()
    assert panel.text == text, "only a person changes the stack"
    panel.type_weight(panel.rows.nth(1), "0.5")
    assert panel.entries[1] == {"network": names[0], "weight": 0.5, "blocks": "OUTDD", "zoo": [1]}
    panel.button(panel.rows.nth(1), "More").click()
    panel.rows.nth(1).get_by_role("button", name="zoo: [1]").click()
    assert panel.entries[1] == {"network": names[0], "weight": 0.5, "blocks": "OUTDD"}


@pytest.mark.parametrize(
    "text", ['{"version":1,', '{"version":9,"entries":[]}', "4"], ids=["half", "later", "number"]
)
def test_a_broken_text_is_told_and_can_be_left(panel: PanelPage, names: list[str], text: str) -> None:
    panel.put_text(text)
    broken = panel.root.locator(".ls-broken")
    broken.wait_for(timeout=SHORT_MS)
    assert panel.text == text, "nothing is thrown away unasked"
    broken.get_by_role("button").click()
    assert not broken.is_visible()
    panel.add(names[0])
    assert len(panel.entries) == 1


def test_copied_text_is_pasted_as_it_was(panel: PanelPage, names: list[str]) -> None:
    panel.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    text = stack_of({"network": names[0], "weight": 0.35, "te": 0.1}, {"network": names[1], "on": False})
    panel.put_text(text)
    panel.rows.nth(1).wait_for()
    panel.root.get_by_role("button", name="Copy").click()
    panel.root.get_by_text("Stack copied").wait_for(timeout=SHORT_MS)
    copied = panel.page.evaluate("navigator.clipboard.readText()")
    assert copied == text
    panel.root.get_by_role("button", name="Remove all rows").click()
    panel.root.get_by_role("button", name="Paste a stack").click()
    panel.root.get_by_role("textbox", name="Stack text").fill("nothing of use")
    panel.root.get_by_role("button", name="Use it").click()
    panel.root.locator(".ls-paste").get_by_role("alert").filter(has_text="no stack").wait_for()
    panel.root.get_by_role("textbox", name="Stack text").fill(
        f"a girl\nSteps: 4, LoRA Stack: {json.dumps(copied)}"
    )
    panel.root.get_by_role("button", name="Use it").click()
    panel.rows.nth(1).wait_for()
    assert panel.text == text


def test_the_two_tabs_never_mix(open_panel: Callable[..., PanelPage], names: list[str]) -> None:
    other = open_panel(tab="img2img")
    other.add(names[0])
    field = other.page.locator("#script_txt2img_lora_stack_stack textarea")
    assert len(other.entries) == 1
    assert field.input_value() == ""


def test_hostile_names_are_only_text(panel: PanelPage) -> None:
    name = '<img src=x onerror="document.title=1">/<b>bold</b>'
    panel.put_text(stack_of({"network": name, "role": "<i>", "hash": "<u>"}))
    panel.rows.nth(0).locator(".ls-problem:visible").wait_for(timeout=SHORT_MS)
    panel.button(panel.rows.nth(0), "More").click()
    assert name in panel.rows.nth(0).inner_text()
    assert panel.root.locator("img[src=x], b, i, u").count() == 0


def test_a_slider_among_two_hundred_rows_draws_its_own_alone(panel: PanelPage, names: list[str]) -> None:
    panel.put_text(stack_of(*({"network": names[0], "weight": index / 100} for index in range(200))))
    panel.rows.nth(199).locator(".ls-fits").wait_for()  # nothing is on its way any more
    drawn = panel.root.evaluate(
        """root => {
            const rows = [...root.querySelectorAll(".ls-row")];
            const drawn = new Set();
            const note = (changes) => {
                for (const { target } of changes) drawn.add(rows.findIndex((row) => row.contains(target)));
            };
            const observer = new MutationObserver(note);
            const all = { attributes: true, childList: true, subtree: true };
            observer.observe(root.querySelector(".ls-rows"), all);
            const range = rows[100].querySelector(".ls-range");
            for (let step = 0; step < 20; step += 1) {
                range.value = step / 20;
                range.dispatchEvent(new Event("input", { bubbles: true }));
            }
            note(observer.takeRecords());
            observer.disconnect();
            return [...drawn];
        }"""
    )
    assert drawn == [100]
    assert panel.entries[100]["weight"] == 0.95


def test_blocks_by_preset_by_slider_and_as_text(panel: PanelPage, names: list[str]) -> None:
    row = panel.add(names[0])
    panel.button(row, "More").click()
    choice = row.get_by_role("combobox", name="presets")
    choice.select_option("OUTD")
    assert panel.entries[0]["blocks"] == "OUTD"
    row.get_by_role("slider", name="block IN01").fill("0.5")
    first, second, *rest = panel.entries[0]["blocks"].split(",")
    assert (first, second, len(rest)) == ("1", "0.5", 15)
    assert choice.input_value() == "own"
    field = row.get_by_role("textbox", name="Parts of the model")
    field.fill("OUTT")
    field.press("Tab")
    row.get_by_text("no preset 'OUTT'").wait_for(timeout=SHORT_MS)
    choice.select_option("ALL")
    assert "blocks" not in panel.entries[0]
    assert row.get_by_text("some blocks").count() == 0


def test_the_user_s_own_presets_of_blocks(
    demo: Demo, open_panel: Callable[..., PanelPage], names: list[str]
) -> None:
    folder = demo.data / "extensions" / "sd-webui-lora-block-weight" / "scripts"
    folder.mkdir(parents=True)
    numbers = ",".join(["0.5"] * 17)
    (folder / "lbwpresets.txt").write_text(f"FACE:{numbers}\nSHORT:1,1,1\n", encoding="utf-8")
    (folder / "elempresets.txt").write_bytes(b"\0")
    try:
        panel = open_panel()
        row = panel.add(names[0])
        panel.button(row, "More").click()
        choice = row.get_by_role("combobox", name="presets")
        choice.select_option("FACE")
        assert panel.entries[0]["blocks"] == "FACE"
        assert row.get_by_role("slider", name="block IN01").input_value() == "0.5"
        broken = choice.locator("option[value=SHORT]")
        assert broken.is_disabled() and "3 numbers" in broken.text_content()
        row.get_by_text("elempresets.txt is not a text file").wait_for()
    finally:
        shutil.rmtree(folder.parent)


def test_when_a_row_acts_by_choice_and_as_text(panel: PanelPage, names: list[str]) -> None:
    row = panel.add(names[0])
    panel.button(row, "More").click()
    choice = row.get_by_role("combobox", name="When")
    choice.select_option("first_half")
    assert panel.entries[0]["stop"] == "0.5"
    curve = row.get_by_role("textbox", name="Curve of")
    curve.fill("0@0,1@1")
    curve.press("Tab")
    assert panel.entries[0]["schedule"] == "0@0,1@1"
    assert choice.input_value() == "own"
    steps = int(panel.page.locator("#txt2img_steps input[type=number]").input_value())
    assert len(row.locator(".ls-plot polyline").get_attribute("points").split(" ")) == 2 * steps
    row.get_by_text("timed").wait_for()
    begin = row.get_by_role("textbox", name="begins at")
    begin.fill("soon")
    begin.press("Tab")
    row.get_by_text('"soon" is not a number').wait_for(timeout=SHORT_MS)
    choice.select_option("always")
    assert not {"schedule", "start", "stop"} & panel.entries[0].keys()


def test_when_the_text_encoder_acts(panel: PanelPage, names: list[str]) -> None:
    row = panel.add(names[0])
    panel.button(row, "More").click()
    choice = row.get_by_role("combobox", name="Text encoder of")
    curve = row.get_by_role("textbox", name="Text encoder curve of")
    assert (choice.input_value(), curve.is_visible()) == ("", False)
    choice.select_option("same")
    assert panel.entries[0]["te_schedule"] == "same"
    choice.select_option("own")
    assert panel.entries[0]["te_schedule"] == "1@0,0@1" == curve.input_value()
    curve.fill("0.2@0,1@1")
    curve.press("Tab")
    assert panel.entries[0]["te_schedule"] == "0.2@0,1@1" and choice.input_value() == "own"
    row.get_by_text("timed").wait_for()
    choice.select_option("")
    assert "te_schedule" not in panel.entries[0] and not curve.is_visible()
