"""AddNet's mask image: red, green and blue are where its first, second and third network act.

Counted are the networks that are used, not the slots; a channel that is black all over leaves its network in
the whole picture, and the networks after the third are there anyway. The page handed the image over as
numbers `[height, width, 3]`; over the API, where AddNet failed with it, base64 is read as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lib_lora.errors import MaskError
from lib_lora.library.masks import MaskPicture, from_base64, packed, read_channels
from lib_lora.stack import addnet, legacy
from lib_lora.stack.masks import Masks
from lib_lora.stack.region import MASK, Region
from lib_lora.stack.stack import Stack

NAMES = ("AddNet red", "AddNet green", "AddNet blue")


def read_stack(args: Sequence[Any], slots: int) -> Stack:
    """Return the rows of AddNet's arguments, with their masks as pictures; raises what is wrong with them."""
    entries = legacy.read_arguments(args, slots)
    image = legacy.mask_argument(args, slots)
    if image is None or not entries:
        return Stack(entries)
    try:
        channels = _channels(image)
    except MaskError as error:
        raise MaskError(f"{addnet.TITLE}: its mask image {error}") from None
    masks: Masks = ()
    aimed = list(entries)
    for index, (name, channel) in enumerate(zip(NAMES[: len(entries)], channels, strict=False)):
        if any(channel.pixels):
            aimed[index] = replace(entries[index], region=str(Region(MASK, name=name)))
            masks += ((name, packed(channel)),)
    return Stack(tuple(aimed), masks=masks)


def _channels(image: Any) -> tuple[MaskPicture, ...]:
    if isinstance(image, str):
        return read_channels(from_base64(image))
    if hasattr(image, "convert"):
        return read_channels(image)
    from PIL import Image

    try:
        return read_channels(Image.fromarray(image))
    except (TypeError, AttributeError, ValueError, KeyError):
        raise MaskError("is neither a picture nor base64. Send a PNG as base64.") from None
