"""A safetensors file in pieces that can be spoiled one by one: tensors, then header entries, then bytes."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass, field

BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"), 8),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32"), 32),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 64),
    "F6_E2M3": 6,
    "F4": 4,
}


@dataclass
class Piece:
    """One tensor; `data` need not be as long as shape and type say."""

    name: str
    dtype: str
    shape: list[int]
    data: bytes

    @property
    def size(self) -> int:
        """Bytes that type and shape ask for, rounded up."""
        return -(-math.prod(self.shape) * BITS.get(self.dtype, 8) // 8)


@dataclass
class Draft:
    """Metadata and tensors, in the order in which they are written."""

    metadata: dict[str, object] | None = None
    pieces: list[Piece] = field(default_factory=list)


@dataclass
class Entry:
    """One name of the header and its fields, all of them JSON text that need not be JSON any more."""

    name: str
    fields: list[tuple[str, str]]

    def text(self) -> str:
        """Return the entry as it stands in the header."""
        return f"{self.name}:{{{','.join(f'{key}:{value}' for key, value in self.fields)}}}"


def entries(draft: Draft) -> tuple[list[Entry], bytes]:
    """Return the header's entries and the payload of a draft."""
    found: list[Entry] = []
    if draft.metadata is not None:
        pairs = [(json.dumps(key), json.dumps(value)) for key, value in draft.metadata.items()]
        found.append(Entry('"__metadata__"', pairs))
    start = 0
    for piece in draft.pieces:
        end = start + len(piece.data)
        fields = [
            ('"dtype"', f'"{piece.dtype}"'),
            ('"shape"', f"[{','.join(map(str, piece.shape))}]"),
            ('"data_offsets"', f"[{start},{end}]"),
        ]
        found.append(Entry(json.dumps(piece.name), fields))
        start = end
    return found, b"".join(piece.data for piece in draft.pieces)


def assembled(found: list[Entry], payload: bytes) -> bytes:
    """Return the file's bytes."""
    text = "{" + ",".join(entry.text() for entry in found) + "}"
    header = text.encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(header)) + header + payload
