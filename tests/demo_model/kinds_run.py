"""A program, not a test: files of every kind in a demo host, and merged there by their own libraries.

python -m tests.demo_model.kinds_run LORAS [--checkpoint FILE] [--random | --judge] [--size N] [--steps N]

Prints one JSON object. LORAS/kinds holds NAME.safetensors; with --random they are written first, full of
chance. With --judge the distance to each file's concept is told by weight.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from demo.kinds_pictures import see_kind
from demo.train.kinds import KINDS, Kind

DEMO = Path(__file__).resolve().parents[2] / "demo"
PROMPT = "a girl, red hair, blue shirt, in a meadow"
SPREAD = {"loha": 0.15, "lokr": 0.15, "glora": 0.08, "oft": 0.1, "ia3": 0.2, "dora": 0.08}


def fill(kind: Kind, change: Any) -> None:
    """Chance in place of training: enough to be seen, and other numbers in every layer."""
    torch.manual_seed(41)
    with torch.no_grad():
        for number in change.trained().values():
            number += SPREAD[kind.name] * torch.randn_like(number)


class Host:
    """A demo host in this process, its model, and copies of the model for the libraries to merge into."""

    def __init__(self, loras: Path, checkpoint: Path | None, data: Path, size: int, steps: int) -> None:
        sys.path.insert(0, str(DEMO))
        from app.studio import Studio

        chosen = ["--checkpoint", str(checkpoint)] if checkpoint else []
        self.studio = Studio(["--lora-dir", str(loras), "--data-dir", str(data), *chosen])
        from modules import sd_models, shared

        sd_models.load_model()
        self.unet = shared.sd_model.model.diffusion_model
        self.text = shared.sd_model.cond_stage_model.wrapped.transformer
        self.fields = {"width": size, "height": size, "steps": steps}

    def copies(self) -> Any:
        """The two networks a trainer's library works on."""
        return SimpleNamespace(unet=copy.deepcopy(self.unet), text=copy.deepcopy(self.text))

    def draw(self, rows: dict[str, float] | None = None, prompt: str = PROMPT) -> np.ndarray:
        return np.asarray(self.studio.draw(prompt, rows, seed=5, **self.fields).convert("RGB"), np.float32)

    def draw_with(self, parts: Any, prompt: str = PROMPT) -> np.ndarray:
        """The picture without any row, by other weights; the host's own come back afterwards."""
        kept = [copy.deepcopy(module.state_dict()) for module in (self.unet, self.text)]
        try:
            self._take(parts.unet.state_dict(), parts.text.state_dict())
            return self.draw(None, prompt)
        finally:
            self._take(*kept)

    def _take(self, unet: dict[str, torch.Tensor], text: dict[str, torch.Tensor]) -> None:
        from modules import processing

        self.unet.load_state_dict(unet)
        self.text.load_state_dict(text)
        processing.StableDiffusionProcessing.cached_c = [None, None]
        processing.StableDiffusionProcessing.cached_uc = [None, None]


def merged(host: Host, kind: Kind, path: Path) -> Any:
    """The library's own merge of the file; PEFT rounds at every step, so it merges in 64 bits."""
    parts = host.copies()
    if kind.title.endswith("PEFT"):
        parts.unet.double()
    change = kind.make(parts)
    change.read(path)
    change.merge()
    return parts


def weights(host: Host, parts: Any, path: Path) -> dict[str, Any]:
    """Our new weights against the library's, layer by layer, relative to the largest number."""
    from lib_lora.network import open_network

    network, worst = open_network(path, "sd1"), 0.0
    for name, adapter in network.adapters.items():
        part, _, layer = name.partition(".")
        own, theirs = (
            (p.unet if part == "unet" else p.text).get_submodule(layer).weight.detach() for p in (host, parts)
        )
        ours = own + adapter.delta(own)
        worst = max(worst, float((ours - theirs).abs().max() / theirs.abs().max()))
    families = sorted({type(adapter).__name__ for adapter in network.adapters.values()})
    return {
        "layers": len(network.adapters),
        "unmatched": list(network.unmatched),
        "families": families,
        "weight_error": worst,
    }


def look(host: Host, folder: Path, judged: bool) -> dict[str, Any]:
    """What there is to tell about every kind."""
    told: dict[str, Any] = {}
    plain = host.draw()
    for kind in KINDS:
        path = folder / f"{kind.name}.safetensors"
        ours, parts = host.draw({f"kinds/{kind.name}": 1.0}), merged(host, kind, path)
        theirs = host.draw_with(parts)
        told[kind.name] = {
            **weights(host, parts, path),
            "picture_error": float(np.abs(ours - theirs).mean()),
            "effect": float(np.abs(ours - plain).mean()),
            "distances": see_kind(host.studio, kind, **host.fields).distances if judged else {},
        }
    told["plain_again"] = float(np.abs(host.draw() - plain).max())
    return told


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("loras", type=Path)
    parser.add_argument("--checkpoint", type=Path, default=None)
    parser.add_argument("--random", action="store_true")
    parser.add_argument("--judge", action="store_true")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=4)
    args = parser.parse_args()
    torch.set_num_threads(1)
    folder = args.loras / "kinds"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        host = Host(args.loras, args.checkpoint, Path(data), args.size, args.steps)
        for kind in KINDS if args.random else ():
            change = kind.make(host.copies())
            fill(kind, change)
            change.write(folder / f"{kind.name}.safetensors", {})
        print(json.dumps(look(host, folder, args.judge)))


if __name__ == "__main__":
    main()
