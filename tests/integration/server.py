"""A demo host in a process of its own, spoken to over HTTP as any API caller would."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.integration import bad_files

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT = 180  # seconds; machines that run tests may be busy


@dataclass(frozen=True)
class Answer:
    """What the API said: status and body, and the pictures' pixels where there are any."""

    status: int
    body: dict[str, Any]

    @property
    def pixels(self) -> tuple[str, ...]:
        """One sha256 per picture."""
        images = [Image.open(io.BytesIO(base64.b64decode(text))) for text in self.body["images"]]
        return tuple(hashlib.sha256(image.tobytes()).hexdigest() for image in images)

    @property
    def info(self) -> dict[str, Any]:
        return json.loads(self.body["info"])


@dataclass(frozen=True)
class Server:
    """A running demo page."""

    url: str

    def call(self, path: str, body: Any = None) -> Answer:
        """GET, or POST with a body."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return Answer(response.status, json.loads(response.read()))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.loads(error.read()))

    def draw(self, stack: Any = None, enabled: bool = True, route: str = "txt2img", **request: Any) -> Answer:
        """Ask for one small picture, with a stack or without."""
        body = {
            "prompt": "a girl, red hair, blue shirt, in a meadow",
            "steps": 4,
            "seed": 5,
            "width": 128,
            "height": 128,
            "sampler_name": "Euler",
            **request,
        }
        if stack is not None:
            body["alwayson_scripts"] = {"LoRA Stack": {"args": [enabled, stack]}}
        return self.call(f"/sdapi/v1/{route}", body)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(data: Path, as_forge: bool = False) -> Iterator[Server]:
    """Yield a page with the demo's files and a folder of bad ones; `data` is an empty folder for its own.

    as_forge: it rounds noise levels to the model's own, and reads and inpaints pictures as Forge does.
    """
    bad_files.write_all(data / "loras" / "bad")
    if as_forge:
        scripts = data / "extensions" / "as-forge" / "scripts"
        scripts.mkdir(parents=True)
        shutil.copy(Path(__file__).with_name("as_forge.py"), scripts)
    port = _free_port()
    command = [sys.executable, "-m", "demo", "--port", str(port), "--data-dir", str(data), "--no-browser"]
    command += ["--lora-stack-dir", str(data / "loras")]
    log = (data / "server.log").open("wb")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    with log, subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment) as process:
        try:
            found = Server(f"http://127.0.0.1:{port}")
            _wait(found, process, data / "server.log")
            if as_forge:
                assert found.call("/sdapi/v1/options", {"enable_quantization": True}).status == 200
            yield found
        finally:
            process.terminate()
            process.wait(30)


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if server.call("/lora-stack/advice").status == 200:
                return
        except (urllib.error.URLError, ConnectionError, json.JSONDecodeError):
            time.sleep(0.5)
    pytest.fail("the demo did not start:\n" + log.read_text(errors="replace")[-4000:])
