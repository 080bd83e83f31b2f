"""What a scan learns of a file: its metadata, and the structure of its tensors, in a tenth of a millisecond.

To parse a header as JSON takes a hundred times as long. But files of one recipe have the same tensors in the
same places, so what follows the metadata is, byte for byte, what another file had. Of what was never seen,
most differs from another file's in shapes and places only (`plain.py`). What is left is parsed.
"""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from hashlib import blake2b
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from ..errors import FileError
from .ahead import ENDING, Ahead
from .disk import FILE_LIMIT, PREFIX, open_regular, refuse_pickle
from .header import ENTRY_LIMIT, METADATA, read_header, read_leading_metadata
from .plain import PlainHeaders
from .structure import Structure, read_structure

FIRST_READ = 64 * 1024  # bytes; then the rest of the header
LARGEST = ENTRY_LIMIT  # bytes; larger headers are read on their own, since they may have too many entries
MEMORY = 96 * 1024 * 1024  # bytes of tensor descriptions remembered during a scan
_TENSOR = b'":{"dtype":'
_WITH_METADATA = f'{{"{METADATA}"'.encode()
_ANY = Path("file")  # in messages that nobody sees
# Large buffers begin right after the beginning of a page of memory; to copy pages of a file there takes some
# processors three times as long as to a little further on.
_BEGIN = 512
# Otherwise the system reads on behind the header, into the payload; from a disk that takes twice as long.
_ONLY_WHAT_IS_READ = getattr(os, "POSIX_FADV_RANDOM", None)
_SIGN = 24  # bytes at the end that, with the length, tell which description it may be


class Glance(NamedTuple):
    """A file's metadata and its tensors' structure; `fingerprint` is the same after a move or rename."""

    metadata: dict[str, str]
    structure: Structure
    fingerprint: str


class _Seen(NamedTuple):
    tail: bytes  # everything after the metadata but the spaces at the end
    structure: Structure


def _is_text(metadata: dict[str, str]) -> bool:
    """Tell whether there is no half of a surrogate pair in it, which JSON can spell and text cannot hold."""
    try:
        "".join((*metadata, *metadata.values())).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


