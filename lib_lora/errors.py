"""Every error this extension raises, drawn as one tree.

LoraStackError
├── StackError                  what the user asked for cannot be read
│   ├── StackSyntaxError        the stack text is not the JSON we write
│   ├── StackVersionError       the stack text is of a version we do not know
│   ├── EntryValueError         one field of one row has a value that cannot be
│   └── NotImplementedFieldError  a field is understood but does not act yet
├── FileError                   a file on disk cannot be used
│   ├── UnreadableFileError     missing, not a regular file, no permission, changed while read
│   ├── NotSafetensorsError     a pickle, an archive or a wrong suffix
│   ├── HeaderError             the safetensors header lies (one leaf per way to lie)
│   │   ├── HeaderTooSmallError
│   │   ├── HeaderTooLargeError
│   │   ├── HeaderLengthError
│   │   ├── HeaderEncodingError
│   │   ├── HeaderJsonError
│   │   ├── DuplicateKeyError
│   │   ├── TensorInfoError
│   │   ├── UnknownDtypeError
│   │   ├── TensorOffsetError
│   │   └── MetadataError
│   ├── NoTensorsError          a header without one tensor
│   ├── NonFiniteTensorError    NaN or infinity inside
│   └── NotAnAdapterError       a whole checkpoint, or nothing we know
├── LibraryError                a name does not lead to one file
│   ├── NetworkNotFoundError
│   └── AmbiguousNetworkError
├── AdapterError                tensors that do not make one change
├── NetworkMismatchError        a file that does not fit the loaded checkpoint
└── EngineError                 the model cannot be patched now
    ├── ModelUnavailableError
    └── NotAppliedError         sampling ran and our layers were never called
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class LoraStackError(Exception):
    """Base of all: the message says what, which, and the way out.

    `status_code`, `detail` and `body` are what A1111's API answers with when an exception carries them.
    """

    status_code = 422

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.status_code = type(self).status_code
        self.detail = message
        self.body = ""


class StackError(LoraStackError):
    """What the user asked for cannot be read."""


class StackSyntaxError(StackError):
    """The stack text is not the JSON we write."""


class StackVersionError(StackError):
    """The stack text is of a version we do not know."""


class EntryValueError(StackError):
    """One field of one row has a value that cannot be."""


class NotImplementedFieldError(StackError):
    """A field is understood and kept, but does not act yet."""


class FileError(LoraStackError):
    """A file on disk cannot be used."""


class UnreadableFileError(FileError):
    """Missing, not a regular file, no permission, or changed while it was read."""


class NotSafetensorsError(FileError):
    """A pickle, an archive or a wrong suffix."""


class HeaderError(FileError):
    """The safetensors header lies."""


class HeaderTooSmallError(HeaderError):
    """Fewer than eight bytes, or no room for a header."""


class HeaderTooLargeError(HeaderError):
    """The header claims more than the limit of the format (100 MB)."""


class HeaderLengthError(HeaderError):
    """The header claims to be longer than the file."""


class HeaderEncodingError(HeaderError):
    """The header is not UTF-8 text."""


class HeaderJsonError(HeaderError):
    """The header is not a JSON object, or nested beyond reason."""


class DuplicateKeyError(HeaderError):
    """The same name twice in the header."""


class TensorInfoError(HeaderError):
    """A tensor's description is malformed."""


class UnknownDtypeError(HeaderError):
    """A tensor of a number type that safetensors does not define."""


class TensorOffsetError(HeaderError):
    """Offsets that overlap, leave holes, leave the file, or contradict shape and type."""


class MetadataError(HeaderError):
    """`__metadata__` is not a table of texts."""


class NoTensorsError(FileError):
    """A header without one tensor."""


class NonFiniteTensorError(FileError):
    """NaN or infinity inside a tensor."""


class NotAnAdapterError(FileError):
    """A whole checkpoint, or nothing we know."""


class LibraryError(LoraStackError):
    """A name does not lead to one file."""


class NetworkNotFoundError(LibraryError):
    """No file of that name or hash in the configured folders."""


class AmbiguousNetworkError(LibraryError):
    """Several files answer to that name."""


class AdapterError(LoraStackError):
    """Tensors that do not make one change."""


class NetworkMismatchError(LoraStackError):
    """A file that does not fit the loaded checkpoint."""


class EngineError(LoraStackError):
    """The model cannot be patched now."""


class ModelUnavailableError(EngineError):
    """No model is loaded, or the host replaced its UNet by something that cannot be patched."""


class NotAppliedError(EngineError):
    """Sampling ran and our layers were never called."""


def nearest(name: str, known: Iterable[str], most: int = 3) -> str:
    """Return ` Nearest: 'a', 'b'.` for the closest known names, or an empty text."""
    lowered = {candidate.lower(): candidate for candidate in known}
    matches = get_close_matches(name.lower(), list(lowered), n=most, cutoff=0.5)
    if not matches:
        return ""
    return " Nearest: " + ", ".join(f"'{lowered[match]}'" for match in matches) + "."
