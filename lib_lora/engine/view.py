"""The port to a model: what the engine needs to know of a host's checkpoint, and nothing of the host.

    view = build_view("sd1", key=("v1-5.safetensors", 1), unet=diffusion_model, clip_l=transformer)

`key` is the checkpoint's identity: a host changes it whenever weights may have changed behind the same
modules. `settle`, where given, is asked to finish whatever the host does lazily to a layer, before its
weight is read.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from lib_lora.errors import ModelUnavailableError
from lib_lora.keys import find_architecture

Shape = tuple[int, ...]
Settle = Callable[[Any], None]

LINEAR, CONV, GROUP_NORM, LAYER_NORM = "linear", "conv", "group_norm", "layer_norm"


@dataclass(frozen=True)
class Layer:
    """One module that holds a weight; kind is one of the four constants of this file."""

    name: str
    kind: str
    module: Any

    @property
    def part(self) -> str:
        """The part of the model it belongs to."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class ModelView:
    """A loaded checkpoint: root modules by part and layers by canonical name."""

    architecture: str
    key: Hashable
    parts: Mapping[str, Any]
    layers: Mapping[str, Layer]
    settle: Settle | None = None

    @property
    def shapes(self) -> dict[str, Shape]:
        """Shape of every layer's weight, by canonical name."""
        return {name: weight_shape(layer.module) for name, layer in self.layers.items()}


def build_view(
    architecture: str, *, key: Hashable, settle: Settle | None = None, **parts: nn.Module
) -> ModelView:
    """Describe a model by its parts' root modules.

    Raises `ModelUnavailableError` where no LoRA could reach it.
    """
    known = find_architecture(architecture)
    layers: dict[str, Layer] = {}
    for part, root in parts.items():
        if part not in known.parts:
            raise ModelUnavailableError(f"{known.label} has no part '{part}', only {', '.join(known.parts)}.")
        if hasattr(root, "_orig_mod"):
            raise ModelUnavailableError(
                f"The {part} is compiled (torch.compile), so its layers cannot be exchanged. "
                "Switch compilation off in the WebUI's settings, or switch the stack off."
            )
        for path, module in root.named_modules():
            kind = layer_kind(module)
            if kind is not None:
                name = f"{part}.{path}"
                layers[name] = Layer(name, kind, module)
    return ModelView(architecture, key, dict(parts), layers, settle)


def layer_kind(module: Any) -> str | None:
    """Tell a layer by what it offers, because hosts bring classes of their own; None for everything else."""
    if not _has_weight(module):
        return None
    if hasattr(module, "_conv_forward"):
        return CONV
    if hasattr(module, "num_groups"):
        return GROUP_NORM
    if hasattr(module, "normalized_shape"):
        return LAYER_NORM
    if isinstance(module, nn.Linear) or type(module).__name__ == "Linear":
        return LINEAR
    return None


def _has_weight(module: Any) -> bool:
    """Look into the module's own tables first: asking a thousand modules for what they lack is slow."""
    own = vars(module)
    if own["_parameters"].get("weight") is not None or own.get("weight") is not None:
        return True
    return "parametrizations" in own["_modules"] and getattr(module, "weight", None) is not None


def weight_shape(module: Any) -> Shape:
    """Shape of a layer's weight as it computes with it; quantised weights are stored in another shape."""
    weight = module.weight
    state = getattr(weight, "quant_state", None)
    return tuple((weight if state is None else state).shape)
