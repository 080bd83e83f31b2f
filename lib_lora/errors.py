"""Every error this extension raises, drawn as one tree.

LoraStackError
├── StackError                  what the user asked for cannot be read
│   ├── StackSyntaxError        the stack text is not the JSON we write
│   ├── StackVersionError       the stack text is of a version we do not know
│   ├── EntryValueError         one field of one row has a value that cannot be
│   ├── MaskError               a mask's picture is missing, or is none
│   └── NotImplementedFieldError  a field that would not act: a known one misspelt
├── FileError                   a file on disk cannot be used
│   ├── UnreadableFileError     missing, not a regular file, no permission, changed while read
│   │   └── FileTooLargeError   more bytes than any network has
│   ├── NotSafetensorsError     a pickle, an archive, a web page or a wrong suffix
│   ├── HeaderError             the safetensors header lies (one leaf per way to lie)
│   │   ├── HeaderTooSmallError
│   │   ├── HeaderTooLargeError
│   │   ├── HeaderLengthError
│   │   ├── HeaderEncodingError
│   │   ├── HeaderJsonError
│   │   ├── HeaderVolumeError
│   │   ├── DuplicateKeyError
│   │   ├── TensorNameError
│   │   ├── TensorInfoError
│   │   ├── UnknownDtypeError
│   │   ├── TensorOffsetError
│   │   └── MetadataError
│   ├── NoTensorsError          a header without one tensor
│   ├── TensorSizeError         a tensor no layer can have: too many numbers or dimensions
│   ├── NonFiniteTensorError    NaN or infinity inside
│   ├── HugeNumberError         numbers beyond any trained weight
│   ├── PictureTextError        a picture that carries no parameters, or is none
│   ├── NotAnAdapterError       a whole checkpoint, or nothing we know
│   └── NotWrittenError         a full disk or a read-only folder; what was there is as before
├── LibraryError                a name does not lead to one file
│   ├── NetworkNotFoundError
│   ├── AmbiguousNetworkError
│   ├── PresetError             no such preset, or one that cannot be kept
│   └── FieldValueError         what is to be noted about a file cannot be
├── AdapterError                tensors that do not make one change
│   ├── MissingTensorError      one half without the other
│   ├── MixedFamiliesError      tensors of several families, or of none, on one weight
│   ├── DuplicateWeightError    one weight changed under two names
│   ├── TensorShapeError        shapes that contradict one another
│   ├── NotOneNumberError       an alpha or a switch that is no single finite number
│   ├── OversizedChangeError    a small file that means an enormous weight
│   └── NonFiniteChangeError    finite numbers whose change is infinite
├── NetworkMismatchError        a file that does not fit the loaded checkpoint
└── EngineError                 the model cannot be patched now
    ├── ModelUnavailableError
    └── NotAppliedError         sampling ran and our layers were never called
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType

# Control characters and marks that turn the direction of writing; names of files and tensors may hold them.
_UNREADABLE: Mapping[int, str | None] = MappingProxyType(
    {
        **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029), " "),
        **dict.fromkeys((0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))),
        **dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}"),
    }
)


class LoraStackError(Exception):
    """Base of all: the message says what, which, and the way out, in one line that can be shown anywhere.

    `status_code`, `detail` and `body` are what A1111's API answers with when an exception carries them.
    """

    status_code = 422

    def __init__(self, message: str) -> None:
        message = message.translate(_UNREADABLE)
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


class MaskError(StackError):
    """A mask's picture is missing, or is none."""


class NotImplementedFieldError(StackError):
    """A field that would not act: a known one misspelt."""


class FileError(LoraStackError):
    """A file on disk cannot be used."""


class UnreadableFileError(FileError):
    """Missing, not a regular file, no permission, or changed while it was read."""


class NotSafetensorsError(FileError):
    """A pickle, an archive, a web page or a wrong suffix."""


class FileTooLargeError(UnreadableFileError):
    """More bytes than any network has."""


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


class HeaderVolumeError(HeaderError):
    """More entries in the header than any network has."""


class DuplicateKeyError(HeaderError):
    """The same name twice in the header."""


class TensorNameError(HeaderError):
    """A tensor's name is empty or longer than any module's."""


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


class TensorSizeError(FileError):
    """A tensor no layer can have: too many numbers or dimensions."""


class NonFiniteTensorError(FileError):
    """NaN or infinity inside a tensor."""


class HugeNumberError(FileError):
    """Numbers beyond any trained weight, whose products would be infinite."""


class PictureTextError(FileError):
    """A picture that carries no parameters, or is none."""


class NotAnAdapterError(FileError):
    """A whole checkpoint, or nothing we know."""


class NotWrittenError(FileError):
    """A full disk or a read-only folder; what was there is as before."""

    status_code = 507


class LibraryError(LoraStackError):
    """A name does not lead to one file."""


class NetworkNotFoundError(LibraryError):
    """No file of that name or hash in the configured folders."""


class AmbiguousNetworkError(LibraryError):
    """Several files answer to that name."""


class PresetError(LibraryError):
    """No such preset, or one that cannot be kept."""


class FieldValueError(LibraryError):
    """What is to be noted about a file is of the wrong type, too long, or no field we know."""


class AdapterError(LoraStackError):
    """Tensors that do not make one change."""


class MissingTensorError(AdapterError):
    """One half without the other, such as lora_up without lora_down."""


class MixedFamiliesError(AdapterError):
    """Tensors of several families, or of none, on one weight."""


class DuplicateWeightError(AdapterError):
    """One weight changed under two names."""


class TensorShapeError(AdapterError):
    """Shapes that contradict one another."""


class NotOneNumberError(AdapterError):
    """An alpha or a switch that is no single finite number."""


class OversizedChangeError(AdapterError):
    """A small file that means an enormous weight."""


class NonFiniteChangeError(AdapterError):
    """Finite numbers whose change is infinite."""


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
