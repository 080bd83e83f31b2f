"""Stable Diffusion 2.x: SD 1's UNet with wider text and linear projections, and OpenCLIP-H."""

from __future__ import annotations

from dataclasses import replace

from lib_lora.keys.architecture import Architecture
from lib_lora.keys.clip import TextEncoder
from lib_lora.keys.sd1 import LAYOUT as SD1_LAYOUT

LAYOUT = replace(SD1_LAYOUT, context=1024, linear=True)

SD2 = Architecture(
    name="sd2",
    label="SD 2.x",
    unet=LAYOUT,
    texts=(TextEncoder("clip_h", layers=24, width=1024, split=False),),
    called=(("te", "clip_h"), ("te1", "clip_h"), ("clip_h", "clip_h")),
)
