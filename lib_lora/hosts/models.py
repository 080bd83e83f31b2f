"""Which way of keeping a model the host has: asked of the model itself, never of the host's name."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from lib_lora.engine.view import ModelView
from lib_lora.hosts import a1111, forge


def view_of_model(sd_model: Any, generation: int) -> ModelView:
    """Describe a loaded checkpoint to the engine; `generation` counts loads."""
    if forge.is_forge(sd_model):
        return forge.view_of_model(sd_model, generation)
    return a1111.view_of_model(sd_model, generation)


def model_key(sd_model: Any, generation: int) -> Hashable:
    """Return what tells a loaded checkpoint from any other: cheap enough to ask at every step."""
    if forge.is_forge(sd_model):
        return forge.model_key(sd_model, generation)
    return a1111.model_key(sd_model, generation)


def builtin_networks(sd_model: Any) -> Hashable:
    """Return what the host's own Lora wants now; other extensions may change it at every step."""
    if forge.is_forge(sd_model):
        return forge.builtin_networks(sd_model)
    return a1111.builtin_networks()
