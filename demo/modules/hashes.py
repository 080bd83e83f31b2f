"""sha256 of model files, kept in cache.json with the file's time."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from modules.paths_internal import default_output_dir

_cache_file = Path(default_output_dir) / "cache.json"
_tables: dict[str, dict] = {}


def cache(subsection: str) -> dict:
    """A table of the cache file."""
    if not _tables and _cache_file.is_file():
        try:
            _tables.update(json.loads(_cache_file.read_text(encoding="utf8")))
        except (OSError, ValueError):
            _tables.clear()
    return _tables.setdefault(subsection, {})


def dump_cache() -> None:
    """Write the cache; a folder that cannot be written only costs time at the next start."""
    try:
        _cache_file.parent.mkdir(parents=True, exist_ok=True)
        _cache_file.write_text(json.dumps(_tables, indent=1), encoding="utf8")
    except OSError:
        return


def calculate_sha256_real(filename: str) -> str:
    digest = hashlib.sha256()
    with Path(filename).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


calculate_sha256 = calculate_sha256_real


def sha256_from_cache(filename: str, title: str, use_addnet_hash: bool = False) -> str | None:
    known = cache("hashes-addnet" if use_addnet_hash else "hashes").get(title)
    if known is None or known.get("mtime") != Path(filename).stat().st_mtime:
        return None
    return known.get("sha256")


def sha256(filename: str, title: str, use_addnet_hash: bool = False) -> str | None:
    """Hash of the whole file, or of a safetensors file's tensors only (`use_addnet_hash`)."""
    from modules import shared

    known = sha256_from_cache(filename, title, use_addnet_hash)
    if known is not None:
        return known
    if shared.cmd_opts.no_hashing:
        return None
    value = addnet_hash_safetensors(filename) if use_addnet_hash else calculate_sha256_real(filename)
    table = cache("hashes-addnet" if use_addnet_hash else "hashes")
    table[title] = {"mtime": Path(filename).stat().st_mtime, "sha256": value}
    dump_cache()
    return value


def addnet_hash_safetensors(filename: str) -> str:
    """sha256 of everything after the header."""
    digest = hashlib.sha256()
    with Path(filename).open("rb") as file:
        file.seek(int.from_bytes(file.read(8), "little") + 8)
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
