"""Aiming a row: a rectangle, a painted mask, another row's rest, passes, a curve. No picture is made."""

from __future__ import annotations

import io
import json
import re

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.conftest import WIDE, Demo
from tests.browser.panel_page import PanelPage

pytestmark = pytest.mark.browser


@pytest.fixture
def names(demo: Demo) -> list[str]:
    return [file["label"] for file in demo.networks()]


def opened(panel: PanelPage, names: list[str], count: int = 1) -> Locator:
    """Rows in the panel; returns the last one, with its details open."""
    panel.put_text(json.dumps([{"network": name} for name in names[:count]]))
    row = panel.rows.nth(count - 1)
    row.wait_for()
    panel.button(row, "More").click()
    return row


def drag(panel: PanelPage, start: tuple[float, float], end: tuple[float, float], steps: int = 4) -> None:
    panel.page.mouse.move(*start)
    panel.page.mouse.down()
    panel.page.mouse.move(*end, steps=steps)
    panel.page.mouse.up()


def frame(element: Locator) -> dict[str, float]:
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    assert box is not None
    return dict(box)


def test_a_rectangle_is_drawn_dragged_moved_and_typed(panel: PanelPage, names: list[str]) -> None:
    row = opened(panel, names)
    row.get_by_role("combobox", name="Where").select_option("box")
    assert panel.entries[0]["region"] == "box:0.25,0.25,0.5,0.5"
    row.locator(".ls-where").filter(has_text="in a rectangle").wait_for()
    stage = frame(row.locator(".ls-box-editor:visible .ls-stage"))

    def at(x: float, y: float) -> tuple[float, float]:
        return stage["x"] + x * stage["width"], stage["y"] + y * stage["height"]

    drag(panel, at(0.75, 0.75), at(0.9, 1.4))
    numbers = [float(part) for part in panel.entries[0]["region"].removeprefix("box:").split(",")]
    assert numbers == pytest.approx([0.25, 0.25, 0.65, 0.75], abs=0.02)
    drag(panel, at(0.95, 0.05), at(0.5, 0.2))
    x, _, width, _ = (float(part) for part in panel.entries[0]["region"].removeprefix("box:").split(","))
    assert (x, width) == pytest.approx((0.5, 0.45), abs=0.02)
    row.get_by_role("button", name="Left half").click()
    assert panel.entries[0]["region"] == "box:0,0,0.5,1"
    box = row.locator(".ls-box")
    box.press("ArrowRight")
    assert panel.entries[0]["region"] == "box:0.01,0,0.5,1"
    box.press("Shift+ArrowLeft")
    assert panel.entries[0]["region"] == "box:0.01,0,0.49,1"
    width = row.get_by_label("width")
    width.fill("500")
    width.press("Enter")
    assert panel.entries[0]["region"] == "box:0.01,0,0.99,1"
    row.locator(".ls-brush:visible input").first.fill("10")
    assert panel.entries[0]["feather"] == 0.1
    box.press("Control+z")
    assert "feather" not in panel.entries[0]


