"""Pictures that go into a request."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from tests.real.webui import SIZE

BOX = (40, 16, 96, 80)


def encoded(image: Image.Image) -> str:
    """A picture as the API takes it."""
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def picture_of(text: str) -> np.ndarray:
    """The grey values [h, w] of an encoded picture."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("L"))


def inpaint(only_masked: bool) -> dict[str, Any]:
    """What an inpainting request needs besides its picture."""
    mask = Image.new("L", (SIZE, SIZE), 0)
    mask.paste(255, BOX)
    return {
        "mask": encoded(mask),
        "mask_blur": 0,
        "inpainting_fill": 1,
        "inpaint_full_res": only_masked,
        "inpaint_full_res_padding": 16,
    }
