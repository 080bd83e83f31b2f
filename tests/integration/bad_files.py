"""Files that must never lead to a picture: each a different way to be wrong."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

LAYER = "lora_unet_mid_block_attentions_0_proj_in"


def write_all(folder: Path) -> None:
    """Write every bad file into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    good = _lora(128, 128)
    save_file(good, folder / "whole.safetensors")
    content = (folder / "whole.safetensors").read_bytes()
    (folder / "whole.safetensors").unlink()
    (folder / "empty.safetensors").write_bytes(b"")
    (folder / "truncated.safetensors").write_bytes(content[:-5])
    (folder / "pickled.safetensors").write_bytes(pickle.dumps({"not": "safetensors"}, protocol=4))
    (folder / "no_tensors.safetensors").write_bytes(_container({"__metadata__": {"format": "pt"}}))
    header = {f"{LAYER}.alpha": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}}
    (folder / "strange_numbers.safetensors").write_bytes(_container(header, b"1234"))
    save_file(_lora(128, 128, np.nan), folder / "not_a_number.safetensors")
    save_file(_lora(1280, 1280), folder / "full_size.safetensors")
    (folder / "web_page.safetensors").write_bytes(b"<!DOCTYPE html><title>Log in</title>")
    save_file({f"{LAYER}.lora_up.weight": np.zeros((128, 4), np.float32)}, folder / "half.safetensors")
    mixed = {**good, f"{LAYER}.diff": np.zeros((128, 128), np.float32)}
    save_file(mixed, folder / "two_families.safetensors")
    save_file(_loha(16384), folder / "enormous.safetensors")
    save_file({"something.else": np.zeros((2, 2), np.float32)}, folder / "stranger.safetensors")
    xl = "lora_unet_input_blocks_4_1_transformer_blocks_1_attn2_to_k"
    save_file(
        {
            f"{xl}.lora_down.weight": np.zeros((4, 2048), np.float32),
            f"{xl}.lora_up.weight": np.zeros((640, 4), np.float32),
        },
        folder / "for_sdxl.safetensors",
    )


def _lora(out: int, into: int, value: float = 0.01) -> dict[str, np.ndarray]:
    return {
        f"{LAYER}.lora_down.weight": np.full((4, into, 1, 1), value, np.float32),
        f"{LAYER}.lora_up.weight": np.full((out, 4, 1, 1), value, np.float32),
        f"{LAYER}.alpha": np.float32([4.0]),
    }


def _loha(size: int) -> dict[str, np.ndarray]:
    """Kilobytes that multiply to a gigabyte."""
    halves = {"a": np.ones((size, 1), np.float16), "b": np.ones((1, size), np.float16)}
    return {f"{LAYER}.hada_w{half}_{end}": part for half in "12" for end, part in halves.items()}


def _container(header: dict[str, object], payload: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + payload
