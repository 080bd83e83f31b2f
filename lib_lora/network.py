"""One file opened for one architecture: a change for every weight it names, and what found no place.

networks = NetworkCache()
network = networks.open(path, "sd1")            # FileError, AdapterError
fit = check_fit(network, view.shapes, "sd1")    # NetworkMismatchError
"""

from __future__ import annotations

import math
import os
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import torch
from torch import Tensor

from lib_lora.adapters import ANY, Adapter, Family, find_family, fits_widened, split_rows, training_notes
from lib_lora.errors import (
    AdapterError,
    DuplicateWeightError,
    NetworkMismatchError,
    NotAnAdapterError,
    TensorShapeError,
    UnreadableFileError,
)
from lib_lora.files.architecture import LABELS
from lib_lora.files.embeddings import split_bundle
from lib_lora.files.header import NAME_SHOWN
from lib_lora.files.metadata import facts
from lib_lora.files.peft import CONFIG, PeftScale, is_export, module_path, read_config, read_metadata
from lib_lora.files.tensors import TensorFile, open_tensors
from lib_lora.files.text import clean, parse_json
from lib_lora.keys import ARCHITECTURES, Resolution, find_architecture, resolve
from lib_lora.keys.openclip import fused_rows
from lib_lora.keys.spellings import split_suffix
from lib_lora.keys.targets import INPUT_LAYER

Shape = tuple[int, ...]
Vectors = Mapping[str, Tensor]
"""One embedding: `[n, width]` by what it is for, see `files/embeddings.py`."""

CACHE_BYTES = 1024**3
ARGUMENTS_LIMIT = 100_000  # characters of ss_network_args


@dataclass(frozen=True)
class Network:
    """An opened file.

    key: identity of the file's content as far as its date and size tell. made_for: what the file looks like,
    for people: `SDXL`, or empty. embeddings: those packed into it, by the name prompts use.
    """

    path: Path
    key: Hashable
    architecture: str
    adapters: Mapping[str, Adapter]
    unmatched: tuple[str, ...]
    notes: tuple[str, ...]
    made_for: str = ""
    embeddings: Mapping[str, Vectors] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's name without suffix."""
        return self.path.stem

    @property
    def total(self) -> int:
        """How many weights the file wants to change, known or not."""
        return len(self.adapters) + len(_modules(self.unmatched))

    @property
    def nbytes(self) -> int:
        """Memory its tensors take."""
        held = sum(adapter.nbytes for adapter in self.adapters.values())
        return held + sum(tensor.nbytes for found in self.embeddings.values() for tensor in found.values())


@dataclass(frozen=True)
class Fit:
    """How a network meets a model.

    matched: canonical names that will be changed, of `total`. absent: names known to the architecture that
    this model lacks. unmatched: modules the architecture does not know. misfits: weights of another shape,
    described.
    """

    matched: tuple[str, ...]
    total: int
    absent: tuple[str, ...]
    unmatched: tuple[str, ...]
    misfits: tuple[str, ...]


