"""Safetensors files built byte by byte, good and bad."""

from __future__ import annotations

import json
import struct
from pathlib import Path

BITS = {"F32": 32, "F16": 16, "BF16": 16, "U8": 8, "I64": 64}


def raw(header: bytes, payload: bytes = b"", length: int | None = None) -> bytes:
    """The bytes of a file whose header is given as it stands; `length` lies about its length."""
    return struct.pack("<Q", len(header) if length is None else length) + header + payload


def one(info: str, payload: bytes = b"\0\0") -> bytes:
    """A file with one tensor `a`, described by JSON text."""
    return raw(b'{"a":' + info.encode() + b"}", payload)


GOOD = one('{"dtype":"F16","shape":[1],"data_offsets":[0,2]}')


def network(
    shapes: dict[str, tuple[int, ...]], metadata: dict[str, str] | None = None, dtype: str = "F16"
) -> bytes:
    """A file with tensors of zeros in the given shapes."""
    header: dict[str, object] = {} if metadata is None else {"__metadata__": metadata}
    position = 0
    for name, shape in shapes.items():
        count = 1
        for size in shape:
            count *= size
        end = position + count * BITS[dtype] // 8
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [position, end]}
        position = end
    return raw(json.dumps(header, separators=(",", ":")).encode(), b"\0" * position)


def lora(module: str, out: int, into: int, rank: int = 4) -> dict[str, tuple[int, ...]]:
    """The shapes of one LoRA module in kohya's spelling."""
    return {
        f"{module}.alpha": (),
        f"{module}.lora_down.weight": (rank, into),
        f"{module}.lora_up.weight": (out, rank),
    }


def write(path: Path, content: bytes) -> Path:
    """Write a file, making its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
