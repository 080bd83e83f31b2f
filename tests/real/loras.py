"""LoRA files with seeded random weights that fit the WebUI's SD 1, SD 2 or SDXL checkpoint, in kohya's names.

The shapes are read from the checkpoint's own file, so that small ones serve as well as full-size ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from tests.real.names import HUGGING_FACE, TEXTS, UNET, layers

Tensors = dict[str, Tensor]
RANK = 4
STRENGTH = 0.35
"""Standard deviation of a change, relative to that of a fresh layer's weight."""

_LINEAR = re.compile(
    r"(proj_in|proj_out|to_[qkv]|to_out\.0|ff\.net\.0\.proj|ff\.net\.2|[qkv]_proj|out_proj|fc[12])$"
)
_INNER = re.compile(r"(to_k|to_v|ff\.net\.2|[kv]_proj|fc2)$")
_CONV = re.compile(r"\.(in_layers\.2|out_layers\.3|op|conv)$")
_NORM = re.compile(r"(in_layers\.0|out_layers\.0)$")


@dataclass(frozen=True)
class Draw:
    """A source of random numbers and the weight that is to be changed."""

    chance: torch.Generator
    base: Tensor

    @property
    def fan_in(self) -> int:
        return self.base[0].numel()

    def normal(self, *shape: int, std: float = 1.0) -> Tensor:
        return torch.randn(*shape, generator=self.chance) * std


def _lora(draw: Draw) -> Tensors:
    rows, columns, *kernel = draw.base.shape
    ones = [1] * len(kernel)
    return {
        "lora_down.weight": draw.normal(RANK, columns, *kernel, std=draw.fan_in**-0.5),
        "lora_up.weight": draw.normal(rows, RANK, *ones, std=STRENGTH),
        "alpha": torch.tensor(RANK / 2),
    }


def _loha(draw: Draw) -> Tensors:
    rows, columns = draw.base.shape[0], draw.fan_in
    return {
        "hada_w1_a": draw.normal(rows, RANK),
        "hada_w1_b": draw.normal(RANK, columns, std=STRENGTH),
        "hada_w2_a": draw.normal(rows, RANK, std=0.5),
        "hada_w2_b": draw.normal(RANK, columns, std=columns**-0.5),
        "alpha": torch.tensor(RANK / 2),
    }


def _lokr(draw: Draw) -> Tensors:
    rows, columns = draw.base.shape[0], draw.fan_in
    return {
        "lokr_w1": draw.normal(4, 4),
        "lokr_w2": draw.normal(rows // 4, columns // 4, std=STRENGTH * columns**-0.5),
        "alpha": torch.tensor(1.0),
    }


def _full(draw: Draw) -> Tensors:
    return {"diff": draw.normal(*draw.base.shape, std=STRENGTH * draw.fan_in**-0.5)}


def _ia3(draw: Draw) -> Tensors:
    return {"weight": draw.normal(1, draw.base.shape[0], std=0.2), "on_input": torch.tensor(False)}


def _norm(draw: Draw) -> Tensors:
    size = draw.base.shape[0]
    return {"w_norm": draw.normal(size, std=0.3), "b_norm": draw.normal(size, std=0.3)}


def _dora(draw: Draw) -> Tensors:
    """Lengths of the columns, as the trainers of this layout write them."""
    found = _lora(draw)
    delta = found["lora_up.weight"].flatten(1) @ found["lora_down.weight"].flatten(1) / 2
    lengths = (draw.base.flatten(1) + delta).norm(dim=0) * (1 + draw.normal(draw.fan_in, std=0.1))
    return {**found, "dora_scale": lengths.view(1, *draw.base.shape[1:])}


@dataclass(frozen=True)
class Family:
    """One file: which layers (by checkpoint path) and how each is changed."""

    make: Callable[[Draw], Tensors]
    layers: re.Pattern[str] = _LINEAR
    parts: tuple[str, ...] = (UNET, *TEXTS)


FILES: Mapping[str, Family] = {
    "real_lora": Family(_lora),
    "real_second": Family(_lora),
    "real_unet": Family(_lora, parts=(UNET,)),
    "real_te": Family(_lora, parts=TEXTS),
    "real_locon": Family(_lora, _CONV, (UNET,)),
    "real_loha": Family(_loha),
    "real_lokr": Family(_lokr),
    "real_full": Family(_full),
    # The built-in passes over a fused attention of which not all four parts are changed: left out.
    "real_ia3": Family(_ia3, _INNER, (UNET, *HUGGING_FACE)),
    "real_norm": Family(_norm, _NORM, (UNET,)),
    "real_dora": Family(_dora),
}


def make(name: str, checkpoint: Path) -> Tensors:
    """Draw one file's tensors; the same name and checkpoint give the same ones."""
    family = FILES[name]
    chance = torch.Generator().manual_seed(list(FILES).index(name))
    tensors: Tensors = {}
    with safe_open(checkpoint, "pt") as file:
        keys = sorted(file.keys())
        sdxl = any(key.startswith("conditioner.") for key in keys)
        for key in keys:
            if not key.startswith(family.parts):
                continue
            for layer in layers(key, file.get_tensor(key).float(), sdxl):
                if family.layers.search(layer.path):
                    for suffix, tensor in family.make(Draw(chance, layer.weight)).items():
                        tensors[f"{layer.name}.{suffix}"] = tensor.half().contiguous()
    assert tensors, f"{checkpoint} is no checkpoint of SD 1, SD 2 or SDXL"
    return tensors


def write_all(checkpoint: Path, folder: Path) -> None:
    """Write every file of this suite; one that is there already stays, so that nothing is hashed anew."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        path = folder / f"{name}.safetensors"
        data = save(make(name, checkpoint), {"ss_network_module": "networks.lora"})
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)