class NetworkCache:
    """The networks opened last, up to a number of bytes; a changed file is opened anew."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._lock = Lock()
        self._networks: OrderedDict[tuple[Hashable, str], Network] = OrderedDict()

    def open(self, path: Path, architecture: str) -> Network:
        """Return the network of a file, from memory if the file is the one read before."""
        key = file_key(path), architecture
        with self._lock:
            network = self._networks.pop(key, None)
        network = network or open_network(path, architecture)
        with self._lock:
            self._networks[key] = network
            while len(self._networks) > 1 and self._bytes() > self._limit:
                self._networks.popitem(last=False)
        return network

    def clear(self) -> None:
        """Forget all networks."""
        with self._lock:
            self._networks.clear()

    def _bytes(self) -> int:
        return sum(network.nbytes for network in self._networks.values())


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
        told = facts(file.header)
        if bundle and not (families or unmatched):
            raise NotAnAdapterError(
                f"'{path.name}' holds embeddings and no LoRA. Put it into the WebUI's folder of embeddings."
            )
        if not families and told.problem:
            raise NotAnAdapterError(f"'{path.name}' cannot be used. {told.problem}")
        scales, scale_notes = _peft_scales(path, file)
        read = {
            name: _read(path, file, family, resolution.groups[name], scales)
            for name, family in families.items()
        }
        adapters = _unfused(path, read)
        embeddings = {
            name: {holds: _read_vectors(path, file, tensor) for holds, tensor in found.items()}
            for name, found in bundle.items()
        }
    made_for = LABELS.get(told.architecture, "")
    notes = _notes(adapters) + scale_notes
    notes += training_notes(_arguments(file.header.metadata), adapters.values())
    return Network(path, key, architecture, adapters, unmatched, notes, made_for, embeddings)


def _families(path: Path, resolution: Resolution) -> tuple[dict[str, Family], list[str]]:
    """Return the family of every weight, and the tensors that are no change."""
    if resolution.duplicates:
        first, second = map(_shown, resolution.duplicates[0])
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
            spelling = _shown(next(iter(group.values())))
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
    file: TensorFile,
    family: Family,
    group: Mapping[str, str],
    scales: tuple[PeftScale, ...],
) -> Adapter:
    tensors = {role: file.get(name) for role, name in group.items()}
    scale = None if {"alpha", "scale"} & group.keys() else _scale_of(group, scales)
    if scale is not None:
        tensors["scale"] = torch.tensor(scale)
    try:
        return family.read(tensors)
    except AdapterError as error:
        spelling = _shown(next(iter(group.values())))
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


def _read_vectors(path: Path, file: TensorFile, name: str) -> Tensor:
    vectors = file.get(name)
    if vectors.dim() == 1:
        vectors = vectors[None]
    if vectors.dim() != 2 or not vectors.numel():
        sizes = ", ".join(map(str, vectors.shape))
        raise TensorShapeError(
            f"'{path.name}' is damaged: '{_shown(name)}' has shape [{sizes}], which no embedding has. "
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


def fit_to(network: Network, shapes: Mapping[str, Shape]) -> Fit:
    """Compare a network with the shapes of a model's weights; nothing is raised."""
    matched: list[str] = []
    absent: list[str] = []
    misfits: list[str] = []
    for name, adapter in network.adapters.items():
        shape = shapes.get(name)
        if shape is None:
            absent.append(name)
        elif adapter.fits(shape) or (name == INPUT_LAYER and _fits_wider(adapter, shape)):
            matched.append(name)
        else:
            misfits.append(f"{name} is {_size(shape)} in the checkpoint, {_size(adapter.shape)} in the file")
    return Fit(tuple(matched), network.total, tuple(absent), _modules(network.unmatched), tuple(misfits))


def _fits_wider(adapter: Adapter, host: Shape) -> bool:
    """Tell whether a change fits the input channels that it knows of a layer that has more."""
    made_for = adapter.shape
    if not fits_widened(made_for, host):
        return False
    channels = made_for[1] // math.prod(host[2:]) if len(made_for) == 2 else made_for[1]
    return adapter.fits((host[0], channels, *host[2:]))


def check_fit(network: Network, shapes: Mapping[str, Shape], architecture: str) -> Fit:
    """Return how a network fits a model; raises `NetworkMismatchError` when it was made for another kind.

    One weight of another shape is enough: such a file belongs to another base model, and half of it would
    spoil the picture. So are fewer than half of its weights having a place.
    """
    fit = fit_to(network, shapes)
    if not fit.misfits and fit.matched and 2 * len(fit.matched) >= fit.total:
        return fit
    label = find_architecture(architecture).label
    if fit.misfits:
        more = f" and {len(fit.misfits) - 1} more" if len(fit.misfits) > 1 else ""
        why = f"{fit.misfits[0]}{more}"
    else:
        example = _shown((*fit.unmatched, *fit.absent)[0])
        why = f"only {len(fit.matched)} of its {fit.total} weights have a place there (not '{example}')"
    raise NetworkMismatchError(
        f"'{network.name}' does not fit the loaded checkpoint ({label}): {why}. {_way_out(network.made_for)}"
    )


def _way_out(made_for: str) -> str:
    known = [architecture.label for architecture in ARCHITECTURES]
    if made_for in ("", *known):
        told = f"It was made for {made_for}. " if made_for else ""
        return f"{told}Load a checkpoint of the kind it was made for, or remove the row."
    listed = f"{', '.join(known[:-1])} and {known[-1]}"
    return (
        f"It was made for {made_for}, a kind of model that LoRA Stack does not change: "
        f"it works with {listed}. Remove the row."
    )


def _shown(name: str) -> str:
    return clean(name, NAME_SHOWN)


def _modules(names: Iterable[str]) -> tuple[str, ...]:
    """Return the modules tensor names speak of, each once."""
    splits = ((name, split_suffix(name)) for name in names)
    return tuple(dict.fromkeys(name if split is None else split[0] for name, split in splits))


def _size(shape: Shape) -> str:
    return "×".join("any" if size == ANY else str(size) for size in shape)
