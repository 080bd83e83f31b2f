"""Single numbers out of a safetensors file, read without torch: the alphas."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from lib_lora.errors import UnreadableFileError
from lib_lora.files.disk import open_regular
from lib_lora.files.header import Header

FORMATS: Mapping[str, str] = MappingProxyType(
    {"F64": "<d", "F32": "<f", "F16": "<e", "I64": "<q", "I32": "<i", "I16": "<h", "U8": "<B", "I8": "<b"}
)


def read_numbers(path: Path, header: Header, suffix: str) -> dict[str, float]:
    """Return every tensor of one number whose name ends so; others, and rarer number types, are left out.

    Raises UnreadableFileError.
    """
    found: dict[str, float] = {}
    with open_regular(path) as (file, _):
        for name, info in header.tensors.items():
            if not name.endswith(suffix) or info.shape not in ((), (1,)):
                continue
            file.seek(header.payload_start + info.start)
            raw = file.read(info.end - info.start)
            if len(raw) < info.end - info.start:
                raise UnreadableFileError(f"{path.name} became shorter while it was read. Try again.")
            if info.dtype == "BF16":  # the upper half of a float32
                found[name] = struct.unpack("<f", b"\0\0" + raw)[0]
            elif info.dtype in FORMATS:
                found[name] = struct.unpack(FORMATS[info.dtype], raw)[0]
    return found
