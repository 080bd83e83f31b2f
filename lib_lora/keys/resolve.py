"""Tensor names of a file onto canonical weight names: a table lookup in which nothing gets lost.

resolution = resolve(header.tensors, "sd1")
resolution.groups["unet.middle_block.1.proj_in"]["lora_down"]   # the tensor's name in the file
resolution.unmatched                                            # names that lead nowhere, for the report
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lib_lora.errors import ModelUnavailableError
from lib_lora.keys.architecture import Architecture
from lib_lora.keys.sd1 import SD1
from lib_lora.keys.spellings import ANY_PART, PREFIXES, flat, split_suffix

ARCHITECTURES: tuple[Architecture, ...] = (SD1,)


@dataclass(frozen=True)
class Resolution:
    """What the names of one file lead to.

    groups: canonical name → role → tensor name. unmatched: tensor names that lead nowhere. duplicates: pairs
    of tensor names that claim the same role of the same weight; the first of each pair is in `groups`.
    """

    groups: Mapping[str, Mapping[str, str]]
    unmatched: tuple[str, ...]
    duplicates: tuple[tuple[str, str], ...] = ()


def find_architecture(name: str) -> Architecture:
    """Return the architecture of that name; `ModelUnavailableError` when it is not supported."""
    for architecture in ARCHITECTURES:
        if architecture.name == name:
            return architecture
    known = ", ".join(architecture.label for architecture in ARCHITECTURES)
    raise ModelUnavailableError(
        f"Checkpoints of type '{name}' are not supported in this version. Load a checkpoint of type: {known}."
    )


def resolve(names: Iterable[str], architecture: str) -> Resolution:
    """Sort tensor names by the weight they change; every name ends up in exactly one field of the result."""
    table = find_architecture(architecture).paths()
    known: dict[str, str | None] = {}
    groups: dict[str, dict[str, str]] = {}
    unmatched: list[str] = []
    duplicates: list[tuple[str, str]] = []
    for name in names:
        split = split_suffix(name)
        if split is None:
            unmatched.append(name)
            continue
        spelling, role = split
        if spelling not in known:
            known[spelling] = _canonical(spelling, table)
        canonical = known[spelling]
        if canonical is None:
            unmatched.append(name)
            continue
        group = groups.setdefault(canonical, {})
        if role in group:
            duplicates.append((group[role], name))
        else:
            group[role] = name
    return Resolution(groups, tuple(unmatched), tuple(duplicates))


def _canonical(spelling: str, table: Mapping[str, str]) -> str | None:
    key = flat(spelling)
    for prefix, part in PREFIXES:
        start = f"{flat(prefix)}_" if prefix else ""
        if key.startswith(start):
            canonical = table.get(key[len(start) :])
            if canonical is not None and part in (ANY_PART, canonical.partition(".")[0]):
                return canonical
    return None
