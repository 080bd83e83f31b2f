"""The names a file goes by in old pictures and on model sites: five hashes of the same bytes.

AutoV3 (AddNet hash, `sshs_model_hash`): sha256 of the payload, so that editing the metadata keeps it.
AutoV2: sha256 of the whole file. Legacy (AutoV1): sha256 of 64 KiB at 1 MiB, which small files lack.
The payload hash a file declares is often wrong (made of nothing, or of another file): compare, never trust.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Callable, Mapping
from pathlib import Path

from .disk import PREFIX, check_unchanged, header_length, open_regular

BLOCK = 1024 * 1024  # bytes hashed at a time
LEGACY_START, LEGACY_LENGTH = 0x100000, 0x10000
SHORT, AUTOV2, LEGACY = 12, 10, 8  # hex digits shown
FULL = 64
EMPTY = hashlib.sha256(b"").hexdigest()  # e3b0c442…: some trainers declare the hash of nothing


def payload_sha256(path: Path) -> str:
    """Return the sha256 of everything after the header, 64 hex digits: the source of AutoV3."""
    with open_regular(path) as (file, identity):
        start = PREFIX + header_length(path, file, identity.size)
    return _sha256(path, start)


def file_sha256(path: Path) -> str:
    """Return the sha256 of the whole file, 64 hex digits: the source of AutoV2."""
    return _sha256(path, 0)


def autov2(path: Path) -> str:
    """Return the first 10 hex digits of the whole file's sha256."""
    return file_sha256(path)[:AUTOV2]


def legacy(path: Path) -> str:
    """Return the WebUI's old 8-digit hash, or an empty text for a file too small to have one."""
    with open_regular(path) as (file, identity):
        if identity.size <= LEGACY_START:
            return ""
        file.seek(LEGACY_START)
        return hashlib.sha256(file.read(LEGACY_LENGTH)).hexdigest()[:LEGACY]


def hash_all(path: Path, read: Callable[[int], bool]) -> tuple[str, str, str] | None:
    """Return payload, whole and legacy hash, read once; None where `read`, told of bytes, says not to go on.

    Raises FileError.
    """
    with open_regular(path) as (file, identity):
        start = PREFIX + header_length(path, file, identity.size)
        file.seek(0)
        buffer = memoryview(bytearray(BLOCK))
        payload, whole, position = hashlib.sha256(), hashlib.sha256(), 0
        while position < identity.size and (count := file.readinto(buffer[: identity.size - position])):
            whole.update(buffer[:count])
            payload.update(buffer[max(0, min(count, start - position)) : count])
            position += count
            if not read(count):
                return None
    check_unchanged(path, identity)
    return payload.hexdigest(), whole.hexdigest(), legacy(path)


def short(digest: str) -> str:
    """Return the 12 hex digits by which a payload hash is shown and stored, or an empty text for junk."""
    digest = digest.strip().lower()
    return "" if is_junk(digest) else digest[:SHORT]


def is_junk(digest: str) -> bool:
    """Return whether a text cannot identify a file: no hex, too short, one digit, or the hash of nothing."""
    digest = digest.strip().lower()
    return (
        not LEGACY <= len(digest) <= FULL
        or bool(digest.strip(string.hexdigits))
        or digest == digest[0] * len(digest)
        or EMPTY.startswith(digest)
    )


def declared(metadata: Mapping[str, str]) -> str:
    """Return the payload hash that a file claims for itself, 64 hex digits, or an empty text for junk."""
    digest = metadata.get("sshs_model_hash", "").strip().lower()
    return "" if len(digest) != FULL or is_junk(digest) else digest


def declared_legacy(metadata: Mapping[str, str]) -> str:
    """Return the 8-digit hash that a trainer wrote into the file, or an empty text for junk."""
    digest = metadata.get("sshs_legacy_hash", "").strip().lower()
    return "" if len(digest) != LEGACY or is_junk(digest) else digest


def _sha256(path: Path, start: int) -> str:
    digest = hashlib.sha256()
    with open_regular(path) as (file, identity):
        file.seek(start)
        buffer = memoryview(bytearray(min(BLOCK, identity.size)))
        left = identity.size - start  # not to the end: a file that is being written has none
        while left > 0 and (count := file.readinto(buffer[:left])):
            digest.update(buffer[:count])
            left -= count
    check_unchanged(path, identity)
    return digest.hexdigest()
