"""Ten thousand files as a collector has them: `python -m tests.bench.shelf FOLDER [COUNT]`, no test.

Real module names and shapes, kohya's metadata with the tags of the training pictures, previews, and sidecars
of several tools. Payloads are holes of the true size: they take no room, and nothing may read them anyway.
"""

from __future__ import annotations

import json
import random
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_lora.keys.targets import find_target

COUNT = 10_000
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
FOLDERS = (
    "characters/anime",
    "characters/real",
    "styles",
    "styles/old painters",
    "concepts",
    "clothing",
    "画風",
)
WORDS = (
    *(
        "girl",
        "boy",
        "hair",
        "eyes",
        "dress",
        "hat",
        "night",
        "neon",
        "city",
        "forest",
        "sky",
        "smile",
        "cat",
    ),
    *("robot", "armor", "sword", "water", "snow", "rain", "light", "shadow", "portrait", "landscape", "ink"),
    *("painting", "sketch", "pixel", "retro", "cyber", "punk", "gothic", "summer", "winter", "flower"),
)
BASES = {
    "sd1": ("sd_v1", "v1-5-pruned-emaonly.safetensors"),
    "sd2": ("sd_v2_v", "v2-1_768-ema-pruned.safetensors"),
    "sdxl": ("sdxl_base_v1-0", "sd_xl_base_1.0.safetensors"),
}
PREFIXES = {"unet": "lora_unet", "clip_l": "lora_te", "clip_h": "lora_te", "clip_g": "lora_te2"}


@dataclass(frozen=True)
class Kind:
    """One recipe of a trainer: files of a kind have the same tensors."""

    base: str
    family: str  # lora, locon or loha
    text: bool
    rank: int
    dtype: str


def kinds() -> tuple[Kind, ...]:
    """Every recipe, the commonest first."""
    return tuple(
        Kind(base, family, text, rank, dtype)
        for dtype in ("F16", "BF16", "F32")
        for family in ("lora", "locon", "loha")
        for base in BASES
        for text in (True, False)
        for rank in (32, 16, 8, 64, 128, 4)
    )


def tensors(kind: Kind, resized: random.Random | None) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield names and shapes of a file's tensors; a resized file has a rank of its own in every module."""
    for name, shape in sorted(find_target(kind.base).shapes.items()):
        part, _, path = name.partition(".")
        unet = part == "unet"
        kernel = shape[2:] if len(shape) == 4 and shape[2:] != (1, 1) else ()
        attention = "attn" in name or "proj" in name or "ff." in name
        if len(shape) < 2 or (unet and kind.family == "lora" and not attention) or not (unet or kind.text):
            continue
        prefix = "lora_te1" if kind.base == "sdxl" and part == "clip_l" else PREFIXES[part]
        module = f"{prefix}_{path.replace('.', '_')}"
        rank = resized.randint(1, kind.rank) if resized else kind.rank
        out, into = shape[:2]
        ones = (1, 1) if len(shape) == 4 else ()
        yield f"{module}.alpha", ()
        if kind.family == "loha":
            for number in "12":
                yield f"{module}.hada_w{number}_a", (out, rank)
                yield f"{module}.hada_w{number}_b", (rank, into * (kernel[0] * kernel[1] if kernel else 1))
        else:
            yield f"{module}.lora_down.weight", (rank, into, *(kernel or ones))
            yield f"{module}.lora_up.weight", (out, rank, *ones)


def described(kind: Kind, resized: random.Random | None = None) -> tuple[str, int]:
    """Return the header's entries after the metadata, and the payload's size in bytes."""
    bytes_each = 4 if kind.dtype == "F32" else 2
    entries, start = [], 0
    for name, shape in tensors(kind, resized):
        size = bytes_each
        for length in shape:
            size *= length
        place = f"[{start},{start + size}]"
        sizes = ",".join(map(str, shape))
        entries.append(f'"{name}":{{"dtype":"{kind.dtype}","shape":[{sizes}],"data_offsets":{place}}}')
        start += size
    return ",".join(entries), start


