"""Where the rows' regions are in the pass being drawn: the host's masks and sizes become the engine's masks.

The inpaint mask is the one with which the host itself holds the latent (`nmask`): resized, blurred, inverted
and cropped as it does these. Boxes and drawings are over the whole picture; where only a part of it is drawn
(only masked, a face, a second pass that is cut), they show that part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from lib_lora.engine.masks import WHOLE, Mask, Picture, Rest, box_mask, drawn_mask
from lib_lora.errors import EntryValueError, MaskError
from lib_lora.library.masks import OPAQUE, MaskPicture
from lib_lora.stack.entry import Entry, row_title
from lib_lora.stack.passes import DETAILER, HIRES
from lib_lora.stack.region import BOX, INPAINT, NOT, Region

SHAPE_TOLERANCE = 0.05
"""How much the proportions of a mask may differ from the picture's: sizes are rounded to eights."""
PIECEWISE = ("sd_upscale.py", "outpainting_mk_2.py", "poor_mans_outpainting.py")
"""Scripts of the WebUI that cut the picture up and hand over each piece as a picture."""
LATENT = 8  # pixels in one number of a latent


class Places:
    """The masks of one pass of one processing object."""

    def __init__(self, p: Any, pass_name: str, drawings: Mapping[str, MaskPicture]) -> None:
        self._p, self._pass, self._drawings = p, pass_name, drawings
        self._picture = picture_of(p, pass_name)

    def masks(self, entries: Sequence[Entry], regions: Sequence[Region | None]) -> dict[Region, Mask]:
        """Return a mask for the region of every row that is on; errors name the row."""
        found: dict[Region, Mask] = {}
        for index, (entry, region) in enumerate(zip(entries, regions, strict=True)):
            if entry.on and region is not None:
                try:
                    if counting := counts_attentions(self._p):
                        raise EntryValueError(
                            f"region {region}: {counting} counts how often words are attended to, and for a "
                            f"region that is done once more. Switch {counting} off, or clear the region."
                        )
                    found[region] = self._mask(region, regions)
                except (EntryValueError, MaskError) as error:
                    raise type(error)(f"{row_title(index, entry.network)}: {error}") from None
        return found

    def _mask(self, region: Region, regions: Sequence[Region | None]) -> Mask:
        if region.kind == NOT:
            other = regions[region.row - 1]
            assert other is not None
            return Rest(self._mask(other, regions))
        if region.kind == INPAINT:
            return self._inpaint(region)
        if script := script_in_pieces(self._p):
            raise EntryValueError(
                f"region {region} is a part of the whole picture, and '{script}' draws pieces of it one by "
                "one. Clear the region, or draw without that script."
            )
        if region.kind == BOX:
            return box_mask(region.box, self._picture, region.feather)
        drawing = self._drawings[region.name]
        self._check_shape(region.name, drawing)
        values = torch.frombuffer(bytearray(drawing.pixels), dtype=torch.uint8).to(torch.float32) / OPAQUE
        shaped = values.reshape(drawing.height, drawing.width)
        return drawn_mask(drawing.hash, shaped, self._picture, region.feather)

    def _inpaint(self, region: Region) -> Mask:
        inside = getattr(self._p, "nmask", None)
        if inside is None:
            where = {HIRES: "The hires pass", DETAILER: "This pass"}.get(self._pass, "This picture")
            raise EntryValueError(
                f"region is inpaint. {where} is not inpainted, so there is no mask to act in. Paint one in "
                "img2img (Inpaint), or clear the region, or choose other passes for the row."
            )
        values = inside.detach().to("cpu", torch.float32)
        values = values.reshape(-1, *values.shape[-2:])[0].contiguous()
        digest = hashlib.sha256(values.numpy().tobytes()).hexdigest()
        height, width = values.shape
        return drawn_mask(
            ("inpaint", digest, height), values, Picture(width * LATENT, height * LATENT), region.feather
        )

    def _check_shape(self, name: str, drawing: MaskPicture) -> None:
        picture = self._picture
        wanted, given = picture.width / picture.height, drawing.width / drawing.height
        if abs(given / wanted - 1) > SHAPE_TOLERANCE:
            raise MaskError(
                f"mask '{name}' has {drawing.width} × {drawing.height} pixels, and the picture "
                f"{picture.width} × {picture.height}, another shape. Draw it on a picture of this shape."
            )


def counts_attentions(p: Any) -> str:
    """Return the extension in use that tells prompt and negative prompt apart by counting attentions.

    Counting twice what is computed twice, it would take one for the other. Regional Prompter does not count
    where it draws each region apart, but for regions found by words.
    """
    told = getattr(p, "extra_generation_params", {})
    apart = str(told.get("RP Calc Mode", "")).startswith("La") and "Pro" not in str(
        told.get("RP Divide mode")
    )
    if told.get("RP Active") and not apart:
        return "Regional Prompter"
    return "NegPiP" if told.get("NegPiP Active") else ""


def script_in_pieces(p: Any) -> str:
    """Return the title of the chosen script if it draws pieces as pictures of their own, empty if not."""
    args = getattr(p, "script_args", None) or (0,)
    listed = getattr(getattr(p, "scripts", None), "selectable_scripts", ())
    chosen = args[0] if isinstance(args[0], int) else 0
    if not 1 <= chosen <= len(listed):
        return ""
    script = listed[chosen - 1]
    return str(script.title()) if Path(getattr(script, "filename", "")).name in PIECEWISE else ""


def picture_of(p: Any, pass_name: str) -> Picture:
    """Return the whole picture's size and the window of it that a pass draws."""
    # Left over where one object draws several pictures and the mask of this one is empty: drawn whole then.
    crop = getattr(p, "paste_to", None) if getattr(p, "inpaint_full_res", True) else None
    images: Iterable[Any] = getattr(p, "init_images", None) or ()
    size = getattr(next(iter(images), None), "size", None)
    if crop is not None and size is not None:
        (width, height), (x, y, w, h) = size, crop
        return Picture(width, height, (x / width, y / height, (x + w) / width, (y + h) / height))
    return Picture(int(p.width), int(p.height), _hires_window(p) if pass_name == HIRES else WHOLE)


def _hires_window(p: Any) -> tuple[float, float, float, float]:
    """Return what is left of the first picture where the second pass has another shape and cuts it."""
    cut = tuple(int(getattr(p, name, 0) or 0) * LATENT for name in ("truncate_x", "truncate_y"))
    size = tuple(int(getattr(p, name, 0) or 0) for name in ("hr_upscale_to_x", "hr_upscale_to_y"))
    if not any(cut) or not all(size):
        return WHOLE
    left, top = (width // LATENT // 2 * LATENT / whole for width, whole in zip(cut, size, strict=True))
    right, bottom = (1 - width / whole for width, whole in zip(cut, size, strict=True))
    return left, top, left + right, top + bottom
