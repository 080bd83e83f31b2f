"""The LoRA files of the host's folder, as the built-in Lora lists them for the API."""

from __future__ import annotations

from pathlib import Path

from modules import shared
from safetensors import SafetensorError


def list_lora_files() -> list[dict[str, object]]:
    """Name, alias, path and metadata of every readable file."""
    from modules.sd_models import read_metadata_from_safetensors

    found = []
    root = Path(shared.cmd_opts.lora_dir)
    for path in sorted(root.rglob("*.safetensors")) if root.is_dir() else []:
        try:
            metadata = read_metadata_from_safetensors(str(path))
        except (OSError, SafetensorError):
            continue
        alias = metadata.get("ss_output_name") or path.stem
        found.append({"name": path.stem, "alias": alias, "path": str(path), "metadata": metadata})
    return found
