"""Stable Diffusion 1.x: a UNet of four levels and the CLIP-L text encoder."""

from __future__ import annotations

from lib_lora.keys.architecture import Architecture
from lib_lora.keys.clip import clip_aliases, clip_modules
from lib_lora.keys.spellings import flat
from lib_lora.keys.unet import UNetLayout, attention_aliases, unet_modules

LAYOUT = UNetLayout(down=(1, 1, 1, 0), middle=1, up=(0, 1, 1, 1))
TEXT_LAYERS = 12


def _paths() -> dict[str, str]:
    """Every flattened path a file may use for a module, and the canonical name it means."""
    table: dict[str, str] = {}
    for diffusers_path, ldm_path in unet_modules(LAYOUT):
        canonical = f"unet.{ldm_path}"
        for path in (diffusers_path, ldm_path):
            table[flat(path)] = canonical
            for alias in attention_aliases(path):
                table[flat(alias)] = canonical
    for path in clip_modules(TEXT_LAYERS):
        canonical = f"clip_l.{path}"
        table[flat(path)] = canonical
        for alias in clip_aliases(path):
            table[flat(alias)] = canonical
    return table


SD1 = Architecture("sd1", "SD 1.x", ("unet", "clip_l"), _paths)
