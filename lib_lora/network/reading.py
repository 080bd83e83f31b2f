"""Reading a file's changes: which tensors belong together, what family they are, and what they say."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from lib_lora.adapters import Adapter, Family, find_family, split_rows, training_notes
from lib_lora.errors import (
    AdapterError,
    DuplicateWeightError,
    NotAnAdapterError,
    TensorShapeError,
    UnreadableFileError,
)
from lib_lora.files.architecture import LABELS
from lib_lora.files.embeddings import split_bundle
from lib_lora.files.metadata import tell_architecture
from lib_lora.files.peft import CONFIG, PeftScale, is_export, module_path, read_config, read_metadata
from lib_lora.files.structure import read_structure
from lib_lora.files.tensors import TensorFile, open_tensors
from lib_lora.files.text import parse_json
from lib_lora.keys import Resolution, resolve
from lib_lora.keys.openclip import fused_rows
from lib_lora.keys.spellings import split_suffix
from lib_lora.network.network import Network, shown

ARGUMENTS_LIMIT = 100_000  # characters of ss_network_args


def file_key(path: Path) -> Hashable:
    """Identity of a file's content: path, date and size, also of the configuration of PEFT beside it."""
    try:
        status = path.stat()
    except OSError as error:
        raise UnreadableFileError(
            f"'{path.name}' cannot be read: {error.strerror}. Refresh the list of files."
        ) from error
    try:
        config = path.with_name(CONFIG).stat()
    except OSError:
        return os.fspath(path), status.st_mtime_ns, status.st_size
    return os.fspath(path), status.st_mtime_ns, status.st_size, config.st_mtime_ns, config.st_size


def open_network(path: Path, architecture: str) -> Network:
    """Read every change of a file.

    Raises `FileError` for an unusable file and `AdapterError` for tensors that do not make one change; a
    file made for another architecture opens, with its names in `unmatched`.
    """
    key = file_key(path)
    with open_tensors(path) as file:
        bundle, names = split_bundle(file.names())
        shapes = {name: info.shape for name, info in file.header.tensors.items()}
        resolution = resolve(names, architecture, shapes)
        families, leftover = _families(path, resolution)
        unmatched = (*resolution.unmatched, *leftover)
        structure = read_structure(file.header.tensors)
        if bundle and not (families or unmatched):
            raise NotAnAdapterError(
                f"'{path.name}' holds embeddings and no LoRA. Put it into the WebUI's folder of embeddings."
            )
        if not families and structure.problem:
            raise NotAnAdapterError(f"'{path.name}' cannot be used. {structure.problem}")
        scales, scale_notes = _peft_scales(path, file)
        wanted = [tensor for name in families for tensor in resolution.groups[name].values()]
        packed = [tensor for found in bundle.values() for tensor in found.values()]
        tensors = file.read((*wanted, *packed))
    read = {
        name: _read(path, tensors, family, resolution.groups[name], scales)
        for name, family in families.items()
    }
    adapters = _unfused(path, read)
    embeddings = {
        name: {holds: _vectors(path, tensor, tensors[tensor]) for holds, tensor in found.items()}
        for name, found in bundle.items()
    }
    made_for = LABELS.get(tell_architecture(file.header.metadata, structure)[0], "")
    notes = _notes(adapters) + scale_notes
    notes += training_notes(_arguments(file.header.metadata), adapters.values())
    return Network(path, key, architecture, adapters, unmatched, notes, made_for, embeddings)


def _families(path: Path, resolution: Resolution) -> tuple[dict[str, Family], list[str]]:
    """Return the family of every weight, and the tensors that are no change."""
    if resolution.duplicates:
        first, second = map(shown, resolution.duplicates[0])
        raise DuplicateWeightError(
            f"'{path.name}' changes the same weight twice under two names: '{first}' and '{second}'. "
            "It was put together wrongly; download it again or use another version."
        )
    families: dict[str, Family] = {}
    leftover: list[str] = []
    for name, group in resolution.groups.items():
        try:
            family = find_family(group)
        except AdapterError as error:
            spelling = shown(next(iter(group.values())))
            raise type(error)(
                f"'{path.name}' cannot be used: '{spelling}' {error}. Remove the row, or use another file."
            ) from error
        if family is None:
            leftover.extend(group.values())
        else:
            families[name] = family
    return families, leftover


