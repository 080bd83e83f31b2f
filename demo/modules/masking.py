"""The part of a picture an inpaint mask covers."""

from __future__ import annotations

from PIL import Image, ImageFilter


def get_crop_region(mask, pad: int = 0):
    """Box (x1, y1, x2, y2) around the white of a mask, with padding; None for an empty mask."""
    mask = mask if isinstance(mask, Image.Image) else Image.fromarray(mask)
    box = mask.getbbox()
    if box is None:
        return None
    x1, y1, x2, y2 = box
    return (
        max(x1 - pad, 0),
        max(y1 - pad, 0),
        min(x2 + pad, mask.width),
        min(y2 + pad, mask.height),
    )


def expand_crop_region(crop_region, processing_width, processing_height, image_width, image_height):
    """Widen a box to the shape of the picture that will be sampled, inside the image."""
    x1, y1, x2, y2 = crop_region
    wanted = processing_width / processing_height
    if (x2 - x1) / (y2 - y1) > wanted:
        y1, y2 = _grow(y1, y2, round((x2 - x1) / wanted), image_height)
    else:
        x1, x2 = _grow(x1, x2, round((y2 - y1) * wanted), image_width)
    return x1, y1, x2, y2


def _grow(low: int, high: int, length: int, limit: int) -> tuple[int, int]:
    length = min(max(length, high - low), limit)
    low -= (length - (high - low)) // 2
    low = min(max(low, 0), limit - length)
    return low, low + length


def fill(image, mask):
    """Replace what the mask covers by the blurred colours around it."""
    result = Image.new("RGBA", image.size)
    kept = Image.new("RGBa", image.size)
    kept.paste(image.convert("RGBA").convert("RGBa"), mask=mask.convert("L").point(lambda value: 255 - value))
    kept = kept.convert("RGBa")
    for radius, repeats in ((256, 1), (64, 1), (16, 2), (4, 4), (2, 2), (0, 1)):
        blurred = kept.filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")
        for _ in range(repeats):
            result.alpha_composite(blurred)
    return result.convert("RGB")
