"""Folders of small networks for the library's tests."""

from __future__ import annotations

from pathlib import Path

from tests.files.samples import network, raw, write


def network_bytes(value: int = 0, metadata: dict[str, str] | None = None, dtype: str = "U8") -> bytes:
    """A file whose payload is one byte, so that its hash is chosen by `value`."""
    plain = network({"lora_unet_x.lora_down.weight": (1,)}, metadata, dtype)
    return plain[:-1] + bytes([value])


def put(root: Path, label: str, value: int = 0, **metadata: str) -> Path:
    """Write a network under its label."""
    return write(root / f"{label}.safetensors", network_bytes(value, metadata or None))


UNFINISHED = raw(b"{}", length=500)
