"""A finger on the panel: what is meant for the page moves nothing in the stack."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import CDPSession

from tests.browser.conftest import WIDE, Demo
from tests.browser.panel_page import PanelPage

pytestmark = pytest.mark.browser

PHONE = {"width": 400, "height": 850}
FRAME_MS = 16


@pytest.fixture
def finger(panel: PanelPage) -> Iterator[CDPSession]:
    """The page on a phone."""
    session = panel.page.context.new_cdp_session(panel.page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    panel.page.set_viewport_size(PHONE)
    yield session
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    session.detach()
    panel.page.set_viewport_size(WIDE)


def draw(panel: PanelPage, finger: CDPSession, start: tuple[float, float], by: tuple[float, float]) -> None:
    """Put a finger down, move it in twenty frames, and lift it."""
    (x, y), (across, down) = start, by
    for frame in range(21):
        point = {"x": x + across * frame / 20, "y": y + down * frame / 20}
        kind = "touchMove" if frame else "touchStart"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        panel.page.wait_for_timeout(FRAME_MS)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_scrolling_past_a_slider_leaves_its_weight(panel: PanelPage, demo: Demo, finger: CDPSession) -> None:
    rows = [{"network": file["label"], "weight": 0.7} for file in demo.networks()[:3]]
    panel.put_text(json.dumps({"version": 1, "entries": rows}))
    slider = panel.rows.nth(2).locator(".ls-range").first
    slider.evaluate("slider => slider.scrollIntoView({ block: 'center' })")
    box = slider.bounding_box()
    assert box is not None
    left, middle = box["x"] + 40, box["y"] + box["height"] / 2
    before = panel.page.evaluate("scrollY")

    draw(panel, finger, (left, middle), (6, -240))
    panel.page.wait_for_function("before => scrollY > before + 100", arg=before)
    assert slider.input_value() == "0.7"
    assert panel.entries == rows

    slider.evaluate("slider => slider.scrollIntoView({ block: 'center' })")
    box = slider.bounding_box()
    assert box is not None
    draw(panel, finger, (left, box["y"] + box["height"] / 2), (60, 0))
    assert panel.entries[2]["weight"] == float(slider.input_value()) != 0.7
