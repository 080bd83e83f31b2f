"""The stand-in host inside the test's own process, with a probe extension that writes down what is called."""

from __future__ import annotations

import json
import socket
import sys
import types
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROMPT = "a girl, red hair, blue shirt, black trousers, in a forest"
STEPS = 3
HOST_MODULES = ("modules", "networks", "extra_networks_lora", "lora_patches")


@dataclass
class Log:
    """What the probe saw; `raising` names hooks that shall fail, `acting` gives hooks something to do."""

    events: list[str] = field(default_factory=list)
    raising: set[str] = field(default_factory=set)
    acting: dict[str, Callable[..., None]] = field(default_factory=dict)

    def note(self, name: str, *args: Any, **kwargs: Any) -> None:
        self.events.append(name)
        if name in self.acting:
            self.acting[name](*args, **kwargs)
        if name in self.raising:
            raise RuntimeError(f"probe fails in {name}")

    def reset(self) -> None:
        self.events.clear()
        self.raising.clear()
        self.acting.clear()


@dataclass(frozen=True)
class Host:
    """The running host: its address, and what was noted while it started."""

    url: str
    log: Log
    start_events: tuple[str, ...]

    def call(self, path: str, body: Any = None) -> tuple[int, Any]:
        """GET, or POST with a body: (status, JSON)."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def draw(self, kind: str = "txt2img", args: tuple = (0,), **fields: Any) -> Any:
        """Make pictures through the host's own path; returns its Processed."""
        from modules import processing, scripts, shared

        classes = {
            "txt2img": processing.StableDiffusionProcessingTxt2Img,
            "img2img": processing.StableDiffusionProcessingImg2Img,
        }
        given = {
            "prompt": PROMPT,
            "seed": 1,
            "steps": STEPS,
            "width": 64,
            "height": 64,
            "cfg_scale": 5.0,
            "sampler_name": "Euler",
            "do_not_save_samples": True,
            **fields,
        }
        runner = scripts.scripts_txt2img if kind == "txt2img" else scripts.scripts_img2img
        p = classes[kind](**given)
        shared.state.begin(job="test")
        try:
            with closing(p):
                p.scripts = runner
                p.script_args = tuple(args) + tuple(runner_defaults(runner))[len(args) :]
                return processing.process_images(p)
        finally:
            shared.state.end()


def runner_defaults(runner: Any) -> list[Any]:
    return [0] + [getattr(control, "value", None) for control in runner.inputs[1:]]


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def _forget_host() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in HOST_MODULES]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Start the host once, with a data folder of its own."""
    data = tmp_path_factory.mktemp("host")
    scripts = data / "extensions" / "probe" / "scripts"
    scripts.mkdir(parents=True)
    (scripts / "probe.py").write_text((Path(__file__).parent / "probe.py").read_text())
    log = Log()
    holder = types.ModuleType("probe_log")
    holder.log = log
    sys.modules["probe_log"] = holder
    _forget_host()
    path = sys.path[:]
    sys.path.insert(0, str(ROOT / "demo"))
    from app import boot, page

    boot.prepare(["--data-dir", str(data), "--no-browser"])
    from modules import shared

    blocks = page.build()
    shared.cmd_opts.port = _free_port()
    _, address = page.serve(blocks, shared.cmd_opts.port)
    start_events = tuple(log.events)
    if shared.sd_model is None:
        pytest.fail("the model of the demo did not load")
    log.reset()
    yield Host(address.rstrip("/"), log, start_events)
    shared.demo.close(verbose=False)
    boot.unload_extensions()
    sys.path[:] = path
    _forget_host()


@pytest.fixture(autouse=True)
def clean(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test starts with an empty log and empty caches of encoded prompts."""
    if "host" not in request.fixturenames:
        yield
        return
    host = request.getfixturevalue("host")
    from modules import processing, shared

    host.log.reset()
    for name in ("cached_c", "cached_uc"):
        setattr(processing.StableDiffusionProcessing, name, [None, None])
    for name in ("cached_hr_c", "cached_hr_uc"):
        setattr(processing.StableDiffusionProcessingTxt2Img, name, [None, None])
    before = dict(shared.opts.data)
    yield
    shared.opts.data.clear()
    shared.opts.data.update(before)
    host.log.reset()
