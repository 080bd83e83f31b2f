"""SDXL: a UNet of three levels with deep transformers, CLIP-L and OpenCLIP-G; and its refiner.

The refiner is a model of its own: four levels of other widths, and OpenCLIP-G alone.
"""

from __future__ import annotations

from lib_lora.keys.architecture import Architecture
from lib_lora.keys.clip import TextEncoder
from lib_lora.keys.unet import UNetLayout

LAYOUT = UNetLayout(
    down=(0, 2, 10),
    middle=10,
    up=(10, 2, 0),
    widths=(320, 640, 1280),
    context=2048,
    linear=True,
    label=2816,
)
REFINER_LAYOUT = UNetLayout(
    down=(0, 4, 4, 0),
    middle=4,
    up=(0, 4, 4, 0),
    widths=(384, 768, 1536, 1536),
    context=1280,
    linear=True,
    label=2560,
)
CLIP_G = TextEncoder("clip_g", layers=32, width=1280, split=False, projection=True)

SDXL = Architecture(
    name="sdxl",
    label="SDXL",
    unet=LAYOUT,
    texts=(TextEncoder("clip_l", layers=12, width=768), CLIP_G),
    called=(("te1", "clip_l"), ("clip_l", "clip_l"), ("te2", "clip_g"), ("clip_g", "clip_g")),
)
REFINER = Architecture(
    name="refiner",
    label="SDXL refiner",
    unet=REFINER_LAYOUT,
    texts=(CLIP_G,),
    called=(("te", "clip_g"), ("te2", "clip_g"), ("clip_g", "clip_g")),
)
