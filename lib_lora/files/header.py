"""The header of a safetensors file, read strictly: one named limit and one error for every way it can lie.

What is accepted here the safetensors library accepts too; duplicate names and unknown fields of a tensor,
which it lets pass, are refused. Format: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import FileIO
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ..errors import (
    DuplicateKeyError,
    FileError,
    HeaderEncodingError,
    HeaderJsonError,
    HeaderVolumeError,
    MetadataError,
    NoTensorsError,
    TensorInfoError,
    TensorNameError,
    TensorOffsetError,
    UnknownDtypeError,
    UnreadableFileError,
)
from .disk import PREFIX, header_length, open_regular, refuse_magic_of, refuse_pickle
from .text import clean

METADATA = "__metadata__"
FIRST_READ = 64 * 1024  # bytes; holds the metadata of most files, so that a scan reads no more
NAME_SHOWN = 120  # characters of a tensor's name in a message
DAMAGED = "The file is damaged or forged. Download it again."
NAME_LIMIT = 1_000  # characters of a tensor's name; real ones have under 200, and every search is over names
TENSOR_LIMIT = 200_000  # tensors; the largest adapters have under 20,000
ENTRY_LIMIT = 2_000_000  # commas and opening brackets; of each Python makes up to 150 bytes
COUNT_LIMIT = 2**64 - 1  # of elements and of bits; the library counts in 64 bits
BITS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(
            ("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8
        ),
        **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
        **dict.fromkeys(("I32", "U32", "F32"), 32),
        **dict.fromkeys(("I64", "U64", "F64", "C64"), 64),
        **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
        "F4": 4,
    }
)
REMEMBERED, REMEMBERED_LENGTH = 8, 1 << 20  # descriptions of tensors, of so many characters at most
_ANY = Path("file")  # in messages that nobody sees
_FIELDS = frozenset(("dtype", "shape", "data_offsets"))
_LEADING_METADATA = re.compile(rf'[ \t\r\n]*\{{[ \t\r\n]*"{METADATA}"[ \t\r\n]*:[ \t\r\n]*')


class TensorInfo(NamedTuple):
    """One tensor: its number type, shape, and place `start`..`end` within the payload, in bytes."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a file says it holds, checked; `payload_start` and `file_size` in bytes."""

    metadata: Mapping[str, str]
    tensors: Mapping[str, TensorInfo]
    payload_start: int
    file_size: int


def read_header(path: Path) -> Header:
    """Read and check the whole header. Raises FileError, one leaf for every way to lie."""
    refuse_pickle(path)
    with open_regular(path) as (file, identity):
        return read_open_header(path, file, identity.size)


def read_open_header(path: Path, file: FileIO, size: int) -> Header:
    """Read and check the header of a file that is open at its beginning and `size` bytes long."""
    length = header_length(path, file, size)
    text = _text(path, _read(path, file, length), length)
    return _header_as_before(path, text, PREFIX + length, size) or _header(path, text, PREFIX + length, size)


def read_metadata(path: Path) -> dict[str, str]:
    """Read the metadata only: when it stands first, as all writers put it, nothing else is parsed.

    Raises FileError where the file is none, the header does not fit into it, or the metadata is malformed.
    """
    refuse_pickle(path)
    with open_regular(path) as (file, identity):
        length = header_length(path, file, identity.size)
        raw = _read(path, file, min(length, FIRST_READ))
        metadata = _leading_metadata(path, _text(path, raw, length))
        if metadata is None and length > len(raw):
            raw += _read(path, file, length - len(raw))
            metadata = _leading_metadata(path, _text(path, raw, length))
    if metadata is not None:
        return metadata
    return dict(_header(path, _text(path, raw, length), PREFIX + length, identity.size).metadata)


def _read(path: Path, file: FileIO, length: int) -> bytes:
    parts: list[bytes] = []
    while length > 0:
        part = file.read(length)
        if not part:
            raise UnreadableFileError(f"{path.name} became shorter while it was read. Try again.")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _text(path: Path, raw: bytes, length: int) -> str:
    """Return the text of a header of `length` bytes, or of its beginning, which may end within a letter."""
    _check_volume(path, raw)
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(raw, final=len(raw) == length)
    except UnicodeDecodeError as error:
        refuse_magic_of(path, length, raw)
        raise HeaderEncodingError(
            f"{path.name}: the header is not UTF-8 text at byte {PREFIX + error.start}. {DAMAGED}"
        ) from None