def test_a_mask_is_painted_kept_and_drawn_again(panel: PanelPage, names: list[str]) -> None:
    row = opened(panel, names)
    row.get_by_role("combobox", name="Where").select_option("mask")
    assert panel.entries[0]["region"] == "mask:mask 1"
    row.locator(".ls-next").filter(has_text="Nothing is painted yet").wait_for()
    expect(row).not_to_have_class(re.compile("ls-bad"))
    panel.page.locator("#txt2img_prompt textarea").focus()
    stage = frame(row.locator(".ls-painting"))

    def at(x: float, y: float) -> tuple[float, float]:
        return stage["x"] + x * stage["width"], stage["y"] + y * stage["height"]

    drag(panel, at(0.1, 0.25), at(0.9, 0.25), steps=6)
    ring = row.locator(".ls-ring").bounding_box()
    assert ring is not None
    assert (ring["width"], ring["x"] + ring["width"] / 2) == pytest.approx(
        (0.12 * stage["width"], at(0.9, 0)[0]), abs=1
    )
    painted_once = "field => field.value.includes('masks')"
    panel.page.wait_for_function(painted_once, arg=panel.stack_field.element_handle())
    panel.page.keyboard.press("Control+z")
    assert "masks" not in json.loads(panel.text)
    panel.page.keyboard.press("Control+Shift+z")
    (digits,) = json.loads(panel.text)["masks"].values()
    assert re.fullmatch("[0-9a-f]{16}", digits)
    share = json.loads(panel.text)["masks"]
    assert list(share) == ["mask 1"]

    painted = (
        "canvas => canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 4, 1, 1).data[3]"
    )
    canvas = row.locator("canvas")
    panel.page.wait_for_function(f"canvas => ({painted})(canvas) === 255", arg=canvas.element_handle())
    panel.button(row, "More").click()
    panel.button(row, "More").click()
    panel.page.wait_for_function(f"canvas => ({painted})(canvas) === 255", arg=canvas.element_handle())

    row.get_by_role("button", name="Invert").click()
    panel.page.wait_for_function(
        "([field, digits]) => !field.value.includes(digits)", arg=[panel.stack_field.element_handle(), digits]
    )
    assert canvas.evaluate(painted) == 0
    panel.root.get_by_role("button", name="Undo (Ctrl+Z)").click()
    panel.page.wait_for_function(f"canvas => ({painted})(canvas) === 255", arg=canvas.element_handle())


def test_a_picture_of_three_colours_is_three_masks(panel: PanelPage, names: list[str]) -> None:
    """As Additional Networks had them: red is the first row's, green the second's, blue the third's."""
    row = opened(panel, names)
    row.get_by_role("combobox", name="Where").select_option("mask")
    picture = Image.new("RGB", (60, 20))
    for index, colour in enumerate(((255, 0, 0), (0, 255, 0), (0, 0, 255))):
        picture.paste(colour, (20 * index, 0, 20 * index + 20, 20))
    data = io.BytesIO()
    picture.save(data, "PNG")
    row.locator("input[type=file]").set_input_files(
        {"name": "rgb.png", "mimeType": "image/png", "buffer": data.getvalue()}
    )
    panel.root.locator(".ls-status").filter(has_text="three masks").wait_for()
    masks = json.loads(panel.text)["masks"]
    assert list(masks) == ["red", "green", "blue"]
    assert len(set(masks.values())) == 3
    assert panel.entries[0]["region"] == "mask:red"


def test_a_row_keeps_away_from_another_one_wherever_that_moves(panel: PanelPage, names: list[str]) -> None:
    row = opened(panel, names, 2)
    row.get_by_role("combobox", name="Where").select_option("not")
    assert panel.entries[1]["region"] == "not:1"
    panel.rows.nth(0).locator(".ls-handle").press("ArrowDown")
    assert panel.entries[0] == {"network": names[1], "region": "not:2"}
    target = panel.rows.nth(0).get_by_role("combobox", name="leaves alone")
    assert target.input_value() == "2"
    panel.button(panel.rows.nth(1), "Remove").click()
    assert panel.entries == [{"network": names[1], "region": "not:0"}]
    expect(target).to_have_value("0")


def test_passes_and_their_own_weights(panel: PanelPage, names: list[str]) -> None:
    row = opened(panel, names)
    for name in ("Refiner", "Detailer"):
        row.get_by_label(name, exact=True).uncheck()
    assert panel.entries[0]["passes"] == "base,hires"
    weight = row.get_by_role("textbox", name="“Hires fix”")
    weight.fill("0,5")
    weight.press("Tab")
    assert panel.entries[0]["passes"] == "base,hires:0.5"
    weight.fill("much")
    weight.press("Tab")
    assert "not a number" in row.get_by_role("alert").inner_text()
    assert panel.entries[0]["passes"] == "base,hires:0.5"
    row.get_by_label("Hires fix", exact=True).uncheck()
    row.get_by_label("First pass", exact=True).click()
    assert "switch it off" in row.get_by_role("alert").inner_text()
    assert row.get_by_label("First pass", exact=True).is_checked()
    assert panel.entries[0]["passes"] == "base"


