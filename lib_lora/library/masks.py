"""Pictures that say where rows act, each kept once under the hash of its content.

A kept mask is a grey PNG `<16 hex>.png`: white acts. The same picture has the same hash however it was
packed, so that an image made with it can be made again from its parameters and this folder.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import MaskError, NotWrittenError
from ..files.writing import write_atomically
from ..stack.masks import HASH_DIGITS, is_hash

PIXEL_LIMIT = 64 * 1024**2  # of one picture: more is no mask
BYTE_LIMIT = 64 * 1024**2
FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
OPAQUE = 255
_DATA_URL = re.compile(r"data:[\w/+.-]*;base64,", re.IGNORECASE)


@dataclass(frozen=True)
class MaskPicture:
    """Grey numbers row by row, one byte each, 255 where a row acts."""

    width: int
    height: int
    pixels: bytes

    @property
    def hash(self) -> str:
        """What the content is kept under."""
        digest = hashlib.sha256(f"{self.width}x{self.height}:".encode())
        digest.update(self.pixels)
        return digest.hexdigest()[:HASH_DIGITS]

    @property
    def share(self) -> float:
        """The part of the picture in which it acts, 0 to 1."""
        return sum(self.pixels) / (OPAQUE * len(self.pixels))


class MaskStore:
    """The folder of kept masks; made when the first one is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self._folder

    def keep(self, mask: MaskPicture) -> str:
        """Keep a mask and return its hash; raises MaskError where the folder cannot be written."""
        path = self._folder / f"{mask.hash}.png"
        if not os.path.isfile(path):  # noqa: PTH113  it never raises
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                write_atomically(path, lambda file: _as_image(mask).save(file, format="PNG"))
            except (OSError, NotWrittenError) as error:
                cause = error if isinstance(error, OSError) else error.__cause__
                raise MaskError(
                    f"cannot be kept in {self._folder}: {getattr(cause, 'strerror', cause)}. Make room, or "
                    "allow writing there."
                ) from error
        return mask.hash

    def path(self, digest: str) -> Path | None:
        """Return the file of a kept mask, None where there is none."""
        path = self._folder / f"{digest}.png"
        return path if is_hash(digest) and os.path.isfile(path) else None  # noqa: PTH113

    def open(self, digest: str) -> MaskPicture:
        """Read a kept mask; raises MaskError."""
        path = self.path(digest)
        if path is None:
            raise MaskError(
                f"is not in {self._folder}: its picture {digest[:40]}.png is missing. Copy it there from "
                "where the image was made, or draw the mask anew."
            )
        with suppress(OSError):
            return read_mask(path.read_bytes())
        raise MaskError(f"cannot be read from {path}. Allow reading it, or draw the mask anew.")

    def read(self, reference: str) -> MaskPicture:
        """Read what a stack says of a mask: a hash, or the picture itself in base64; raises MaskError."""
        return self.open(reference) if is_hash(reference) else read_mask(from_base64(reference))


def from_base64(text: str) -> bytes:
    """Return the bytes of a base64 text, with or without `data:image/png;base64,`; raises MaskError."""
    text = _DATA_URL.sub("", text.strip(), count=1)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MaskError(
            f"is neither {HASH_DIGITS} hex digits nor base64. Send a PNG as base64, with or without "
            "'data:image/png;base64,' before it."
        ) from None


def packed(mask: MaskPicture) -> str:
    """Return a mask as base64 of a grey PNG."""
    buffer = io.BytesIO()
    _as_image(mask).save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def read_mask(data: bytes) -> MaskPicture:
    """Read a picture as a mask: its transparency if it has any, else its brightness; raises MaskError."""
    image = open_picture(data)
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        if alpha.getextrema()[0] < OPAQUE:
            return _from_image(alpha)
    return _from_image(image)


def read_channels(picture: Any) -> tuple[MaskPicture, MaskPicture, MaskPicture]:
    """Return red, green and blue of a picture (bytes, or a PIL image) as three masks; raises MaskError."""
    image = open_picture(picture) if isinstance(picture, bytes) else picture
    red, green, blue = (_from_image(channel) for channel in image.convert("RGB").split())
    return red, green, blue


def open_picture(data: bytes) -> Any:
    """Decode a picture of a size that can be; raises MaskError."""
    from PIL import Image, UnidentifiedImageError

    if len(data) > BYTE_LIMIT:
        raise MaskError("is larger than any mask needs to be. Send a smaller picture.")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > PIXEL_LIMIT:
                raise MaskError(f"has {image.width} × {image.height} pixels, more than any picture here.")
            image.load()
            return image
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise MaskError(f"is not a picture that can be read. It must be one of {_listed(FORMATS)}.") from None


def _from_image(image: Any) -> MaskPicture:
    if image.mode.startswith("I"):  # 16 bits of grey, which `convert` would cut off at 255
        image = image.convert("I").point(lambda value: value * (1 / 257), "L")
    grey = image.convert("L")
    return MaskPicture(grey.width, grey.height, grey.tobytes())


def _as_image(mask: MaskPicture) -> Any:
    from PIL import Image

    return Image.frombytes("L", (mask.width, mask.height), mask.pixels)


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}"
