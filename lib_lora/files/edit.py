"""Writing metadata into a network file, on request only: a new header, the payload copied byte for byte.

The tensors stay described in the header as they are, so that nothing is lost that is not known here.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from ..errors import FieldValueError, NotWrittenError, UnreadableFileError
from .disk import HEADER_LIMIT, PREFIX, check_unchanged, open_regular
from .hashes import payload_sha256
from .header import METADATA, read_open_header
from .text import clean
from .writing import sweep, write_atomically

OWN = ("modelspec.", "ssmd_")
ALSO = ("ss_output_name", "ss_training_comment", "ss_tag_frequency", "sshs_model_hash")
VALUE_LIMIT = 10_000_000  # characters of one value; cover pictures are long
BACKUP = ".backup"
BLOCK = 4 * 1024 * 1024  # bytes copied at a time


def may_be_edited(key: str) -> bool:
    """Tell whether a key of the metadata is the user's to change; the trainer's record is not."""
    return key.startswith(OWN) or key in ALSO


def check_fields(fields: Mapping[str, object]) -> dict[str, str | None]:
    """Return the fields to write, None for those to remove. Raises FieldValueError."""
    checked: dict[str, str | None] = {}
    for key, value in fields.items():
        if not may_be_edited(key) or len(key) > 100 or not key.isprintable():
            raise FieldValueError(
                f"'{clean(key, 60)}' is no field to write into a file. Use one that begins with "
                f"{' or '.join(OWN)}, or {', '.join(ALSO[:2])}."
            )
        if value is not None and (not isinstance(value, str) or len(value) > VALUE_LIMIT):
            raise FieldValueError(f"'{key}' must be a text of at most {VALUE_LIMIT} characters.")
        checked[key] = value
    return checked


def edit_metadata(path: Path, fields: Mapping[str, str | None], backup: bool = False) -> str:
    """Write `fields` into the metadata of the file at `path`; return the backup's name, or an empty text.

    The payload's hash is compared before the new file takes the place of the old one. Raises FileError, and
    leaves the file as it was; a backup that is already there is kept, since it is the older one.
    """
    sweep(path)
    saved = _back_up(path) if backup else ""
    with open_regular(path) as (file, identity):
        header = read_open_header(path, file, identity.size)
        metadata = {
            key: value for key, value in header.metadata.items() if fields.get(key, value) is not None
        }
        metadata.update({key: value for key, value in fields.items() if value is not None})
        file.seek(PREFIX)
        text = file.read(header.payload_start - PREFIX).decode("utf-8")
    begin = _header(path, text, metadata)
    before = sha256()

    def write(new: BinaryIO) -> None:
        new.write(struct.pack("<Q", len(begin)) + begin)
        for block in _payload(path, header.payload_start, identity.size):
            before.update(block)
            new.write(block)
        new.flush()
        if payload_sha256(Path(new.name)) != before.hexdigest():
            raise NotWrittenError(f"{path.name}: the copy differs from the file. Nothing was changed.")
        check_unchanged(path, identity)

    write_atomically(path, write)
    return saved


def _header(path: Path, text: str, metadata: Mapping[str, str]) -> bytes:
    """Return the header with other metadata, which stands first, filled up to a multiple of eight bytes."""
    document = json.loads(text)
    document.pop(METADATA, None)
    joined = {METADATA: metadata, **document} if metadata else document
    try:
        begin = json.dumps(joined, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError:
        raise FieldValueError("The text holds half a character, which no file can hold.") from None
    begin += b" " * (-len(begin) % 8)
    if len(begin) > HEADER_LIMIT:
        raise NotWrittenError(f"{path.name}: its header would be larger than {HEADER_LIMIT} bytes.")
    return begin


def _payload(path: Path, start: int, end: int) -> Iterator[bytes]:
    """Yield a file's bytes from `start` to `end`; it is closed before it is replaced, as Windows wants it."""
    with open_regular(path) as (file, _):
        file.seek(start)
        while start < end:
            block = file.read(min(BLOCK, end - start))
            if not block:
                raise UnreadableFileError(
                    f"{path.name} became shorter while it was read. Nothing was changed."
                )
            start += len(block)
            yield block


def _back_up(path: Path) -> str:
    place = path.with_name(path.name + BACKUP)
    if not os.path.exists(place):  # noqa: PTH110  it never raises, whatever the name's length
        with path.open("rb") as file:
            write_atomically(place, lambda new: shutil.copyfileobj(file, new, BLOCK))
    return place.name
