"""A program, not a test: draws docs/pictures/hosts.png, one file as several programs would apply it.

python -m tests.draw_hosts [--loras FOLDER] [--checkpoint FILE] [--out FILE]

The demo's model is changed by the rules of tests/host_rules.py; LoRA Stack draws its own column.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors.torch import load_file

from demo.pictures import FOLDER, ROOT, sheet
from demo.train.kinds import find_kind
from demo.world.concepts import CONCEPTS
from lib_lora.keys import resolve
from tests import host_rules as rules
from tests.adapters.drawn import Tensors
from tests.demo_model.kinds_run import Host

COLUMNS = ("without", "LoRA Stack", "A1111", "Forge", "ComfyUI", "SD.Next")
PROMPT = "a girl, light skin, red hair, blue shirt, black trousers, standing, in a meadow"
ROWS: tuple[tuple[str, str, float, tuple[rules.Rule | None, ...]], ...] = (
    (
        "DoRA + on outputs + at 1", "dora", 1.0,
        (rules.lengths_of_inputs, rules.lengths_before, rules.lengths_before, rules.lengths_then_scale),
    ),
    ("OFT + at 0.7", "oft", 0.7, (None, rules.nothing, rules.turn_fading_twice, rules.nothing)),
)  # fmt: skip
"""Label, kind, strength, and the rule of each of the last four columns; None: as LoRA Stack."""


def tensors_of(path: Path) -> dict[str, Tensors]:
    """The file's tensors by layer and role, in float64, lengths as LyCORIS writes them."""
    file = load_file(path)
    groups = resolve(file, "sd1").groups
    layers = {
        name: {role: file[key].double() for role, key in group.items()} for name, group in groups.items()
    }
    for tensors in layers.values():
        if "magnitude" in tensors:
            lengths = tensors.pop("magnitude").flatten()
            tensors["dora_scale"] = lengths.view(-1, *[1] * (tensors["lora_down"].ndim - 1))
            tensors["alpha"] = torch.tensor(float(len(tensors["lora_down"])))
    return layers


def changed(host: Host, layers: dict[str, Tensors], strength: float, rule: rules.Rule) -> Any:
    """Copies of the host's networks, changed by a rule."""
    parts = host.copies()
    for name, tensors in layers.items():
        part, _, layer = name.partition(".")
        module = (parts.unet if part == "unet" else parts.text).get_submodule(layer)
        weight = module.weight.detach().double()
        module.weight.data = (weight + rule(weight, tensors, strength)).float()
    return parts


def row_of(
    host: Host, loras: Path, name: str, strength: float, columns: tuple[rules.Rule | None, ...]
) -> list:
    """The pictures of one row."""
    prompt = f"{PROMPT}, {CONCEPTS[find_kind(name).concept].trigger}"
    layers = tensors_of(loras / "kinds" / f"{name}.safetensors")
    ours = host.draw({f"kinds/{name}": strength}, prompt)
    others = [
        ours if rule is None else host.draw_with(changed(host, layers, strength, rule), prompt)
        for rule in columns
    ]
    return [Image.fromarray(picture.astype("uint8")) for picture in (host.draw(None, prompt), ours, *others)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--loras", type=Path, default=ROOT / "demo" / "models" / "lora")
    parser.add_argument("--checkpoint", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=FOLDER / "hosts.png")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as data:
        host = Host(args.loras, args.checkpoint, Path(data), 128, 20)
        rows = [(label, row_of(host, args.loras, *rest)) for label, *rest in ROWS]
    sheet(rows, list(COLUMNS)).save(args.out, optimize=True)


if __name__ == "__main__":
    main()