class Glancer:
    """Reads many files in a row. Not safe for threads: each scan has its own.

    ahead: where files can be announced that will be read next; to be closed at the end.
    """

    def __init__(self) -> None:
        self._buffer = bytearray(4 * FIRST_READ)
        self._seen: OrderedDict[tuple[int, int, bytes], _Seen] = OrderedDict()
        self._remembered = 0  # bytes
        self._plain = PlainHeaders()
        self.ahead = Ahead()

    def read(self, path: str) -> Glance:
        """Read a file. Raises FileError, as `read_header` does."""
        return self._quick(path) or self._thorough(Path(path))

    def _quick(self, path: str) -> Glance | None:
        """Return what is known without parsing, None where that is not enough or something is odd."""
        if not path.endswith(ENDING):
            return None
        length, size = self._fill(path)
        if not length:
            return None
        end = _BEGIN + PREFIX + length
        payload = size - PREFIX - length
        metadata, start = self._metadata(end)
        if metadata is None:
            return None
        last = end - 8 + len(self._buffer[end - 8 : end].rstrip(b" "))  # writers fill up to an eighth byte
        key = (payload, last - start, bytes(self._buffer[last - _SIGN : last]))
        seen = self._seen.get(key)
        if seen is not None and self._buffer.startswith(seen.tail, start):
            self._seen.move_to_end(key)
            return self._glance(metadata, seen.structure, start, size)
        tail = bytes(self._buffer[start:last])
        try:
            structure = self._plain.structure(tail.decode("utf-8"), payload)
        except UnicodeDecodeError:
            return None
        if structure is None:
            return None
        self._remember(key, _Seen(tail, structure))
        return self._glance(metadata, structure, start, size)

    def _remember(self, key: tuple[int, int, bytes], seen: _Seen) -> None:
        """Keep a description for the files to come; the one that was met longest ago goes."""
        old = self._seen.pop(key, None)
        self._remembered += len(seen.tail) - (len(old.tail) if old else 0)
        self._seen[key] = seen
        while self._remembered > MEMORY:
            self._remembered -= len(self._seen.popitem(last=False)[1].tail)

    def _fill(self, path: str) -> tuple[int, int]:
        """Read a header into the buffer; return its length and the file's size, zeros where it is odd.

        Nothing behind the header is read: that would fill memory with payloads nobody asked for.
        """
        try:
            file = self.ahead.take(path)
        except (OSError, ValueError):
            return 0, 0
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                return 0, 0
            if _ONLY_WHAT_IS_READ is not None:
                os.posix_fadvise(file, 0, 0, _ONLY_WHAT_IS_READ)
            got = _read_into(file, memoryview(self._buffer)[_BEGIN : _BEGIN + FIRST_READ])
            length = int.from_bytes(self._buffer[_BEGIN : _BEGIN + PREFIX], "little")
            end = PREFIX + length
            if got < PREFIX + 2 or length > LARGEST or not end <= status.st_size <= FILE_LIMIT:
                return 0, 0
            if _BEGIN + end > len(self._buffer):
                self._buffer.extend(bytes(_BEGIN + end - len(self._buffer)))
            while got < end:
                more = _read_into(file, memoryview(self._buffer)[_BEGIN + got : _BEGIN + end])
                if not more:
                    return 0, 0
                got += more
        except OSError:
            return 0, 0
        finally:
            os.close(file)
        return length, status.st_size

    def _metadata(self, end: int) -> tuple[dict[str, str] | None, int]:
        """Return the metadata at the header's beginning, and where in the buffer the first tensor begins."""
        begin = _BEGIN + PREFIX
        if self._buffer.startswith(b'{"', begin) and not self._buffer.startswith(_WITH_METADATA, begin):
            return {}, begin + 1  # none, or behind the tensors, where it is found odd
        # Within a text the quotes would be written with a backslash: the first tensor is meant, or nothing.
        first = self._buffer.find(_TENSOR, begin, end)
        try:
            text = str(memoryview(self._buffer)[begin : first if first > 0 else end], "utf-8")
            metadata, stop = read_leading_metadata(_ANY, text)
        except (UnicodeDecodeError, FileError):
            return None, 0  # the thorough reading says what is wrong
        if metadata is None or ("\\u" in text and not _is_text(metadata)):
            return None, 0
        start = begin + (stop if text.isascii() else len(text[:stop].encode("utf-8")))
        return (metadata, start + 1) if self._buffer.startswith(b",", start) else (None, 0)

    def _glance(self, metadata: dict[str, str], structure: Structure, start: int, size: int) -> Glance:
        if start == _BEGIN + PREFIX + 1:
            return Glance(metadata, structure, _fingerprint(metadata, size))
        digest = blake2b(memoryview(self._buffer)[_BEGIN : start - 1], digest_size=10)
        digest.update(str(size).encode())
        return Glance(metadata, structure, digest.hexdigest())

    def _thorough(self, path: Path) -> Glance:
        refuse_pickle(path)
        with open_regular(path):
            pass  # what is no file at all is told first
        header = read_header(path)
        metadata = dict(header.metadata)
        return Glance(metadata, read_structure(header.tensors), _fingerprint(metadata, header.file_size))


def _read_into(file: int, place: memoryview) -> int:
    """Read on in an open file, as much as fits; return how many bytes came. Raises OSError."""
    if hasattr(os, "readv"):
        return os.readv(file, [place])
    return FileIO(file, "rb", closefd=False).readinto(place) or 0  # Windows


def _fingerprint(metadata: dict[str, str], size: int) -> str:
    """Return what tells a file from others where its header's bytes are not at hand, or tell too little."""
    digest = blake2b(repr(sorted(metadata.items())).encode("utf-8", "replace"), digest_size=10)
    digest.update(str(size).encode())
    return digest.hexdigest()