def _read(
    path: Path,
    read: Mapping[str, Tensor],
    family: Family,
    group: Mapping[str, str],
    scales: tuple[PeftScale, ...],
) -> Adapter:
    tensors = {
        role: read[name] if role in family.keeps else read[name].to(torch.float32)
        for role, name in group.items()
    }
    scale = None if {"alpha", "scale"} & group.keys() else _scale_of(group, scales)
    if scale is not None:
        tensors["scale"] = torch.tensor(scale)
    try:
        return family.read(tensors)
    except AdapterError as error:
        spelling = shown(next(iter(group.values())))
        raise type(error)(
            f"'{path.name}' is damaged: of the tensors beside '{spelling}', {error} "
            "Download the file again, or remove the row."
        ) from error


def _peft_scales(path: Path, file: TensorFile) -> tuple[tuple[PeftScale, ...], tuple[str, ...]]:
    """Return the scales written beside the tensors, and what to tell of them."""
    scales = read_metadata(file.header.metadata)
    if not scales and is_export(path, file.names()):
        config = read_config(path)
        if config is None:
            return (), (f"comes from PEFT without its {CONFIG}: its scale is unknown and taken as 1",)
        scales = (config,)
    unread = sum(scale.unread for scale in scales)
    return scales, (f"{unread} scales are given by patterns that were not understood",) if unread else ()


def _scale_of(group: Mapping[str, str], scales: tuple[PeftScale, ...]) -> float | None:
    """Return the scale of a change of a certain rank, where PEFT's configuration speaks of it."""
    if not any(role.startswith(("lora_", "hada_", "lokr_")) for role in group):
        return None
    name = next(iter(group.values()))
    split = split_suffix(name)
    for scale in scales:
        if split is not None and (not scale.component or name.startswith(f"{scale.component}.")):
            return scale.scale(module_path(split[0]))
    return None


def _unfused(path: Path, adapters: Mapping[str, Adapter]) -> dict[str, Adapter]:
    """Return the changes with those to a fused attention taken apart into q, k and v."""
    found: dict[str, Adapter] = {}
    for name, adapter in adapters.items():
        rows = fused_rows(name)
        if not rows:
            found[name] = adapter
            continue
        double = next((row for row in rows if row in adapters), None)
        if double is not None:
            raise DuplicateWeightError(
                f"'{path.name}' changes the same weight twice, as '{name}' and as '{double}'. "
                "It was put together wrongly; download it again or use another version."
            )
        try:
            found |= dict(zip(rows, split_rows(adapter, len(rows)), strict=True))
        except AdapterError as error:
            raise type(error)(
                f"'{path.name}' cannot be used: {name}: {error} Remove the row, or use another file."
            ) from error
    return found


def _vectors(path: Path, name: str, vectors: Tensor) -> Tensor:
    vectors = vectors.to(torch.float32)
    if vectors.dim() == 1:
        vectors = vectors[None]
    if vectors.dim() != 2 or not vectors.numel():
        sizes = ", ".join(map(str, vectors.shape))
        raise TensorShapeError(
            f"'{path.name}' is damaged: '{shown(name)}' has shape [{sizes}], which no embedding has. "
            "Download the file again, or remove the row."
        )
    return vectors


def _notes(adapters: Mapping[str, Adapter]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for adapter in adapters.values():
        for note in adapter.notes:
            counts[note] = counts.get(note, 0) + 1
    return tuple(f"{count} of {len(adapters)} weights: {note}" for note, count in counts.items())


def _arguments(metadata: Mapping[str, str]) -> Mapping[str, object]:
    """Return what the trainer was told about the network."""
    arguments = parse_json(metadata.get("ss_network_args", ""), ARGUMENTS_LIMIT)
    return arguments if isinstance(arguments, dict) else {}
