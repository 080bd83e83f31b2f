"""Requests for pictures and how they are made, under the WebUI's one name."""

from modules.processed import Processed, create_infotext
from modules.processing_base import StableDiffusionProcessing
from modules.processing_img2img import StableDiffusionProcessingImg2Img, create_binary_mask
from modules.processing_run import (
    apply_overlay,
    fix_seed,
    get_fixed_seed,
    process_images,
    process_images_inner,
)
from modules.processing_txt2img import StableDiffusionProcessingTxt2Img

opt_C = 4
opt_f = 8

__all__ = [
    "Processed",
    "StableDiffusionProcessing",
    "StableDiffusionProcessingImg2Img",
    "StableDiffusionProcessingTxt2Img",
    "apply_overlay",
    "create_binary_mask",
    "create_infotext",
    "fix_seed",
    "get_fixed_seed",
    "process_images",
    "process_images_inner",
]
