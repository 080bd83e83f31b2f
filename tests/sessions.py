"""What the tests of a session share: three files for the toy, plans of them, and how to compare pictures."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from lib_lora.engine.view import ModelView
from lib_lora.network import Network, NetworkCache
from lib_lora.plan import Plan, make_plan
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack
from tests.builders import (
    TOY_LAYERS,
    ToyModel,
    make_lora_file,
)

NAMES = ("a", "b", "c")
MODES = ("merged", "bypass", "auto")
Output = tuple[Tensor, Tensor]


def open_networks(folder: Path) -> dict[str, Network]:
    """Three files for the toy; the last changes its first convolution and text encoder only."""
    some = {name: size for name, size in TOY_LAYERS.items() if "mid_block" not in name}
    opened = {}
    for seed, name in enumerate(NAMES):
        path = folder / f"{name}.safetensors"
        make_lora_file(path, some if name == "c" else TOY_LAYERS, rank=2 + seed, seed=seed)
        opened[name] = NetworkCache().open(path, "sd1")
    return opened


def plan_of(networks: dict[str, Network], view: ModelView, **weights: float) -> Plan:
    entries = tuple(Entry(name, weight=weight) for name, weight in weights.items())
    return make_plan(Stack(entries), [networks[name] for name in weights], view)


def same(one: Output, other: Output) -> bool:
    return all(torch.equal(ours, theirs) for ours, theirs in zip(one, other, strict=True))


def distance(one: Output, other: Output) -> float:
    return max(float((ours - theirs).abs().max()) for ours, theirs in zip(one, other, strict=True))


def is_untouched(model: ToyModel) -> bool:
    modules = [module for root in (model.unet, model.clip_l) for module in root.modules()]
    return not any("forward" in vars(module) or module._forward_pre_hooks for module in modules)
