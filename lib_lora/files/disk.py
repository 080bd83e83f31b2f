"""Opening a file that may be anything: a folder, a pipe that would hang, a link to itself, a pickle."""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from ..errors import (
    FileTooLargeError,
    HeaderLengthError,
    HeaderTooLargeError,
    HeaderTooSmallError,
    NotSafetensorsError,
    UnreadableFileError,
)

PREFIX = 8  # bytes of the header's length, little endian
HEADER_LIMIT = 100_000_000  # bytes; the limit of the safetensors library
SMALLEST_HEADER = 2  # bytes of {}
FILE_LIMIT = 64 * 1024**3  # bytes; whole checkpoints have less, and a file with holes can claim any size

PICKLE_SUFFIXES = (".pt", ".ckpt", ".pth", ".bin")
HOW_TO_CONVERT = (
    "Such files can run code when they are opened, so LoRA Stack does not open them. Download the "
    ".safetensors version, or convert it with a tool you trust (kohya's sd-scripts and most WebUIs save as "
    ".safetensors)."
)
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (
        b"PK\x03\x04",
        "a zip archive or a PyTorch pickle (.pt, .ckpt) under a .safetensors name. " + HOW_TO_CONVERT,
    ),
    (b"\x80", "a Python pickle (.pt, .ckpt) under a .safetensors name. " + HOW_TO_CONVERT),
    (
        b"version https://git-lfs",
        "a Git LFS pointer, not the file itself. Run `git lfs pull`, or download it again.",
    ),
    (b"<", "a web page, not a network: the download led to a log-in or error page. Download it again."),
    (b'{"', "a site's answer in JSON, not a network: it tells why there was no download. Download it again."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive. Unpack it first."),
    (b"Rar!", "a RAR archive. Unpack it first."),
    (b"\x1f\x8b", "a gzip archive. Unpack it first."),
    (b"GGUF", "a GGUF file, which holds no LoRA that can be stacked. Use the .safetensors version."),
    (b"\x89PNG", "a picture. Give it the name of its LoRA and the suffix .png to see it as preview."),
    (b"\xff\xd8\xff", "a picture. Give it the name of its LoRA and the suffix .jpg to see it as preview."),
)
_HEAD = 32  # bytes that tell what a file is


class Identity(NamedTuple):
    """What must not change while a file is read."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Identity:
        """Return the identity in a stat result."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


@contextmanager
def open_regular(path: Path) -> Iterator[tuple[FileIO, Identity]]:
    """Open a regular file for reading; anything else is an UnreadableFileError, and a pipe does not hang.

    Raises FileTooLargeError for a size that only a file with holes has.
    """
    with reasons(path):
        _require_regular(path, path.stat())  # before opening: to open a device may do something
        with open(path, "rb", buffering=0, opener=_open_at_once) as file:
            status = os.fstat(file.fileno())
            _require_regular(path, status)  # it may have been replaced in between
            if status.st_size > FILE_LIMIT:
                raise FileTooLargeError(
                    f"{path.name} claims {status.st_size} bytes; the limit is {FILE_LIMIT}. "
                    "It is no network. Remove it, or download it again."
                )
            yield file, Identity.of(status)


def read_at_once(path: str | Path, limit: int) -> bytes | None:
    """Return a file's content, None where anything is odd: `open_regular` then says what. Never raises."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  a scan asks this of thousands
            return None
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
                return None
            content = os.read(file, status.st_size)
            return content if len(content) == status.st_size else None
        finally:
            os.close(file)
    except (OSError, ValueError):
        return None


def _require_regular(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise UnreadableFileError(f"{path.name} is {kind}. Point to the .safetensors file itself.")


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe would block until somebody writes


@contextmanager
def reasons(path: Path) -> Iterator[None]:
    """Turn the operating system's errors about `path` into UnreadableFileError."""
    if "\0" in str(path):
        raise UnreadableFileError("A file name cannot hold a NUL character.")
    try:
        yield
    except OSError as error:
        raise UnreadableFileError(f"{path.name} {_reason(error)}") from error


def check_unchanged(path: Path, before: Identity) -> None:
    """Raise UnreadableFileError when the file at `path` is not the one that was read any more."""
    with reasons(path):
        after = Identity.of(path.stat())
    if after != before:
        raise UnreadableFileError(
            f"{path.name} changed while it was read. Wait until it is complete, then try again."
        )


def refuse_pickle(path: Path) -> None:
    """Raise NotSafetensorsError for a suffix that means a pickle."""
    if path.suffix.lower() in PICKLE_SUFFIXES:
        raise NotSafetensorsError(f"{path.name} is a {path.suffix.lower()} file. {HOW_TO_CONVERT}")


def header_length(path: Path, file: FileIO, size: int) -> int:
    """Return the length of the header that follows the first eight bytes, which are read here and checked."""
    head = file.read(PREFIX)
    if len(head) < PREFIX:
        what = "is empty" if not head else f"holds {len(head)} bytes"
        refuse_magic(path, head)
        raise HeaderTooSmallError(f"{path.name} {what}: no network fits into that. Download it again.")
    (length,) = struct.unpack("<Q", head)
    if length > HEADER_LIMIT or PREFIX + length > size:
        refuse_magic(path, head + file.read(_HEAD - PREFIX))
    if length > HEADER_LIMIT:
        raise HeaderTooLargeError(
            f"{path.name} claims a header of {length} bytes; the limit is {HEADER_LIMIT}. "
            "It is damaged or no safetensors file. Download it again."
        )
    if PREFIX + length > size:
        raise HeaderLengthError(
            f"{path.name} claims a header of {length} bytes but is only {size} bytes long: the download is "
            "not complete. Download it again."
        )
    if length < SMALLEST_HEADER:
        raise HeaderTooSmallError(f"{path.name} has no header ({length} bytes). Download it again.")
    return int(length)


def refuse_magic(path: Path, head: bytes) -> None:
    """Raise NotSafetensorsError where the first bytes tell what the file really is."""
    head = head[:_HEAD]
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise NotSafetensorsError(f"{path.name} is {what}")
    text = head.decode("ascii", "replace").strip()
    if len(head) >= PREFIX and head.isascii() and text and text.isprintable():
        raise NotSafetensorsError(
            f"{path.name} is a text ('{text}'), not a network: a site's message instead of the download. "
            "Download it again."
        )


def refuse_magic_of(path: Path, length: int, header: bytes) -> None:
    """The same for a file whose first eight bytes happen to be a possible length."""
    refuse_magic(path, struct.pack("<Q", length) + header[: _HEAD - PREFIX])


def _reason(error: OSError) -> str:
    number = error.errno
    if number == errno.ENOENT:
        return "is not there any more. Refresh the list."
    if number == errno.ELOOP:
        return "is a link that leads in a circle. Remove the link."
    if number in (errno.EACCES, errno.EPERM):
        return "may not be read. Give the WebUI's user permission to read it."
    return f"cannot be read: {error.strerror or error}. Look whether the disk is well, then try again."