def test_an_object_is_put_into_the_inpaint_mask_at_one_click(panel: PanelPage, names: list[str]) -> None:
    """Only where there is such a mask: not in txt2img."""
    panel.put_text(json.dumps([{"network": names[0], "role": "object"}]))
    panel.rows.first.wait_for()
    assert not panel.rows.first.locator(".ls-recipe").is_visible()


def test_a_curve_is_drawn_by_hand_and_by_keys(panel: PanelPage, names: list[str]) -> None:
    row = opened(panel, names)
    dots = row.get_by_role("slider", name="Point")
    assert dots.count() == 2
    plot = frame(row.locator(".ls-dots"))
    bottom = plot["y"] + plot["height"]
    drag(panel, (plot["x"], plot["y"]), (plot["x"], bottom + 4))
    assert panel.entries[0]["schedule"] == "0@0,1@1"
    assert dots.first.get_attribute("aria-valuenow") == "0"
    panel.page.mouse.dblclick(plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 4)
    factor, place = (float(part) for part in panel.entries[0]["schedule"].split(",")[1].split("@"))
    assert (factor, place) == (pytest.approx(0.75, abs=0.02), pytest.approx(0.5, abs=0.02))  # half a pixel
    curve = row.get_by_role("textbox", name="Curve of")
    curve.fill("0@0,0.75@0.5,1@1")
    curve.press("Tab")
    middle = dots.nth(1)
    for key in ("ArrowUp", "ArrowLeft"):
        middle.press(key)
    assert panel.entries[0]["schedule"] == "0@0,0.8@0.49,1@1"
    middle.press("Delete")
    assert panel.entries[0]["schedule"] == "0@0,1@1"
    assert dots.count() == 2
    text = row.get_by_role("textbox", name="Curve of")
    text.fill("1@1,0@8")
    text.press("Tab")
    assert dots.nth(1).get_attribute("aria-valuetext") == "×0 at step 8"
    dots.nth(1).press("ArrowRight")
    assert panel.entries[0]["schedule"] == "1@1,0@9"


def test_what_is_drawn_follows_the_host_s_size_and_steps(panel: PanelPage, names: list[str]) -> None:
    """They are changed while a row is open, and the row itself is not."""
    row = opened(panel, names)
    row.get_by_role("combobox", name="Where").select_option("mask")
    shape = "canvas => canvas.width / canvas.height"
    columns = "line => line.getAttribute('points').split(' ').length / 2"
    assert row.locator("canvas").evaluate(shape) == 1
    fields = {name: panel.page.locator(f"#txt2img_{name} input[type=number]") for name in ("width", "steps")}
    before = {name: field.input_value() for name, field in fields.items()}
    try:
        for name, value in (("width", "256"), ("steps", "7")):
            fields[name].fill(value)
            fields[name].press("Tab")
        row.locator(".ls-plot").hover()
        assert row.locator("canvas").evaluate(shape) == 2
        assert row.locator("polyline").evaluate(columns) == 7
    finally:
        for name, value in before.items():
            fields[name].fill(value)
            fields[name].press("Tab")


def test_a_row_on_half_a_page_says_how_it_is_aimed(panel: PanelPage, names: list[str]) -> None:
    panel.page.set_viewport_size({"width": 1280, "height": 900})
    try:
        row = {"network": names[0], "region": "box:0,0,0.5,1", "stop": "0.5", "blocks": "OUTD", "te": 0.2}
        panel.put_text(json.dumps([row]))
        notes = panel.rows.first.locator(".ls-aim")
        expect(notes).to_have_count(4)
        bottom = "note => note.closest('.ls-facts').getBoundingClientRect().bottom"
        for index in range(4):
            box = notes.nth(index).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= notes.nth(index).evaluate(bottom) + 1
    finally:
        panel.page.set_viewport_size(WIDE)