def _check_volume(path: Path, raw: bytes) -> None:
    """Refuse a header of which Python would make far more than its size; counting is cheap beside parsing."""
    entries = raw.count(b",") + raw.count(b"[") + raw.count(b"{")
    if entries > ENTRY_LIMIT:
        raise HeaderVolumeError(
            f"{path.name}: the header has {entries} entries; the limit is {ENTRY_LIMIT}. {DAMAGED}"
        )


def _leading_metadata(path: Path, text: str) -> dict[str, str] | None:
    return read_leading_metadata(path, text)[0]


def read_leading_metadata(path: Path, text: str) -> tuple[dict[str, str] | None, int]:
    """Return the metadata when it is the first entry and complete in `text`, else None, and where it ends.

    `text` is a header or its beginning. Raises HeaderError.
    """
    beginning = _LEADING_METADATA.match(text)
    if not beginning:
        return None, 0
    try:
        value, end = _DECODER.raw_decode(text, beginning.end())
    except _Duplicate as error:
        raise DuplicateKeyError(_twice(path, str(error))) from None
    except RecursionError:
        raise HeaderJsonError(_nested(path)) from None
    except ValueError:
        return None, 0
    return _metadata(path, value), end


def _header_as_before(path: Path, text: str, payload_start: int, file_size: int) -> Header | None:
    """Return the header where metadata stands first or nowhere and nothing is odd, else None.

    Files of one recipe have the same tensors in the same places, so what follows the metadata is, letter by
    letter, what another file had, and need not be parsed again.
    """
    try:
        metadata, end = read_leading_metadata(path, text)
        if metadata is None and text.startswith('{"'):
            metadata, end = {}, 0  # none, or behind the tensors, where it is found odd
        if metadata is None or len(text) - end > REMEMBERED_LENGTH:
            return None
        if "\\u" in text[:end]:
            "".join((*metadata, *metadata.values())).encode("utf-8")
    except (FileError, UnicodeEncodeError):
        return None
    tensors = _tensors_behind(text[end:], file_size - payload_start)
    return None if tensors is None else Header(MappingProxyType(metadata), tensors, payload_start, file_size)


@lru_cache(REMEMBERED)
def _tensors_behind(rest: str, payload: int) -> Mapping[str, TensorInfo] | None:
    """Return the tensors that the text behind the metadata describes, None where it is odd."""
    if not rest.startswith((",", "{")):
        return None
    try:
        document = _document(_ANY, "{" + rest[1:])
        return None if METADATA in document else _tensors(_ANY, document, payload)
    except FileError:
        return None


def _header(path: Path, text: str, payload_start: int, file_size: int) -> Header:
    document = _document(path, text)
    metadata = _metadata(path, document.pop(METADATA, None))
    tensors = _tensors(path, document, file_size - payload_start)
    return Header(MappingProxyType(metadata), tensors, payload_start, file_size)


def _tensors(path: Path, document: Mapping[str, object], payload: int) -> Mapping[str, TensorInfo]:
    if len(document) > TENSOR_LIMIT:
        raise HeaderVolumeError(
            f"{path.name} has {len(document)} tensors; the limit is {TENSOR_LIMIT}. {DAMAGED}"
        )
    tensors = {name: _tensor_info(path, name, info) for name, info in document.items()}
    if not tensors:
        raise NoTensorsError(f"{path.name} holds no tensors: there is nothing to apply. Download it again.")
    _check_offsets(path, tensors, payload)
    return MappingProxyType(tensors)


class _Duplicate(Exception):
    """The same name twice in one object; the name is the message."""


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise _Duplicate(next(name for name, count in counts.items() if count > 1))
    return document


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs)


def _natural(text: str) -> int:
    return -1 if text.startswith("-") else int(text)  # -0 too: no count is written like that


def _document(path: Path, text: str) -> dict[str, object]:
    try:
        if "-0" in text:
            document = json.loads(text, object_pairs_hook=_pairs, parse_int=_natural)
        else:
            document = json.loads(text, object_pairs_hook=_pairs)
        if "\\u" in text:  # half a surrogate pair, which JSON can spell and text cannot hold
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except _Duplicate as error:
        raise DuplicateKeyError(_twice(path, str(error))) from None
    except RecursionError:
        raise HeaderJsonError(_nested(path)) from None
    except UnicodeEncodeError:
        raise HeaderEncodingError(
            f"{path.name}: the header spells a character that does not exist. {DAMAGED}"
        ) from None
    except ValueError as error:
        raise HeaderJsonError(f"{path.name}: the header is not JSON ({error}). {DAMAGED}") from None
    if not isinstance(document, dict):
        raise HeaderJsonError(
            f"{path.name}: the header is a {type(document).__name__}, not an object. {DAMAGED}"
        )
    return document


