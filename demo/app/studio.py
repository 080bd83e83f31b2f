"""The host without a page, kept open: one picture after another from Python."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

from PIL import Image

TITLE = "LoRA Stack"


class Studio:
    """A booted host; `draw` goes the way every picture of the page goes."""

    def __init__(self, argv: tuple[str, ...] = ()) -> None:
        from app import boot

        boot.prepare(["--no-browser", *argv])
        boot.load_extensions()
        boot.script_runners()

    def draw(self, prompt: str, rows: dict[str, float] | None = None, **fields: Any) -> Image.Image:
        """Return the picture of a prompt with LoRAs by name and weight."""
        from modules import processing, scripts

        entries = [{"network": name, "weight": weight} for name, weight in (rows or {}).items()]
        p = processing.StableDiffusionProcessingTxt2Img(
            **{
                "prompt": prompt,
                "seed": 1,
                "steps": 20,
                "width": 128,
                "height": 128,
                "cfg_scale": 5,
                "sampler_name": "Euler",
                "do_not_save_samples": True,
                **fields,
            }
        )
        runner = scripts.scripts_txt2img
        with closing(p):
            p.scripts = runner
            text = json.dumps({"version": 1, "entries": entries})
            p.script_args = runner.prepare_without_ui({TITLE.lower(): [bool(entries), text]})
            return processing.process_images(p).images[0]