def metadata(kind: Kind, name: str, draw: random.Random) -> dict[str, str]:
    """Return what kohya's trainer writes, shortened by what nobody shows."""
    version, checkpoint = BASES[kind.base]
    tags = {
        f"{draw.choice(WORDS)} {draw.choice(WORDS)}": draw.randint(1, 60)
        for _ in range(draw.randint(40, 300))
    }
    told = {
        "ss_output_name": name,
        "ss_session_id": str(draw.getrandbits(32)),
        "ss_training_started_at": str(1_680_000_000 + draw.randint(0, 10**8)),
        "ss_sd_model_name": checkpoint,
        "ss_base_model_version": version,
        "ss_v2": str(kind.base == "sd2"),
        "ss_network_module": "networks.lora" if kind.family == "lora" else "lycoris.kohya",
        "ss_network_dim": str(kind.rank),
        "ss_network_alpha": str(kind.rank / 2),
        "ss_network_args": json.dumps({"algo": kind.family}) if kind.family != "lora" else "None",
        "ss_resolution": "(1024, 1024)" if kind.base == "sdxl" else "(512, 512)",
        "ss_learning_rate": "0.0001",
        "ss_num_train_images": str(draw.randint(10, 400)),
        "ss_num_epochs": "10",
        "ss_steps": "3000",
        "ss_optimizer": "bitsandbytes.optim.adamw.AdamW8bit(weight_decay=0.1,betas=(0.9, 0.99))",
        "ss_clip_skip": "2",
        "ss_seed": str(draw.getrandbits(31)),
        "ss_dataset_dirs": json.dumps({f"10_{name}": {"n_repeats": 10, "img_count": 40}}),
        "ss_bucket_info": json.dumps(
            {"buckets": {str(n): {"resolution": [512, 64 * n]} for n in range(4, 16)}}
        ),
        "ss_tag_frequency": json.dumps({f"10_{name}": {name.split("_")[0]: 60, **tags}}),
        "modelspec.sai_model_spec": "1.0.0",
    }
    if draw.random() < 0.7:
        told["sshs_model_hash"] = f"{draw.getrandbits(256):064x}"
        told["sshs_legacy_hash"] = f"{draw.getrandbits(32):08x}"
    return told


def beside(path: Path, name: str, draw: random.Random) -> None:
    """Write the pictures and texts that lie beside a file."""
    if draw.random() < 0.6:
        path.with_suffix(draw.choice((".png", ".preview.png"))).write_bytes(PIXEL)
    if draw.random() < 0.3:
        own = {
            "activation text": f"{name}, {draw.choice(WORDS)}",
            "preferred weight": 0.8,
            "notes": "try at night",
        }
        path.with_suffix(".json").write_text(json.dumps(own), encoding="utf-8")
    if draw.random() < 0.3:
        images: list[Any] = [
            {"url": "https://example.org/x", "meta": {"prompt": " ".join(draw.choices(WORDS, k=40))}}
            for _ in range(5)
        ]
        info = {"modelId": 1, "name": "v1.0", "baseModel": "SD 1.5", "trainedWords": [name], "images": images}
        path.with_suffix(".civitai.info").write_text(json.dumps(info), encoding="utf-8")


def make_shelf(folder: Path, count: int = COUNT, seed: int = 7, resized: bool = False) -> Path:
    """Write `count` files below `folder`, the same ones for the same seed; returns the folder.

    As trained, a few hundred descriptions of tensors serve all files; resized, no two files have the same.
    """
    draw = random.Random(seed)
    known = kinds()
    made: dict[Kind, tuple[str, int]] = {}
    for number in range(count):
        kind = known[min(int(draw.expovariate(1 / 30)), len(known) - 1)]
        if resized or kind not in made:
            made[kind] = described(kind, draw if resized else None)
        entries, payload = made[kind]
        name = f"{draw.choice(WORDS)}_{draw.choice(WORDS)}_{number}"
        path = folder / draw.choice(FOLDERS) / f"{name}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        own = json.dumps(metadata(kind, name, draw), separators=(",", ":"))
        header = f'{{"__metadata__":{own},{entries}}}'.encode()
        header += b" " * (-len(header) % 8)
        with path.open("wb") as file:
            file.write(struct.pack("<Q", len(header)) + header)
            file.truncate(8 + len(header) + payload)
        beside(path, name, draw)
    return folder


if __name__ == "__main__":
    shelf = make_shelf(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
    print(f"{sum(1 for _ in shelf.rglob('*.safetensors'))} files in {shelf}")
