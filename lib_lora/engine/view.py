"""The port to a model: what the engine needs to know of a host's checkpoint, and nothing of the host.

    view = build_view("sd1", key=("v1-5.safetensors", 1), unet=diffusion_model, clip_l=transformer)

`key` is the checkpoint's identity: a host changes it whenever weights may have changed behind the same
modules. `settle`, where given, is asked to finish whatever the host does lazily to a layer, before its
weight is read; true means that the host changes the weight anew at every call of the layer. A text encoder
may have Hugging Face's modules or OpenCLIP's; its layers are named alike.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import nn

from lib_lora.engine.sections import PLACES, Section, fused_section, is_fused, owner_of
from lib_lora.errors import ModelUnavailableError
from lib_lora.keys import find_architecture
from lib_lora.keys.openclip import canonical_path

Shape = tuple[int, ...]
Settle = Callable[[Any], "bool | None"]

LINEAR, CONV, GROUP_NORM, LAYER_NORM = "linear", "conv", "group_norm", "layer_norm"
EMBEDDING, ATTENTION, PARAMETER = "embedding", "attention", "parameter"
BESIDE = (LINEAR, CONV, ATTENTION)
"""Kinds whose change need not be merged beforehand."""

WRAPPED = ".wrapped"
"""What hosts append to a path where they put a module around an embedding."""
BARE_PARAMETERS = (("positional_embedding", False), ("text_projection", True))
"""OpenCLIP's parameters that no module holds, and whether they are stored as `[in, out]`."""


@dataclass(frozen=True)
class Layer:
    """One weight and what holds it: a module, or a section of one; kind is a constant of this file."""

    name: str
    kind: str
    module: Any

    @property
    def part(self) -> str:
        """The part of the model it belongs to."""
        return self.name.partition(".")[0]

    @property
    def owner(self) -> Any:
        """The module that computes with it."""
        return owner_of(self.module)


@dataclass(frozen=True)
class ModelView:
    """A loaded checkpoint: root modules by part and layers by canonical name."""

    architecture: str
    key: Hashable
    parts: Mapping[str, Any]
    layers: Mapping[str, Layer]
    settle: Settle | None = None

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """Shape of every layer's weight, by canonical name."""
        return {name: weight_shape(layer.module) for name, layer in self.layers.items()}

    def entry(self, part: str) -> Any:
        """Return the module whose call begins a run of that part.

        It is the root, but for OpenCLIP's, whose root hosts never call: they go through its modules.
        """
        root = self.parts[part]
        return root.token_embedding if _is_openclip(root) else root


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
        find = _openclip_layers if _is_openclip(root) else _layers
        for path, kind, module in find(root):
            name = f"{part}.{path.removesuffix(WRAPPED)}"
            layers[name] = Layer(name, kind, module)
    return ModelView(architecture, key, dict(parts), layers, settle)


def _layers(root: nn.Module) -> Iterator[tuple[str, str, Any]]:
    for path, module in root.named_modules():
        kind = layer_kind(module)
        if kind is not None:
            yield path, kind, module


def _openclip_layers(root: nn.Module) -> Iterator[tuple[str, str, Any]]:
    """Yield the layers of OpenCLIP's text encoder under the paths they have in Hugging Face's."""
    inside: set[Any] = set()
    for path, module in root.named_modules():
        canonical = canonical_path(path.removesuffix(WRAPPED))
        if canonical is None or module in inside:
            continue
        if is_fused(module):
            inside.add(module.out_proj)  # never called as a module
            for place in PLACES:
                yield f"{canonical}.{place}", ATTENTION, fused_section(module, place)
            continue
        kind = layer_kind(module)
        if kind is not None:
            yield canonical, kind, module
    for name, transposed in BARE_PARAMETERS:
        if root._parameters.get(name) is not None:
            canonical = canonical_path(name)
            assert canonical is not None
            yield canonical, PARAMETER, Section(root, root, name, transposed=transposed)


def _is_openclip(root: Any) -> bool:
    transformer = getattr(root, "transformer", None)
    return hasattr(transformer, "resblocks") and hasattr(root, "token_embedding")


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
    if hasattr(module, "num_embeddings"):
        return EMBEDDING
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
