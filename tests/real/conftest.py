"""The black-box suite for a real WebUI that is already running with this extension installed.

    pytest tests/real --webui http://127.0.0.1:7860 [--kind a1111|forge] [--lora-dir DIR]

It needs the API (`--api`), an SD 1, SD 2 or SDXL checkpoint of any size whose file can be read from here,
and writes its own small LoRA files into the folder `real-suite` below `--lora-dir` (else the folder the
WebUI names).
Without `--webui` nothing of it runs, and the summary says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.compare import tag
from tests.real.loras import write_all
from tests.real.webui import PROMPT, WebUI

NOT_RUN = "tests/real NOT RUN: no WebUI was given (pytest tests/real --webui URL)"
LEFT_OUT = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("real", "a running WebUI")
    group.addoption("--webui", help="address of the WebUI, http://127.0.0.1:7860")
    group.addoption("--kind", default="a1111", choices=("a1111", "forge"), help="what kind of WebUI it is")
    group.addoption("--lora-dir", help="the WebUI's LoRA folder, where it cannot be asked")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave everything here out where no WebUI is given."""
    if config.getoption("--webui", None):
        return
    here = Path(__file__).parent
    ours = [item for item in items if here in item.path.parents]
    if ours:
        config.stash[LEFT_OUT] = len(ours)
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"{NOT_RUN} ({left_out} tests)")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run of nothing else is not a broken one; the summary says what it is."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.stash.get(LEFT_OUT, 0):
        session.exitstatus = pytest.ExitCode.OK


@pytest.fixture(scope="session")
def host(pytestconfig: pytest.Config) -> Iterator[WebUI]:
    """The WebUI with our files in its folder, its settings put back afterwards."""
    found = WebUI(pytestconfig.getoption("--webui").rstrip("/"), pytestconfig.getoption("--kind"))
    folder = Path(pytestconfig.getoption("--lora-dir") or found.lora_folder()) / "real-suite"
    write_all(found.checkpoint(), folder)
    found.call("/sdapi/v1/refresh-loras", {})
    found.call("/lora-stack/refresh", {})
    with found.settings(lora_stack_takeover=False, sd_checkpoints_limit=1):
        told = found.draw(prompt=PROMPT + tag(("real_lora", 0.8))).info["extra_generation_params"]
        assert "LoRA Stack report" not in told, "tags are ours: our engine would be compared with itself"
        yield found
