"""How a file meets a kind of checkpoint: names and shapes against the real structure, weight by weight."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lib_lora.files.architecture import LABELS
from lib_lora.files.embeddings import split_bundle
from lib_lora.files.header import Header
from lib_lora.files.metadata import NetworkFacts
from lib_lora.keys import resolve
from lib_lora.keys.resolve import part_of
from lib_lora.keys.shapes import ANY, EITHER, Shape, fits, made_for
from lib_lora.keys.spellings import split_suffix
from lib_lora.keys.targets import INPUT_LAYER, Target

Table = dict[str, Any]
OTHER = "other"
"""What cannot be said to belong to any part."""


def compare(header: Header, told: NetworkFacts, target: Target) -> Table:
    """Return how many weights find their place with their shape, by part, and why the others do not."""
    _, names = split_bundle(header.tensors)
    shapes = {name: header.tensors[name].shape for name in names}
    resolution = resolve(names, target.architecture.name, shapes)
    parts: dict[str, dict[str, int]] = {part: {"matched": 0, "of": 0} for part in target.architecture.parts}
    absent: list[str] = []
    misfits: list[str] = []
    for name, roles in resolution.groups.items():
        why = _misfit(name, {role: shapes[tensor] for role, tensor in roles.items()}, target)
        count = parts[name.partition(".")[0]]
        count["of"] += 1
        count["matched"] += why is None
        if why == "":
            absent.append(name)
        elif why:
            misfits.append(why)
    unmatched = _modules(resolution.unmatched)
    for module in unmatched:
        part = part_of(f"{module}.", target.architecture) or OTHER
        parts.setdefault(part, {"matched": 0, "of": 0})["of"] += 1
    matched, total = (sum(count[field] for count in parts.values()) for field in ("matched", "of"))
    foreign = told.architecture not in ("", target.architecture.name)
    return {
        "against": target.name,
        "label": target.label,
        "matched": matched,
        "total": total,
        "parts": {part: count for part, count in parts.items() if count["of"]},
        "unmatched": unmatched,
        "absent": absent,
        "misfits": misfits,
        "duplicates": [list(pair) for pair in resolution.duplicates],
        "fits": bool(matched) and not misfits and not foreign and 2 * matched >= total,
        "reason": _reason(told, foreign, bool(misfits)),
    }


def _reason(told: NetworkFacts, foreign: bool, misfits: bool) -> str:
    if foreign:
        return f"It was made for {LABELS[told.architecture]}."
    return told.note if misfits else ""


def _misfit(name: str, shapes: dict[str, Shape], target: Target) -> str | None:
    """Return why a weight does not fit: None where it does, an empty text where there is no such weight."""
    host = target.shapes.get(name)
    if host is None:
        return ""
    made = made_for(shapes)
    if made is None:
        listed = ", ".join(f"{role} {_size(shape)}" for role, shape in sorted(shapes.items()))
        return f"{name}: these tensors make no change ({listed})"
    if fits(made, host, may_be_wider=name == INPUT_LAYER):
        return None
    return f"{name} is {_size(host)} in {target.label}, {_size(made)} in the file"


def _modules(names: Iterable[str]) -> list[str]:
    """Return the modules that tensor names speak of, each once."""
    splits = ((name, split_suffix(name)) for name in names)
    return list(dict.fromkeys(name if split is None else split[0] for name, split in splits))


def _size(shape: Shape) -> str:
    if shape[:1] == (EITHER,):
        return f"{shape[1]} on one side"
    return "×".join("any" if size == ANY else str(size) for size in shape) or "one number"
