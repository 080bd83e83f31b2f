"""AUTOMATIC1111: where its model keeps the UNet and the text encoders, and how to settle its own Lora.

SD 1       cond_stage_model.wrapped.transformer          Hugging Face's CLIP-L
SD 2       cond_stage_model.wrapped.model                OpenCLIP-H
SDXL       conditioner.embedders, one of each            CLIP-L, OpenCLIP-G
refiner    the same with OpenCLIP-G alone
"""

from __future__ import annotations

import sys
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from lib_lora.errors import ModelUnavailableError

if TYPE_CHECKING:
    from lib_lora.engine.view import ModelView

KINDS = (("is_sdxl", "sdxl"), ("is_sd2", "sd2"), ("is_sd1", "sd1"))
OPENCLIP = (("sdxl", "clip_g"), ("sd2", "clip_h"))
"""Architecture and the name of the text encoder that has OpenCLIP's modules there."""


def view_of_model(sd_model: Any, generation: int) -> ModelView:
    """Describe a loaded checkpoint to the engine.

    `generation` counts loads: an in-place reload keeps every module and changes every weight.
    """
    from lib_lora.engine.view import build_view  # the settings page asks this file too, when a WebUI starts

    root = getattr(getattr(sd_model, "model", None), "diffusion_model", None)
    if root is None:
        raise ModelUnavailableError(
            "No checkpoint is loaded. Choose one at the top of the page, then generate again."
        )
    architecture = next((name for flag, name in KINDS if getattr(sd_model, flag, False)), "")
    texts = text_encoders(sd_model, architecture)
    if not architecture or not texts:
        raise ModelUnavailableError(
            "LoRA Stack works with checkpoints of Stable Diffusion 1 and 2, SDXL and its refiner, and the "
            "loaded checkpoint is of another kind. Choose one of these, or switch the stack off."
        )
    if architecture == "sdxl" and "clip_l" not in texts:
        architecture = "refiner"
    if replaced_unet():
        raise ModelUnavailableError(
            "The WebUI uses a converted UNet (TensorRT, OpenVINO or Olive) that no LoRA can reach. Set "
            "'SD Unet' to 'None' in the settings, or switch the stack off."
        )
    key = model_key(sd_model, generation)
    return build_view(architecture, key=key, unet=root, settle=settle_builtin, **texts)


def text_encoders(sd_model: Any, architecture: str) -> dict[str, Any]:
    """Return the roots of the text encoders by part; what is none, as SDXL's embedders of sizes, is left out.

    The host wraps each of them in an object of its own while it is loaded.
    """
    conditioner = getattr(sd_model, "conditioner", None)
    embedders = [sd_model.cond_stage_model] if conditioner is None else conditioner.embedders
    found: dict[str, Any] = {}
    for embedder in embedders:
        inner = getattr(embedder, "wrapped", embedder)
        transformer, openclip = getattr(inner, "transformer", None), getattr(inner, "model", None)
        if hasattr(transformer, "text_model"):
            found["clip_l"] = transformer
        elif hasattr(getattr(openclip, "transformer", None), "resblocks"):
            found[dict(OPENCLIP).get(architecture, "")] = openclip
    found.pop("", None)
    return found


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


def computes_beside() -> bool:
    """Tell whether the built-in Lora is in its old mode: in the class forward, beside the weight.

    Ours has to be computed beside it then: an instance forward with a weight of its own would leave it out.
    """
    if getattr(sys.modules.get("networks"), "network_forward", None) is None:
        return False
    from modules import shared

    return bool(shared.opts.data.get("lora_functional", False))


def settle_builtin(module: Any) -> None:
    """Let the built-in Lora finish with a layer, so that its weight is what the built-in wants it to be.

    It restores lazily, inside the class forward that our instance forward stands in for: a weight read
    before that may still hold a LoRA which has left the prompt. In its old mode it is not asked, because it
    would merge, and would not take it back once its own networks are gone.
    """
    networks: Any = sys.modules.get("networks")
    apply = getattr(networks, "network_apply_weights", None)
    if apply is None or not hasattr(module, "network_layer_name"):
        return
    if computes_beside() and not hasattr(module, "in_proj_weight"):  # fused attention is merged in both modes
        networks.network_restore_weights_from_backup(module)
        networks.network_reset_cached_weight(module)
        return
    apply(module)
