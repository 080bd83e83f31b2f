"""Resizing, saving with the parameters inside, and reading them back."""

from __future__ import annotations

import datetime
from pathlib import Path

from modules import script_callbacks, shared
from PIL import Image
from PIL.PngImagePlugin import PngInfo

LANCZOS = Image.Resampling.LANCZOS
NEAREST = Image.Resampling.NEAREST
UPSCALERS = {"None": None, "Lanczos": LANCZOS, "Nearest": NEAREST}


def flatten(image: Image.Image, background: str = "#ffffff") -> Image.Image:
    """Without transparency."""
    if image.mode == "RGBA":
        canvas = Image.new("RGBA", image.size, background)
        canvas.paste(image, mask=image)
        image = canvas
    return image.convert("RGB")


def resize_image(resize_mode: int, image, width: int, height: int, upscaler_name: str | None = None):
    """0: stretch; 1: crop to fill; 2: fit inside and extend the edges."""
    method = UPSCALERS.get(upscaler_name or "Lanczos") or LANCZOS
    if image.mode == "L":
        method = LANCZOS
    if resize_mode == 0 or image.size == (width, height):
        return image.resize((width, height), method) if image.size != (width, height) else image
    ratio, wanted = image.width / image.height, width / height
    wide_side_rules = ratio < wanted if resize_mode == 1 else ratio > wanted
    scaled = (width, round(width / ratio)) if wide_side_rules else (round(height * ratio), height)
    inner = image.resize((max(scaled[0], 1), max(scaled[1], 1)), method)
    left, top = (width - inner.width) // 2, (height - inner.height) // 2
    result = Image.new(image.mode, (width, height))
    if resize_mode == 2:
        _extend_edges(result, inner, left, top)
    result.paste(inner, (left, top))
    return result


def _extend_edges(result, inner, left: int, top: int) -> None:
    """Fill the bars beside a fitted picture with its outermost rows or columns."""
    width, height = result.size
    if top > 0:
        result.paste(inner.crop((0, 0, inner.width, 1)).resize((width, top)), (0, 0))
        below = height - top - inner.height
        edge = inner.crop((0, inner.height - 1, inner.width, inner.height))
        result.paste(edge.resize((width, max(below, 1))), (0, top + inner.height))
    elif left > 0:
        result.paste(inner.crop((0, 0, 1, inner.height)).resize((left, height)), (0, 0))
        right = width - left - inner.width
        edge = inner.crop((inner.width - 1, 0, inner.width, inner.height))
        result.paste(edge.resize((max(right, 1), height)), (left + inner.width, 0))


def png_text(info: str | None) -> PngInfo:
    """The chunk that carries the parameters."""
    text = PngInfo()
    if info and shared.opts.enable_pnginfo:
        text.add_text("parameters", info)
    return text


def next_number(folder: Path) -> int:
    """One more than the highest number a file of the folder begins with."""
    numbers = [int(path.name[:5]) for path in folder.glob("[0-9][0-9][0-9][0-9][0-9]-*")]
    return max(numbers, default=-1) + 1


def save_image(image, path, basename, seed=None, prompt=None, extension="png", info=None, p=None, **_ignored):
    """Save as FOLDER/DATE/NUMBER-SEED.png; return (file name, None)."""
    folder = Path(path) / datetime.date.today().isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    filename = folder / f"{next_number(folder):05}-{seed}.{extension}"
    params = script_callbacks.ImageSaveParams(image, p, str(filename), {"parameters": info})
    script_callbacks.before_image_saved_callback(params)
    params.image.save(params.filename, pnginfo=png_text(params.pnginfo.get("parameters")))
    image.already_saved_as = params.filename
    script_callbacks.image_saved_callback(params)
    return params.filename, None


def read_info_from_image(image: Image.Image) -> tuple[str | None, dict]:
    """The parameters inside a picture, and its other texts."""
    items = {key: value for key, value in (image.info or {}).items() if isinstance(value, str)}
    return items.pop("parameters", None), items


def image_grid(images, batch_size: int = 1, rows: int | None = None):
    """Pictures side by side in a near-square grid."""
    count = len(images)
    rows = rows or max(1, round(count**0.5))
    columns = -(-count // rows)
    width, height = images[0].size
    grid = Image.new("RGB", (columns * width, rows * height), "black")
    for index, image in enumerate(images):
        grid.paste(image, (index % columns * width, index // columns * height))
    return grid