def _metadata(path: Path, value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MetadataError(
            f"{path.name}: the metadata is a {type(value).__name__}, not a table of texts. {DAMAGED}"
        )
    for name, item in value.items():
        if not isinstance(item, str):
            raise MetadataError(
                f"{path.name}: metadata '{clean(name, NAME_SHOWN)}' is a {type(item).__name__}, not text. "
                f"{DAMAGED}"
            )
    return value


def _tensor_info(path: Path, name: str, info: object) -> TensorInfo:
    if len(name) > NAME_LIMIT:
        raise TensorNameError(
            f"{_title(path, name)} has a name of {len(name)} characters; the limit is {NAME_LIMIT}. {DAMAGED}"
        )
    if not isinstance(info, dict) or info.keys() != _FIELDS:
        raise TensorInfoError(
            f"{_title(path, name)} is not described by dtype, shape and data_offsets. {DAMAGED}"
        )
    dtype, shape, offsets = info["dtype"], info["shape"], info["data_offsets"]
    if not isinstance(dtype, str):
        raise TensorInfoError(f"{_title(path, name)} has a number type that is no text. {DAMAGED}")
    if dtype not in BITS:
        raise UnknownDtypeError(
            f"{_title(path, name)} is of the unknown number type '{clean(dtype, 20)}'. Use the fp16 or fp32 "
            "version of the file."
        )
    if not _are_naturals(shape) or not _are_naturals(offsets) or len(offsets) != 2:
        raise TensorInfoError(
            f"{_title(path, name)} has a shape or data_offsets that are not whole numbers from 0. {DAMAGED}"
        )
    return TensorInfo(dtype, tuple(shape), offsets[0], offsets[1])


def _title(path: Path, name: str) -> str:
    return f"{path.name}: tensor '{clean(name, NAME_SHOWN)}'"


def _are_naturals(values: object) -> bool:
    if not isinstance(values, list):
        return False
    for value in values:  # noqa: SIM110  thousands of times for a file: all() is three times slower
        if type(value) is not int or not 0 <= value <= COUNT_LIMIT:
            return False
    return True


def _check_offsets(path: Path, tensors: Mapping[str, TensorInfo], payload: int) -> None:
    """Refuse tensors that overlap, leave holes, contradict their shape, or do not fill the payload."""
    position = 0
    for name, info in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].end)):
        size = info.end - info.start
        if size < 0:
            raise TensorOffsetError(
                f"{_title(path, name)} ends ({info.end}) before it starts ({info.start}). {DAMAGED}"
            )
        if info.start != position:
            fault = "overlaps the one before it" if info.start < position else "leaves a hole before it"
            raise TensorOffsetError(
                f"{_title(path, name)} {fault}: it starts at {info.start}, not at {position}. {DAMAGED}"
            )
        bits = _bits(info)
        if bits > COUNT_LIMIT:
            raise TensorOffsetError(
                f"{_title(path, name)} of shape {_shape(info)} is larger than any file. {DAMAGED}"
            )
        if bits != 8 * size:
            raise TensorOffsetError(
                f"{_title(path, name)} of shape {_shape(info)} in {info.dtype} needs {bits / 8:g} bytes, "
                f"but its place has {size}. {DAMAGED}"
            )
        position = info.end
    if position > payload:
        raise TensorOffsetError(
            f"{path.name} is cut off: {position - payload} bytes are missing. Download it again."
        )
    if position < payload:
        raise TensorOffsetError(
            f"{path.name} has {payload - position} bytes after its last tensor. Download it again."
        )


def _shape(info: TensorInfo) -> str:
    return "×".join(map(str, info.shape[:8])) + ("…" if len(info.shape) > 8 else "")


def _bits(info: TensorInfo) -> int:
    """Return the size of a tensor in bits; beyond the limit where counting in 64 bits overflows."""
    count = 1
    for size in info.shape:
        count *= size
        if count > COUNT_LIMIT:
            return count
    return count * BITS[info.dtype]


def _twice(path: Path, name: str) -> str:
    return f"{path.name}: the header names '{clean(name, NAME_SHOWN)}' twice. {DAMAGED}"


def _nested(path: Path) -> str:
    return f"{path.name}: the header is nested beyond reason. {DAMAGED}"
