"""Puts the built-in Lora into the classes of layers, and takes it out again."""

from __future__ import annotations

import networks
import torch
from modules import shared


class LoraPatches:
    """`forward` and `_load_from_state_dict` of the layers that networks can change."""

    def __init__(self):
        self.originals = []
        for owner in (torch.nn.Linear, torch.nn.Conv2d):
            self._replace(owner, "forward", _forward)
            self._replace(owner, "_load_from_state_dict", _load_from_state_dict)

    def _replace(self, owner, name, make):
        original = getattr(owner, name)
        self.originals.append((owner, name, original, name in vars(owner)))
        setattr(owner, name, make(original))

    def undo(self):
        for owner, name, original, own in reversed(self.originals):
            if own:
                setattr(owner, name, original)
            else:
                delattr(owner, name)
        self.originals.clear()


def _forward(original):
    def forward(module, x):
        if shared.opts.data.get("lora_functional"):
            return networks.network_forward(module, x, original)
        networks.network_apply_weights(module)
        return original(module, x)

    return forward


def _load_from_state_dict(original):
    def load(module, *args, **kwargs):
        networks.network_reset_cached_weight(module)
        return original(module, *args, **kwargs)

    return load
