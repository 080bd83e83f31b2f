"""Tensor names of a file onto canonical weight names: a table lookup in which nothing gets lost.

resolution = resolve(header.tensors, "sd1")
resolution.groups["unet.middle_block.1.proj_in"]["lora_down"]   # the tensor's name in the file
resolution.unmatched                                            # names that lead nowhere, for the report
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lib_lora.errors import ModelUnavailableError
from lib_lora.keys.architecture import Architecture
from lib_lora.keys.sd1 import SD1
from lib_lora.keys.sd2 import SD2
from lib_lora.keys.sdxl import REFINER, SDXL
from lib_lora.keys.shapes import Shape, fits, made_for
from lib_lora.keys.spellings import ANY_PART, PREFIXES, flat, split_suffix

Spelled = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]
"""Canonical names that a spelling may mean, and its tensors by role."""

ARCHITECTURES: tuple[Architecture, ...] = (SD1, SD2, SDXL, REFINER)


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


def resolve(names: Iterable[str], architecture: str, shapes: Mapping[str, Shape] | None = None) -> Resolution:
    """Sort tensor names by the weight they change; every name ends up in exactly one field of the result.

    shapes: of the tensors, by name. They decide where a name could mean either of two text encoders.
    """
    known = find_architecture(architecture)
    spelled, odd = _spelled(tuple(names), known)
    unmatched = [*odd]
    groups: dict[str, dict[str, str]] = {}
    duplicates: list[tuple[str, str]] = []
    for candidates, tensors in spelled:
        if len(candidates) > 1:
            candidates = tuple(_of_shape(candidates, tensors, known, shapes or {}))
        if len(candidates) != 1:
            unmatched.extend(name for _, name in tensors)
            continue
        group = groups.setdefault(candidates[0], {})
        for role, name in tensors:
            if role in group:
                duplicates.append((group[role], name))
            else:
                group[role] = name
    return Resolution(groups, tuple(unmatched), tuple(duplicates))


@lru_cache(8)  # the files of a stack were often made by one trainer
def _spelled(names: tuple[str, ...], known: Architecture) -> tuple[tuple[Spelled, ...], tuple[str, ...]]:
    """Return what each spelling may mean with its tensors, and the names that are spelled in no known way."""
    spelled: dict[str, list[tuple[str, str]]] = {}
    unmatched: list[str] = []
    for name in names:
        split = split_suffix(name)
        if split is None:
            unmatched.append(name)
        else:
            spelled.setdefault(split[0], []).append((split[1], name))
    found = [(tuple(_candidates(spelling, known)), tuple(tensors)) for spelling, tensors in spelled.items()]
    return tuple(found), tuple(unmatched)


def part_of(name: str, architecture: Architecture) -> str:
    """Return the part that a tensor's prefix speaks of, or an empty text where it says nothing."""
    key = flat(name)
    fitting = [
        (len(prefix), said)
        for prefix, said in PREFIXES
        if said != ANY_PART and key.startswith(f"{flat(prefix)}_")
    ]
    return architecture.part_of(max(fitting)[1]) if fitting else ""


def _candidates(spelling: str, architecture: Architecture) -> list[str]:
    """Return the canonical names a spelling may mean: more than one only where it does not say the part."""
    key, tables = flat(spelling), architecture.paths()
    for prefix, said in PREFIXES:
        start = f"{flat(prefix)}_" if prefix else ""
        if not key.startswith(start):
            continue
        path = key[len(start) :]
        parts = architecture.parts if said == ANY_PART else (architecture.part_of(said),)
        found = [tables[part][path] for part in parts if part and path in tables[part]]
        if found:
            return found
    return []


def _of_shape(
    candidates: Sequence[str],
    tensors: Sequence[tuple[str, str]],
    architecture: Architecture,
    shapes: Mapping[str, Shape],
) -> list[str]:
    made = made_for({role: shapes[name] for role, name in tensors if name in shapes})
    if made is None:
        return []
    real = architecture.shapes()
    return [name for name in candidates if fits(made, real[name])]
