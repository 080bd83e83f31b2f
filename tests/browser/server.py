"""The demo page in a process of its own, on either gradio: for tests, measurements and the tour."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = {"4.40.0": ROOT / ".venv/bin/python", "3.41.2": ROOT / ".venv-gradio3/bin/python"}
START_S = 480  # on a machine that has other work


@dataclass(frozen=True)
class Demo:
    """A running demo page; `data` is its own folder, the log of the server in it."""

    address: str
    gradio: str
    data: Path

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.address}/{path}", timeout=10) as answer:
            return json.load(answer)

    def networks(self) -> list[dict[str, Any]]:
        """The LoRAs one can use, the demo's own."""
        return [file for file in self.ask("lora-stack/networks?limit=500")["items"] if not file["problem"]]


@contextmanager
def serving(gradio: str, data: Path, *flags: str) -> Iterator[Demo]:
    """Start `python -m demo` with `data` as its folder, wait until it answers, and end it afterwards."""
    python = PYTHONS[gradio]
    assert python.exists(), f"{python} is missing. `make test` sets it up."
    port = _free_port()
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "GRADIO_ANALYTICS_ENABLED": "False"}
    with (data / "log.txt").open("w+") as log:
        command = [
            str(python),
            "-m",
            "demo",
            "--port",
            str(port),
            "--data-dir",
            str(data),
            "--no-browser",
            *flags,
        ]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            demo = Demo(f"http://127.0.0.1:{port}", gradio, data)
            _wait(demo, server, Path(log.name))
            yield demo
        finally:
            server.terminate()
            server.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(demo: Demo, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the page and our routes answer; fail with what the server said."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        assert server.poll() is None, f"The demo ended at once:\n{log.read_text()[-3000:]}"
        try:
            demo.ask("lora-stack/advice")
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise AssertionError(f"The demo did not answer within {START_S} s:\n{log.read_text()[-3000:]}")
