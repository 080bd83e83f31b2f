"""Pictures inside JSON."""

from __future__ import annotations

import base64
import binascii
import io

from fastapi import HTTPException
from modules import images
from PIL import Image, UnidentifiedImageError


def decode_base64_to_image(text: str) -> Image.Image:
    """A picture from base64, with or without `data:image/…;base64,`; addresses are not fetched."""
    if text.startswith("data:image/"):
        text = text.split(";", 1)[1].split(",", 1)[1]
    try:
        image = Image.open(io.BytesIO(base64.b64decode(text)))
        image.load()
    except (binascii.Error, ValueError, OSError, UnidentifiedImageError) as error:
        raise HTTPException(status_code=500, detail="Invalid encoded image") from error
    return image


def encode_pil_to_base64(image: Image.Image) -> str:
    """PNG with its parameters, as base64."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", pnginfo=images.png_text(image.info.get("parameters")))
    return base64.b64encode(buffer.getvalue()).decode("ascii")
