"""Small network files on disk, written without torch."""

from __future__ import annotations

import json
import struct
from pathlib import Path

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


def write_network(path: Path, rank: int = 4, fill: int = 0, **metadata: str) -> Path:
    """Write a LoRA on one layer of SD1; `fill` makes its payload different from others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    name = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    start = 0
    for part, shape in (("lora_down", (rank, 768)), ("lora_up", (320, rank))):
        size = shape[0] * shape[1] * 2
        header[f"{name}.{part}.weight"] = {
            "dtype": "F16",
            "shape": shape,
            "data_offsets": [start, start + size],
        }
        start += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes([fill]) * start)
    return path
