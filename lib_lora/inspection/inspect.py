"""One file's facts as a plain table: what it is, how it was trained, its hashes, how it fits."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

from lib_lora.errors import FileError
from lib_lora.files.architecture import LABELS
from lib_lora.files.hashes import autov2, declared_legacy, file_sha256, legacy, payload_sha256, short
from lib_lora.files.header import Header, read_header
from lib_lora.files.metadata import ARGUMENTS_LIMIT, NetworkFacts, facts
from lib_lora.files.peft import CONFIG, PeftScale, is_export, read_config, read_metadata
from lib_lora.files.text import parse_json
from lib_lora.inspection.fit import compare
from lib_lora.inspection.numbers import read_numbers
from lib_lora.keys import ARCHITECTURES, find_target

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
            "hashes": _hashes(path, header, told),
        }
        if against:
            table["fit"] = compare(header, told, find_target(against))
    except FileError as error:
        return {"file": str(path), "error": {"name": type(error).__name__, "message": str(error)}}
    return table


def _structure(path: Path, header: Header, told: NetworkFacts) -> Table:
    alphas = Counter(read_numbers(path, header, ".alpha").values())
    finite = sorted(alpha for alpha in alphas if math.isfinite(alpha))
    return {
        "problem": told.problem,
        "refused": _refusal(told),
        "families": list(told.families),
        "architecture": told.architecture,
        "made_for": LABELS.get(told.architecture, ""),
        "note": told.note,
        "remarks": [*told.remarks, *_other_alpha(header, finite), *_peft_scale(path, header)],
        "parts": list(told.parts),
        "ranks": list(told.ranks),
        "alphas": finite,
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


def _refusal(told: NetworkFacts) -> str:
    """Say why a file for a kind of model that we do not change cannot be used."""
    known = {architecture.name: architecture.label for architecture in ARCHITECTURES}
    if told.problem or told.architecture in ("", *known):
        return ""
    return (
        f"Made for {LABELS[told.architecture]}, whose layers are others. LoRA Stack works with "
        f"{', '.join(known.values())}."
    )


def _other_alpha(header: Header, alphas: list[float]) -> list[str]:
    """Say where the metadata tells another alpha than the tensors; rs-LoRA stores it multiplied."""
    arguments = parse_json(header.metadata.get("ss_network_args", ""), ARGUMENTS_LIMIT)
    told = [header.metadata.get("ss_network_alpha", "")]
    if isinstance(arguments, dict):
        if str(arguments.get("rs_lora")).lower() in ("true", "1"):
            return []
        told += [str(arguments.get(name, "")) for name in ("conv_alpha", "alpha")]
    try:
        claimed = float(told[0])
        others = [float(text) for text in told[1:] if text not in ("", "None")]
    except ValueError:
        return []
    near = any(math.isclose(alpha, claim, rel_tol=0.01) for alpha in alphas for claim in (claimed, *others))
    if near or not alphas or claimed == 0:  # 0 is written for "as much as the rank"
        return []
    return [f"Its metadata says alpha {claimed:g}, its tensors do not."]


def _peft_scale(path: Path, header: Header) -> list[str]:
    """Say where a file of PEFT's has its scale from, which is not among its tensors."""
    noted = read_metadata(header.metadata)
    if noted:
        return [f"Its metadata tells its scale: {_scale(noted[0])}."]
    if not is_export(path, header.tensors):
        return []
    config = read_config(path)
    if config is None:
        return [f"PEFT wrote it, and {CONFIG} is not beside it: its scale is unknown and taken as 1."]
    return [f"{CONFIG} beside it tells its scale: {_scale(config)}."]


def _scale(peft: PeftScale) -> str:
    own = ", some modules their own" if peft.has_patterns else ""
    return f"alpha {peft.alpha:g}, rank {peft.rank:g}{' under a root' if peft.rs_lora else ''}{own}"


def _hashes(path: Path, header: Header, told: NetworkFacts) -> Table:
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
        "declared_legacy": declared_legacy(header.metadata),
    }
