"""Preview pictures, made small once and kept. A picture is what its bytes say, whatever its name is."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from ..errors import FileError
from ..files.disk import open_regular
from ..files.header import read_metadata
from ..files.previews import inside, type_of
from ..files.writing import write_atomically
from ..library.network_file import NetworkFile

FOLDER = "thumbnails"
SIZES = (64, 128, 256, 384, 512, 768, 1024)
FILE_LIMIT = 40_000_000  # bytes of a picture
PIXEL_LIMIT = 64_000_000
KEPT = 20_000  # small pictures; beyond that the oldest half goes
QUALITY = 82
_PILLOW = ("PNG", "JPEG", "WEBP", "GIF")


class Picture(NamedTuple):
    """Bytes, their media type, and a text that changes with them."""

    content: bytes
    type: str
    version: str


class Thumbnails:
    """Makes small pictures and keeps them in a folder; None keeps none."""

    def __init__(self, data: Path | None) -> None:
        self._folder = data / FOLDER if data else None
        self._lock = Lock()
        self._made = 0

    def get(self, file: NetworkFile, index: int, size: int | None) -> Picture | None:
        """Return picture `index` of a file, its longer side at most `size`; None where there is none."""
        version = f"{file.picture_version}-{index}-{size or 'full'}"
        kept = self._folder / f"{file.id}-{version}" if self._folder and size else None
        if kept is not None:
            with contextlib.suppress(OSError):
                content = kept.read_bytes()
                if type_of(content):
                    return Picture(content, type_of(content), version)
        original = self._original(file, index)
        if not type_of(original):
            return None
        if size is None:
            return Picture(original, type_of(original), version)
        small = _shrink(original, size)
        if small is None:
            return None
        if kept is not None:
            self._keep(kept, small)
        return Picture(small, type_of(small), version)

    def _original(self, file: NetworkFile, index: int) -> bytes:
        if index < len(file.pictures):
            return _read(file.pictures[index], file.root)
        if not file.record.picture_inside:
            return b""
        try:
            pictures = inside(read_metadata(file.path))
        except FileError:
            return b""
        return pictures[index - len(file.pictures)] if index - len(file.pictures) < len(pictures) else b""

    def _keep(self, place: Path, content: bytes) -> None:
        """Keep a small picture; where that is not possible it is made again next time."""
        with contextlib.suppress(OSError, FileError), self._lock:
            place.parent.mkdir(parents=True, exist_ok=True)
            if self._made % 500 == 0:
                _prune(place.parent)
            self._made += 1
            write_atomically(place, lambda out: out.write(content), durable=False)


def nearest_size(size: int) -> int:
    """Return the size that is made for a wish: the next larger one, so that few are kept."""
    return next((known for known in SIZES if known >= size), SIZES[-1])


def _read(path: Path, root: Path) -> bytes:
    """Return a picture's bytes; nothing for a link that leads out of its folder and out of the root."""
    real = Path(os.path.realpath(path))
    if not any(real.is_relative_to(os.path.realpath(folder)) for folder in (path.parent, root)):
        return b""
    try:
        with open_regular(path) as (file, identity):
            return b"" if identity.size > FILE_LIMIT else file.read(FILE_LIMIT) or b""
    except FileError:
        return b""


def _shrink(content: bytes, size: int) -> bytes | None:
    """Return the picture at most `size` pixels large, None for one that cannot be read or is a bomb."""
    from PIL import Image, ImageOps, features

    try:
        with Image.open(io.BytesIO(content), formats=_PILLOW) as picture:
            if picture.width * picture.height > PIXEL_LIMIT:
                return None
            picture.draft("RGB", (size, size))
            small = ImageOps.exif_transpose(picture) or picture
            small = small.convert(
                "RGBA" if "A" in small.getbands() or "transparency" in small.info else "RGB"
            )
            small.thumbnail((size, size))
            out = io.BytesIO()
            if features.check("webp"):
                small.save(out, "WEBP", quality=QUALITY)
            else:
                small.save(out, "PNG")
            return out.getvalue()
    except Exception:  # decoders of damaged pictures raise anything; a preview is never worth an error
        return None


def _prune(folder: Path) -> None:
    with os.scandir(folder) as entries:
        kept = sorted((entry.stat().st_mtime, entry.path) for entry in entries)
    for _, path in kept[: len(kept) // 2] if len(kept) > KEPT else ():
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108
