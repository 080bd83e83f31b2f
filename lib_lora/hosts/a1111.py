"""AUTOMATIC1111: where its model keeps the UNet and the text encoder, and how to settle its own Lora."""

from __future__ import annotations

import sys
from collections.abc import Hashable
from typing import Any

from lib_lora.engine.view import ModelView, build_view
from lib_lora.errors import ModelUnavailableError


def view_of_model(sd_model: Any, generation: int) -> ModelView:
    """Describe a loaded checkpoint to the engine.

    `generation` counts loads: an in-place reload keeps every module and changes every weight.
    """
    root = getattr(getattr(sd_model, "model", None), "diffusion_model", None)
    if root is None:
        raise ModelUnavailableError(
            "No checkpoint is loaded. Choose one at the top of the page, then generate again."
        )
    if not getattr(sd_model, "is_sd1", False):
        raise ModelUnavailableError(
            "LoRA Stack works with Stable Diffusion 1 checkpoints in this version, and the loaded checkpoint "
            "is of another kind. Choose an SD 1 checkpoint, or switch the stack off."
        )
    if replaced_unet():
        raise ModelUnavailableError(
            "The WebUI uses a converted UNet (TensorRT, OpenVINO or Olive) that no LoRA can reach. Set "
            "'SD Unet' to 'None' in the settings, or switch the stack off."
        )
    key = model_key(sd_model, generation)
    transformer = sd_model.cond_stage_model.wrapped.transformer
    return build_view("sd1", key=key, unet=root, clip_l=transformer, settle=settle_builtin)


def model_key(sd_model: Any, generation: int) -> Hashable:
    """Return what tells a loaded checkpoint from any other: cheap enough to ask at every step."""
    root = getattr(getattr(sd_model, "model", None), "diffusion_model", None)
    info = getattr(sd_model, "sd_checkpoint_info", None)
    return id(sd_model), id(root), getattr(info, "filename", ""), generation


def builtin_networks() -> Hashable:
    """Return what the built-in Lora wants in the layers now; other extensions may change it at every step."""
    # Not imported here: without it nothing needs to be asked, and a failing import is slow.
    loaded = getattr(sys.modules.get("networks"), "loaded_networks", ())
    names = ("name", "te_multiplier", "unet_multiplier", "dyn_dim")
    return tuple(tuple(getattr(network, name, None) for name in names) for network in loaded)


def replaced_unet() -> bool:
    """Tell whether the host samples with something other than the checkpoint's own UNet."""
    try:
        from modules import sd_unet
    except ImportError:
        return False
    return getattr(sd_unet, "current_unet", None) is not None


def settle_builtin(module: Any) -> None:
    """Let the built-in Lora finish with a layer, so that its weight is what the built-in wants it to be.

    It restores lazily, inside the class forward that our instance forward stands in for: a weight read
    before that may still hold a LoRA which has left the prompt.
    """
    try:
        import networks
    except ImportError:
        return
    apply = getattr(networks, "network_apply_weights", None)
    if apply is not None and hasattr(module, "network_layer_name"):
        apply(module)
