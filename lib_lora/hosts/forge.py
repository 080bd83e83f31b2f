"""The Forge family (Forge, reForge, Forge Classic): one model behind `forge_objects`, told by that alone.

Its text encoders have Hugging Face's modules, its Linear is a class of its own, and its patchers load and
merge late: the weights are in place when the root of the UNet or of a text encoder is called, which is when
ours are merged. All clones of a patcher share the modules, so that what is attached serves each of them.
Built-in LoRAs put new parameters into the modules, which the engine sees. Weights that reForge leaves in main
memory, where a card's is short, are changed at every call instead, and so are Forge's of 8 bits.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from lib_lora.engine.view import ModelView, build_view
from lib_lora.errors import ModelUnavailableError

TEXT_PARTS = ("clip_l", "clip_g", "clip_h")
AT_CALLS = (
    "weight_function",
    "bias_function",
    "weight_lowvram_function",
    "bias_lowvram_function",
    "forge_online_loras",
)
"""Attributes in which a module keeps what its host does to its weight at every call: reForge the first two,
newer modules of ComfyUI, on which Forge Neo stands, the next, and Forge the last."""
SCALE = "scale_weight"
"""By which Forge multiplies a weight that came in 8 bits with a scale, whatever it stores it in."""
KINDS = (("is_sd1", "sd1"), ("is_sd2", "sd2"), ("is_sdxl", "sdxl"))


def is_forge(sd_model: Any) -> bool:
    """Tell whether a loaded model is kept the way this family keeps them."""
    return getattr(sd_model, "forge_objects", None) is not None


def view_of_model(sd_model: Any, generation: int) -> ModelView:
    """Describe a loaded checkpoint to the engine; `generation` counts loads."""
    encoders = sd_model.forge_objects.clip.cond_stage_model
    texts = {
        name: encoder.transformer
        for name in TEXT_PARTS
        if (encoder := getattr(encoders, name, None)) is not None
    }
    architecture = next((name for flag, name in KINDS if getattr(sd_model, flag, False)), None)
    if architecture is None:
        raise ModelUnavailableError(
            "LoRA Stack works with checkpoints of Stable Diffusion 1 and 2, SDXL and its refiner, and the "
            "loaded checkpoint is of another kind. Choose one of these, or switch the stack off."
        )
    if architecture == "sdxl" and "clip_l" not in texts:
        architecture = "refiner"
    key = model_key(sd_model, generation)
    return build_view(architecture, key=key, unet=_unet(sd_model), settle=changes_at_calls, **texts)


def changes_at_calls(module: Any) -> bool:
    """Tell whether the host changes a layer's weight anew at every call: by a LoRA of its own, or a scale."""
    own = vars(module)
    scaled = own.get("_parameters", {}).get(SCALE) is not None
    return scaled or any(own.get(name) for name in AT_CALLS)


def model_key(sd_model: Any, generation: int) -> Hashable:
    """Return what tells a loaded checkpoint from any other: cheap enough to ask at every step."""
    info = getattr(sd_model, "sd_checkpoint_info", None)
    return id(sd_model), id(_unet(sd_model)), getattr(info, "filename", ""), generation


def builtin_networks(sd_model: Any) -> Hashable:
    """Return what the built-in Lora has asked of the patchers; it changes when a pass brings other tags."""
    return str(getattr(sd_model, "current_lora_hash", ""))


def _unet(sd_model: Any) -> Any:
    return sd_model.forge_objects.unet.model.diffusion_model
