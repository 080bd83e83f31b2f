"""How a page looks, as far as a program can tell: languages, themes, axe-core, and what can be measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.server import Demo

# A function of the root and of the smallest target; returns the faults.
MEASURE = Path(__file__).with_name("measure.js").read_text(encoding="utf-8")
SERIOUS = ("serious", "critical")
JUDGE = """async (selector) => {
    const options = { resultTypes: ["violations"], preload: false, iframes: false };
    return (await axe.run(selector, options)).violations;
}"""


@contextmanager
def speaking(page: Page, demo: Demo, language: str) -> Iterator[None]:
    """Choose a language as the page itself keeps it, for the pages that are loaded meanwhile."""
    if not page.url.startswith(demo.address):
        page.goto(f"{demo.address}/nothing-here")  # any page of the same origin
    page.evaluate("language => localStorage.setItem('lora-stack-language', language)", language)
    try:
        yield
    finally:
        page.evaluate("localStorage.removeItem('lora-stack-language')")


def wear(page: Page, theme: str) -> None:
    """Make the open page light or dark, as both gradios do it."""
    page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")


def faults(page: Page, selector: str) -> list[str]:
    """Return what is seriously wrong below `selector`, each with the rule and the first elements."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate(JUDGE, selector)
    return [
        f"{fault['id']}: {node['target']} {node['html'][:160]} {node['failureSummary'][-160:]}"
        for fault in found
        if fault["impact"] in SERIOUS
        for node in fault["nodes"][:3]
    ]
