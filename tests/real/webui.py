"""A running WebUI, spoken to over HTTP as any API caller would."""

from __future__ import annotations

import base64
import io
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

LIMIT = 600  # seconds for one answer; a busy machine without a graphics card may need them
SIZE = 128
STEPS = 6

OURS = {"lora_stack_takeover": True, "lora_stack_mode": "Automatic"}
"""Settings of ours as they are at first: Forge takes them over its API and lists none that an extension adds
after its ControlNet, which is loaded by name and before us."""

PROMPT = "a girl, red hair, blue shirt, in a meadow"
NEGATIVE = "dark"


@dataclass(frozen=True)
class Answer:
    """Status and body of an answer."""

    status: int
    body: Any

    @property
    def info(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body["info"])
        return found

    @property
    def infotext(self) -> str:
        """The parameters written into the first picture."""
        return str(self.info["infotexts"][0])

    @property
    def pictures(self) -> list[np.ndarray]:
        """All pictures as float arrays [h, w, 3] of 0 to 255."""
        assert self.status == 200, self.body
        return [
            np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"), np.float32)
            for text in self.body["images"]
        ]

    @property
    def error(self) -> str:
        """What a refused request said."""
        return json.dumps(self.body)


@dataclass(frozen=True)
class WebUI:
    """One host; kind is a1111 or forge."""

    url: str
    kind: str
    _plain: dict[str, list[np.ndarray]] = field(default_factory=dict, compare=False)

    def call(self, path: str, body: Any = None) -> Answer:
        """GET, or POST with a body; an empty answer reads as None."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "X-LoRA-Stack": "1"}
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT) as response:
                return Answer(response.status, json.loads(response.read() or b"null"))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.loads(error.read() or b"null"))

    def draw(self, stack: Any = None, route: str = "txt2img", enabled: Any = True, **request: Any) -> Answer:
        """Ask for one small picture, with a stack or without."""
        body: dict[str, Any] = {
            "prompt": PROMPT,
            "negative_prompt": NEGATIVE,
            "steps": STEPS,
            "seed": 5,
            "width": SIZE,
            "height": SIZE,
            "cfg_scale": 5,
            "sampler_name": "Euler",
            **request,
        }
        if self.kind == "forge" and body.get("enable_hr"):
            # Left out, the request fails in the host; its own default leaves the negative prompt out.
            body = {"hr_additional_modules": [], "hr_cfg": body["cfg_scale"], **body}
        if stack is not None:
            body.setdefault("alwayson_scripts", {})["LoRA Stack"] = {"args": [enabled, stack]}
        if self.kind == "forge" and body.get("mask"):
            self._seed_again(body)
        return self.call(f"/sdapi/v1/{route}", body)

    def _seed_again(self, body: Mapping[str, Any]) -> None:
        """Put Forge's random numbers where they were before each other such request.

        It encodes the picture to be inpainted with numbers of PyTorch's own generator, and inpainting takes
        more of them at every step: without any extension, the same request gives another picture after an
        inpainting one than after one made from words alone, by up to 3 of 255.
        """
        words = {"seed": body["seed"], "steps": 1, "width": 64, "height": 64, "sampler_name": "Euler"}
        assert self.call("/sdapi/v1/txt2img", words).status == 200

    def plain(self, **request: Any) -> list[np.ndarray]:
        """Pictures without a stack, drawn when first asked for: the same ones must come again ever after."""
        key = json.dumps(request, sort_keys=True)
        if key not in self._plain:
            self._plain[key] = self.draw(**request).pictures
        return self._plain[key]

    def options(self) -> dict[str, Any]:
        found: dict[str, Any] = self.call("/sdapi/v1/options").body
        return found

    @contextmanager
    def settings(self, **changed: Any) -> Iterator[None]:
        """Change ours, and those the host lists, for a while; others it does not know are left alone."""
        before = {**OURS, **self.options()}
        changed = {key: value for key, value in changed.items() if key in before}
        self.set(**changed)
        try:
            yield
        finally:
            self.set(**{key: before[key] for key in changed})

    def set(self, **settings: Any) -> None:
        if settings:
            answer = self.call("/sdapi/v1/options", settings)
            assert answer.status == 200, answer.body

    def checkpoint(self) -> Path:
        """The file of the loaded checkpoint."""
        asked = self.options()["sd_model_checkpoint"]
        models = self.call("/sdapi/v1/sd-models").body
        if asked is None:  # nothing is loaded yet
            return Path(models[0]["filename"])
        for model in models:
            file = Path(model["filename"])
            if asked in (model["title"], model["title"].split(" [")[0], model["model_name"], file.name):
                return file
        raise AssertionError(f"the WebUI has {asked} loaded and does not list it")

    def lora_folder(self) -> str:
        """Where the WebUI keeps its LoRA files."""
        return str(self.call("/sdapi/v1/cmd-flags").body["lora_dir"])


def stack(*rows: tuple[str, float] | dict[str, Any]) -> dict[str, Any]:
    """A stack of this suite's own files, by their names."""
    entries = [dict(row) if isinstance(row, dict) else {"network": row[0], "weight": row[1]} for row in rows]
    for entry in entries:
        if entry["network"].startswith("real_"):
            entry["network"] = f"real-suite/{entry['network']}"
    return {"version": 1, "entries": entries}


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Mean absolute difference of two pictures, of 255."""
    assert one.shape == other.shape
    return float(np.abs(one - other).mean())
