"""Folders of small networks for the library's tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib_lora.library import walk
from tests.files.samples import network, raw, write


def network_bytes(value: int = 0, metadata: dict[str, str] | None = None, dtype: str = "U8") -> bytes:
    """A file whose payload is one byte, so that its hash is chosen by `value`."""
    plain = network({"lora_unet_x.lora_down.weight": (1,)}, metadata, dtype)
    return plain[:-1] + bytes([value])


def put(root: Path, label: str, value: int = 0, **metadata: str) -> Path:
    """Write a network under its label."""
    return write(root / f"{label}.safetensors", network_bytes(value, metadata or None))


UNFINISHED = raw(b"{}", length=500)


def refuse_folder(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the system refuse to list folders of that name."""
    real = os.scandir

    def refusing(folder: str | Path) -> object:
        if Path(folder).name == name:
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(walk.os, "scandir", refusing)
