"""Puts the built-in Lora into the classes of layers, and takes it out again."""

from __future__ import annotations

import networks
import torch


class LoraPatches:
    """`forward` and `_load_from_state_dict` of the layers that networks can change."""

    def __init__(self):
        self.originals = []
        for owner in (torch.nn.Linear, torch.nn.Conv2d):
            self._replace(owner, "forward", networks.network_apply_weights)
            self._replace(owner, "_load_from_state_dict", networks.network_reset_cached_weight)

    def _replace(self, owner, name, before):
        original = getattr(owner, name)
        self.originals.append((owner, name, original, name in vars(owner)))

        def patched(module, *args, **kwargs):
            before(module)
            return original(module, *args, **kwargs)

        setattr(owner, name, patched)

    def undo(self):
        for owner, name, original, own in reversed(self.originals):
            if own:
                setattr(owner, name, original)
            else:
                delattr(owner, name)
        self.originals.clear()
