"""What ten thousand real files cost the page: `python -m tests.bench.page [FOLDER] [--count N]`, no test.

Starts the demo on both versions of gradio with a shelf of that many files, opens the picker in headless
Chromium, scrolls through all of it and types. Told are the time from a key to the frame with its results,
the elements drawn, and the memory of the page: JavaScript's heap after a collection and the private memory
of the browser's process for the page, with and without the picker.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.bench.shelf import COUNT, make_shelf
from tests.browser.panel_page import LONG_MS, PanelPage
from tests.browser.server import PYTHONS, serving
from tests.chromium import FLAGS, find_chromium

WORDS = ("neon", "robot", "portrait", "snow", "gothic summer")
TYPING_MS = 120  # between two keys of a quick typist
INDEX_MS = 600_000

# Resolves to milliseconds from a letter to the frame after the one that drew its results, and to the answer.
TYPED = """(field, letter) => new Promise((done) => {
    const words = field.value + letter;
    const ask = window.fetch;
    const start = performance.now();
    window.fetch = async (...request) => {
        const answer = await ask(...request);
        const address = new URL(request[0], location.href);
        if (address.pathname.endsWith("/networks") && address.searchParams.get("q") === words.trim()) {
            window.fetch = ask;
            const server = performance.now() - start;
            const shown = () => done([performance.now() - start, server]);
            requestAnimationFrame(() => requestAnimationFrame(shown));
        }
        return answer;
    };
    field.value = words;
    field.dispatchEvent(new Event("input", { bubbles: true }));
})"""


def empty_search(page: Page, files: int) -> Locator:
    """Take all words out of the search, and wait until all files are found again."""
    field = page.locator("dialog[open]").get_by_role("searchbox")
    field.fill("")
    page.locator(f'dialog[open] .ls-card[aria-setsize="{files}"]').first.wait_for(timeout=INDEX_MS)
    return field


def keys(page: Page, files: int) -> list[list[float]]:
    """Type every word letter by letter; of each letter milliseconds until shown, until answered, and of work.

    The last is what the page's thread has computed until the next letter: it counts beside other work, too.
    """
    times = []
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def worked() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return 1000 * float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    for word in WORDS:
        field = empty_search(page, files)
        page.wait_for_timeout(1000)  # the counts beside the filters come a little later
        for letter in word:
            if letter == " ":
                field.press_sequentially(letter)
                page.wait_for_timeout(TYPING_MS)
                continue
            before = worked()
            shown = field.evaluate(TYPED, letter)
            page.wait_for_timeout(TYPING_MS)
            times.append([*shown, worked() - before])
    session.detach()
    return times


def scroll(page: Page) -> int:
    """Go through all files; the most cards that were drawn at once."""
    grid = page.locator("dialog[open] .ls-grid")
    most = 0
    for part in range(101):
        grid.evaluate("(grid, part) => { grid.scrollTop = grid.scrollHeight * part / 100; }", part)
        page.wait_for_timeout(120)
        most = max(most, grid.locator(".ls-card").count())
    return most


def memory(browser: Browser, page: Page) -> dict[str, float]:
    """Megabytes of JavaScript's heap, and private ones of the largest page process where /proc tells."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"]
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    private = [_private(process["id"]) for process in processes if process["type"] == "renderer"]
    return {"heap": heap / 1e6, "process": max(private) / 1e6}


def _private(process: int) -> int:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


def measure(gradio: str, shelf: Path, browser: Browser) -> dict[str, Any]:
    """All figures of one version of gradio."""
    with (
        tempfile.TemporaryDirectory() as data,
        serving(gradio, Path(data), "--lora-stack-dir", str(shelf)) as demo,
    ):
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(LONG_MS)
        panel = PanelPage(page, demo.address)
        before = memory(browser, page)
        told = page.request.get(f"{demo.address}/lora-stack/networks?limit=1", timeout=INDEX_MS)
        files = told.json()["total"]
        panel.root.get_by_role("button", name="Browse").click()
        page.locator("dialog[open] .ls-card:not(.ls-waiting)").first.wait_for(timeout=INDEX_MS)
        times = keys(page, files)
        empty_search(page, files)
        most = scroll(page)
        after = memory(browser, page)
        page.close()
    shown, answered, worked = zip(*times, strict=True)
    return {
        "gradio": gradio,
        "files": files,
        "key to results on screen, median ms": statistics.median(shown),
        "key to results on screen, 95 of 100, ms": statistics.quantiles(shown, n=20)[-1],
        "of it until the server had answered, median ms": statistics.median(answered),
        "processor time of the page for a key, median ms": statistics.median(worked),
        "most cards at once": most,
        "heap, MB": after["heap"],
        "heap before the picker, MB": before["heap"],
        "process, MB": after["process"],
        "process before the picker, MB": before["process"],
    }


def main() -> None:
    """Measure and print one JSON object for each version of gradio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="a shelf that is there already")
    parser.add_argument("--count", type=int, default=COUNT)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, sync_playwright() as play:
        shelf = options.folder or make_shelf(Path(place), options.count)
        browser = play.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        for gradio in PYTHONS:
            told = measure(gradio, shelf, browser)
            print(
                json.dumps(
                    {name: round(v, 1) if isinstance(v, float) else v for name, v in told.items()}, indent=1
                )
            )
        browser.close()


if __name__ == "__main__":
    main()
