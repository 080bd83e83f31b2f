"""The pictures of a network: beside it under every naming, and inside its metadata.

What is inside is a stranger's `data:` address or base64 text: only PNG, JPEG, WebP and GIF are taken from it,
and the first bytes decide, not what it says of itself.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from types import MappingProxyType

from .text import parse_json

TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".png": "image/png",
        ".jpg": "image/jpeg",
        ".jpeg": "image/jpeg",
        ".webp": "image/webp",
        ".gif": "image/gif",
    }
)
PICTURE_SUFFIXES = (
    *TYPES,
    *(f".preview{suffix}" for suffix in TYPES),
    *(f".thumb{suffix}" for suffix in TYPES),
    *(f"*{suffix}" for suffix in TYPES),  # behind the whole file name
)
"""How the names of pictures end, the best first; one that begins with `*` follows the whole file name."""
INSIDE_LIMIT = 8_000_000  # characters of a picture inside the metadata
COVERS = 8  # of ssmd_cover_images
_DATA = re.compile(r"data:image/(?:png|jpe?g|webp|gif);base64,")
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


def type_of(content: bytes) -> str:
    """Return the media type that the first bytes show, or an empty text for what is none of ours."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if content.startswith(magic)), "")


def has_inside(metadata: Mapping[str, str]) -> bool:
    """Tell whether the metadata seems to hold a picture."""
    covers = metadata.get("ssmd_cover_images", "")
    return bool(_DATA.match(metadata.get("modelspec.thumbnail", "")[:40])) or len(covers) > 4


def inside(metadata: Mapping[str, str]) -> tuple[bytes, ...]:
    """Return the pictures in the metadata, of our types only: `modelspec.thumbnail`, then AddNet's covers."""
    texts = []
    thumbnail = metadata.get("modelspec.thumbnail", "")
    if (beginning := _DATA.match(thumbnail)) is not None:
        texts.append(thumbnail[beginning.end() :])
    covers = parse_json(metadata.get("ssmd_cover_images", ""), INSIDE_LIMIT * 2)
    texts += [text for text in covers[:COVERS] if isinstance(text, str)] if isinstance(covers, list) else []
    pictures = (_decoded(text) for text in texts)
    return tuple(picture for picture in pictures if type_of(picture))


def _decoded(text: str) -> bytes:
    if len(text) > INSIDE_LIMIT:
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
