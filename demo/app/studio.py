"""The host without a page, kept open: one picture after another from Python.

Whoever draws without a browser goes this way: `python -m demo generate`, the README's pictures, the tests.
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

from PIL import Image

TITLE = "LoRA Stack"
USUAL = {
    "seed": 1,
    "steps": 20,
    "width": 128,
    "height": 128,
    "cfg_scale": 5,
    "sampler_name": "Euler",
    "do_not_save_samples": True,
}


class ScriptMissing(Exception):
    """The extension is not there, so a stack could only be ignored."""


def request(**fields: Any) -> Any:
    """The host's request: img2img when there are `init_images`, txt2img otherwise."""
    from modules import processing

    kind = (
        processing.StableDiffusionProcessingImg2Img
        if fields.get("init_images")
        else processing.StableDiffusionProcessingTxt2Img
    )
    return kind(**{**USUAL, **fields})


class Studio:
    """A booted host. `argv` is the host's own command line."""

    def __init__(self, argv: list[str] | None = None) -> None:
        from app import boot

        boot.prepare(argv or [])
        boot.load_extensions()
        boot.script_runners()

    def run(self, p: Any, stack: str = "") -> Any:
        """Make the request's pictures with a stack's text; what the host answers.

        Raises ScriptMissing when there is a stack and nobody to apply it.
        """
        from modules import processing, scripts, shared

        runner = scripts.scripts_img2img if getattr(p, "init_images", None) else scripts.scripts_txt2img
        p.script_args = runner.prepare_without_ui({TITLE.lower(): [bool(stack), stack]})
        p.scripts = runner
        if stack and all(script.name != TITLE.lower() for script in runner.scripts):
            raise ScriptMissing(f'The script "{TITLE}" is not loaded, so the LoRAs cannot be applied.')
        shared.state.begin(job="studio")
        try:
            with closing(p):
                return processing.process_images(p)
        finally:
            shared.state.end()

    def draw(self, prompt: str, rows: dict[str, float] | None = None, **fields: Any) -> Image.Image:
        """The picture of a prompt with LoRAs by name and weight."""
        return self.draw_stack(
            prompt, [{"network": name, "weight": weight} for name, weight in (rows or {}).items()], **fields
        )

    def draw_stack(self, prompt: str, entries: list[dict[str, Any]], **fields: Any) -> Image.Image:
        """The picture of a prompt with whole rows."""
        text = json.dumps({"version": 1, "entries": entries}) if entries else ""
        return self.run(request(prompt=prompt, **fields), text).images[0]
