"""Rules for every test: no browser is never a quiet skip."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.chromium import find_chromium
from tests.integration.server import Server, serve

NO_BROWSER = (
    "BROWSER TESTS NOT RUN: no Chromium found. Install it (Debian: apt-get install chromium) or set CHROMIUM "
    "to its path; with REQUIRE_BROWSER=1 this is a failure."
)
LEFT_OUT = pytest.StashKey[int]()

# How fast an example runs is the machine's affair, and machines are shared.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running demo page in a process of its own."""
    yield from serve(tmp_path_factory.mktemp("data"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave browser tests out only where there is no browser, and say so at the end."""
    if find_chromium():
        return
    browser = [item for item in items if item.get_closest_marker("browser")]
    if browser and os.environ.get("REQUIRE_BROWSER"):
        raise pytest.UsageError(NO_BROWSER)
    if browser:
        config.stash[LEFT_OUT] = len(browser)
        config.hook.pytest_deselected(items=browser)
        items[:] = [item for item in items if item not in browser]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print in capitals what was left out."""
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"{NO_BROWSER} ({left_out} tests)", red=True, bold=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Do not call a run of only browser tests broken because there is no browser; the summary says it."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.stash.get(LEFT_OUT, 0):
        session.exitstatus = pytest.ExitCode.OK
