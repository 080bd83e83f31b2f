"""Stable Diffusion 1.x: a UNet of four levels and the CLIP-L text encoder."""

from __future__ import annotations

from lib_lora.keys.architecture import Architecture
from lib_lora.keys.clip import TextEncoder
from lib_lora.keys.unet import UNetLayout

LAYOUT = UNetLayout(down=(1, 1, 1, 0), middle=1, up=(0, 1, 1, 1), widths=(320, 640, 1280, 1280), context=768)
TEXT_LAYERS = 12

SD1 = Architecture(
    name="sd1",
    label="SD 1.x",
    unet=LAYOUT,
    texts=(TextEncoder("clip_l", TEXT_LAYERS, width=768),),
    called=(("te", "clip_l"), ("te1", "clip_l"), ("clip_l", "clip_l")),
)
