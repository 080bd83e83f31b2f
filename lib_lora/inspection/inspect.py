"""One file's facts as a plain table: what it is, how it was trained, its hashes, how it fits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib_lora.errors import FileError
from lib_lora.files.architecture import LABELS
from lib_lora.files.hashes import autov2, file_sha256, legacy, payload_sha256, short
from lib_lora.files.header import Header, read_header
from lib_lora.files.metadata import NetworkFacts, facts
from lib_lora.inspection.numbers import read_numbers
from lib_lora.keys import find_architecture, resolve
from lib_lora.keys.spellings import split_suffix

Table = dict[str, Any]


def inspect_file(path: Path, against: str = "") -> Table:
    """Return everything told by header and hashes; a file that lies has only `file` and `error`."""
    try:
        header = read_header(path)
        told = facts(header)
        table: Table = {
            "file": str(path),
            "size": header.file_size,
            "tensors": len(header.tensors),
            **_structure(path, header, told),
            **_words(told),
            "hashes": _hashes(path, told),
        }
        if against:
            table["fit"] = _fit(header, told, against)
    except FileError as error:
        return {"file": str(path), "error": {"name": type(error).__name__, "message": str(error)}}
    return table


def _structure(path: Path, header: Header, told: NetworkFacts) -> Table:
    alphas = Counter(read_numbers(path, header, ".alpha").values())
    return {
        "problem": told.problem,
        "families": list(told.families),
        "architecture": told.architecture,
        "made_for": LABELS.get(told.architecture, ""),
        "note": told.note,
        "parts": list(told.parts),
        "ranks": list(told.ranks),
        "alphas": sorted(alpha for alpha in alphas if math.isfinite(alpha)),
        "odd_alphas": sum(count for alpha, count in alphas.items() if not math.isfinite(alpha)),
        "dtypes": dict(Counter(info.dtype for info in header.tensors.values())),
    }


def _words(told: NetworkFacts) -> Table:
    words = told.words
    return {
        "title": words.title or words.alias,
        "description": words.description,
        "trigger_words": list(words.trigger_words),
        "tags": dict(words.tags),
        "trained": dict(words.trained),
    }


def _hashes(path: Path, told: NetworkFacts) -> Table:
    payload = payload_sha256(path)
    declared = told.words.declared_hash
    return {
        "autov3": short(payload),
        "payload_sha256": payload,
        "autov2": autov2(path),
        "sha256": file_sha256(path),
        "legacy": legacy(path),
        "declared": declared,
        "declared_is_right": declared in ("", payload),
    }


def _fit(header: Header, told: NetworkFacts, against: str) -> Table:
    """Match every weight the file names with the names of an architecture; sizes need the model itself."""
    resolution = resolve(header.tensors, against)
    unmatched = _modules(resolution.unmatched)
    known = find_architecture(against)
    total = len(resolution.groups) + len(unmatched)
    parts = Counter(name.partition(".")[0] for name in resolution.groups)
    made_for = told.architecture
    return {
        "against": against,
        "label": known.label,
        "matched": len(resolution.groups),
        "total": total,
        "parts": {part: parts[part] for part in known.parts},
        "unmatched": unmatched,
        "duplicates": [list(pair) for pair in resolution.duplicates],
        "fits": bool(resolution.groups) and made_for in ("", against) and 2 * len(resolution.groups) >= total,
        "reason": f"It was made for {LABELS[made_for]}." if made_for not in ("", against) else "",
    }


def _modules(names: tuple[str, ...]) -> list[str]:
    splits: Mapping[str, tuple[str, str] | None] = {name: split_suffix(name) for name in names}
    return list(dict.fromkeys(name if split is None else split[0] for name, split in splits.items()))
