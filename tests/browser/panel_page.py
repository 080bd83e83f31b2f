"""The demo page as a person uses it: find the panel, move what is on it, look at the picture."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

from PIL import Image
from playwright.sync_api import Locator, Page, expect

SHORT_MS = 20_000  # an answer of the page on a machine that has other work
LONG_MS = 90_000  # one picture on a busy machine, the model still loading


class PanelPage:
    """One tab of the page, with its panel open. `trouble` collects what the browser complained about."""

    def __init__(
        self,
        page: Page,
        address: str,
        tab: str = "txt2img",
        query: str = "",
        keep: bool = False,
        patience: int = 1,
    ) -> None:
        """Load the page; with `keep` the browser tab remembers the stack, as it does for a person.

        patience: how many times the usual time everything may take.
        """
        self.page, self.tab = page, tab
        self.short_ms, self.long_ms = SHORT_MS * patience, LONG_MS * patience
        if not keep and page.url.startswith("http"):
            # the page that is left may still be saving: it must not after this
            page.evaluate(
                """() => {
                    sessionStorage.clear();
                    localStorage.removeItem("lora-stack-browser");
                    Storage.prototype.setItem = () => {};
                }"""
            )
        self.trouble: list[str] = []
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.goto(f"{address}/{query}", wait_until="commit", timeout=self.long_ms)
        self.root = page.locator(f".lora-stack-{tab}")
        self.accordion = page.locator(f"#script_{tab}_lora_stack_panel")
        self.root.wait_for(state="attached", timeout=self.long_ms)
        if tab != "txt2img":
            page.locator("#tabs > .tab-nav button", has_text=tab).click()
        self.rows = self.root.locator(".ls-row")
        self.search = self.root.locator("input[role=combobox]")
        self.open()

    def open(self) -> None:
        """Open the accordion where it is closed."""
        if not self.search.is_visible():
            self.accordion.locator(".label-wrap").first.click()
            self.search.wait_for(timeout=self.short_ms)

    @property
    def stack_field(self) -> Locator:
        return self.page.locator(f"#script_{self.tab}_lora_stack_stack textarea")

    @property
    def text(self) -> str:
        """The stack text as it would be sent."""
        return self.stack_field.input_value()

    @property
    def entries(self) -> list[dict[str, Any]]:
        return json.loads(self.text)["entries"] if self.text else []

    def put_text(self, text: str) -> None:
        """Change the hidden field from outside, as another script would."""
        self.stack_field.evaluate(
            """(field, text) => {
                field.value = text;
                field.dispatchEvent(new Event("input", { bubbles: true }));
            }""",
            text,
        )

    def empty(self) -> None:
        """Take away what an earlier test left: rows, search words, the paste box, the prompt."""
        self.open()
        self.put_text("")
        self.page.wait_for_function(
            "root => root.querySelectorAll('.ls-row').length === 0", arg=self.root.element_handle()
        )
        self.search.fill("")
        self.search.press("Escape")
        if self.root.locator(".ls-paste").is_visible():
            self.root.get_by_role("button", name="Cancel").click()
        self.page.locator(f"#{self.tab}_prompt textarea").fill("")

    @property
    def enabled(self) -> bool:
        return self.page.locator(f"#script_{self.tab}_lora_stack_panel-checkbox input").is_checked()

    def switch(self, on: bool) -> None:
        """Use the check box in the accordion's title."""
        box = self.page.locator(f"#script_{self.tab}_lora_stack_panel-visible-checkbox")
        expect(box).to_be_checked(checked=self.enabled)  # it follows an added row a little later
        box.set_checked(on)
        self.open()

    def add(self, words: str) -> Locator:
        """Search for a LoRA and add the first that is found; returns its row."""
        before = self.rows.count()
        self.search.click()
        self.search.fill(words)
        self.root.locator('[role=option][aria-selected="true"]').wait_for(timeout=self.short_ms)
        self.search.press("Enter")
        self.rows.nth(before).wait_for(timeout=self.short_ms)
        return self.rows.nth(before)

    def slide(self, row: Locator, weight: float) -> None:
        """Drag the slider of a row with the mouse to about `weight`."""
        slider = row.locator(".ls-range").first
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        assert box is not None
        thumb, low, high = 16, -1.0, 2.0
        span = box["width"] - thumb

        def at(value: float) -> float:
            return box["x"] + thumb / 2 + span * (value - low) / (high - low)

        height = box["y"] + box["height"] / 2
        self.page.mouse.move(at(float(slider.input_value())), height)
        self.page.mouse.down()
        self.page.mouse.move(at(weight), height, steps=8)
        self.page.mouse.up()

    def type_weight(self, row: Locator, text: str) -> None:
        number = row.locator(".ls-number").first
        number.fill(text)
        number.press("Enter")

    def button(self, row: Locator, name: str) -> Locator:
        return row.locator(".ls-line").get_by_role("button", name=name)

    def prepare(self, prompt: str, seed: int, steps: int) -> None:
        """Fill in the host's own fields."""
        self.page.locator(f"#{self.tab}_prompt textarea").fill(prompt)
        for name, value in (("seed", seed), ("steps", steps)):
            field = self.page.locator(f"#{self.tab}_{name} input[type=number]")
            field.fill(str(value))
            field.press("Tab")

    def generate(self) -> Image.Image:
        """Press Generate and return the picture that the page then shows, as the server sends it."""
        before = self._shown()
        self._mark_log()
        self.page.locator(f"#{self.tab}_generate").click()
        self.page.wait_for_function(
            """([tab, before]) => {
                const image = document.querySelector(`#${tab}_gallery img`);
                const error = document.querySelector(`#html_log_${tab} .error:not(.seen)`);
                return error !== null || (image !== null && image.src !== before);
            }""",
            arg=[self.tab, before],
            timeout=self.long_ms,
        )
        assert not self.failure(), self.failure()
        answer = self.page.request.get(self._shown())
        image = Image.open(io.BytesIO(answer.body()))
        image.load()
        return image

    def generate_and_fail(self) -> str:
        """Press Generate and return the error the host shows."""
        self._mark_log()
        self.page.locator(f"#{self.tab}_generate").click()
        self.page.locator(f"#html_log_{self.tab} .error:not(.seen)").wait_for(timeout=self.long_ms)
        return self.failure()

    def failure(self) -> str:
        """The error of the last run, or nothing."""
        error = self.page.locator(f"#html_log_{self.tab} .error:not(.seen)")
        return error.first.inner_text() if error.count() else ""

    def _mark_log(self) -> None:
        """Tell an error that already stands there from the next one."""
        log = self.page.locator(f"#html_log_{self.tab}").first
        log.evaluate("log => log.querySelectorAll('.error').forEach(error => error.classList.add('seen'))")

    def report(self) -> str:
        """The line under the rows, once it tells of the newest picture."""
        self.root.locator(".ls-report:not(.ls-stale)").wait_for(timeout=self.short_ms)
        return self.root.locator(".ls-report-line").inner_text()

    def _shown(self) -> str:
        image = self.page.locator(f"#{self.tab}_gallery img")
        return image.first.evaluate("image => image.src") if image.count() else ""


def pixels(image: Image.Image) -> str:
    """A digest of what one sees; metadata and file names play no part."""
    picture = image.convert("RGB")
    return hashlib.sha256(repr(picture.size).encode() + picture.tobytes()).hexdigest()
