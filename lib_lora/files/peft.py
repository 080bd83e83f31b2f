"""The scale of PEFT's files, which their tensors do not carry: `alpha/rank`, or `alpha/√rank` for rs-LoRA.

It stands in `adapter_config.json` beside PEFT's own exports (`adapter_model.safetensors`), and in the entry
`lora_adapter_metadata` of the files that newer diffusers write, there with a component before every field.
Single modules may have a rank and an alpha of their own, given by a pattern for the end of their path.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import UnreadableFileError
from .disk import open_regular
from .text import parse_json

CONFIG = "adapter_config.json"
EXPORT = "adapter_model.safetensors"
EXPORT_MARK = "base_model.model."
METADATA = "lora_adapter_metadata"
COMPONENTS = ("unet", "text_encoder", "text_encoder_2")
SIZE_LIMIT = 1_000_000  # bytes of the config
PATTERN_LIMIT = 5_000  # patterns of one kind
WILD_LIMIT = 3  # wildcards in one pattern; more is no module's name
_ODD = re.compile(r"[^\w.\-]")


@dataclass(frozen=True)
class Wild:
    """A pattern with wildcards between its pieces, matched in one walk; an expression may take for ever."""

    pieces: tuple[str, ...]
    anchored: bool

    def matches(self, path: str) -> bool:
        """Tell whether it is the whole path, or where it is not anchored, the path's end behind a dot."""
        first, *middle, last = self.pieces
        if path.startswith(first):
            position = len(first)
        else:
            dot = -1 if self.anchored else path.find(f".{first}")
            if dot < 0:
                return False
            position = dot + 1 + len(first)
        for piece in middle:
            found = path.find(piece, position)
            if found < 0:
                return False
            position = found + len(piece)
        return path.endswith(last) and len(path) - len(last) >= position


@dataclass(frozen=True)
class Patterns:
    """Numbers for modules whose path ends in a certain way; of several that match, the first counts."""

    plain: Mapping[str, tuple[int, float]]
    wild: tuple[tuple[int, Wild, float], ...]

    def find(self, path: str, otherwise: float) -> float:
        """Return the number for the module at `path`."""
        found = [(index, number) for index, pattern, number in self.wild if pattern.matches(path)]
        ends = [path, *(path[dot + 1 :] for dot, letter in enumerate(path) if letter == ".")]
        found += [self.plain[end] for end in (*ends, f"^{path}") if end in self.plain]
        return min(found)[1] if found else otherwise


@dataclass(frozen=True)
class PeftScale:
    """What a PEFT configuration says of the scale; `unread` counts patterns that could not be understood."""

    component: str
    rank: float
    alpha: float
    rs_lora: bool
    ranks: Patterns
    alphas: Patterns
    unread: int

    @property
    def has_patterns(self) -> bool:
        """Whether some modules have a rank or an alpha of their own."""
        return any((found.plain or found.wild) for found in (self.ranks, self.alphas))

    def scale(self, path: str) -> float:
        """Return the scale of the module at `path`, as its model names it."""
        rank, alpha = self.ranks.find(path, self.rank), self.alphas.find(path, self.alpha)
        return alpha / (math.sqrt(rank) if self.rs_lora else rank)


def module_path(spelling: str) -> str:
    """Return a module's path as its own model names it, from its spelling in a file."""
    for component in sorted(COMPONENTS, key=len, reverse=True):
        if spelling.startswith(f"{component}."):
            spelling = spelling[len(component) + 1 :]
            break
    return spelling.partition(EXPORT_MARK)[2] or spelling


def is_export(path: Path, names: Iterable[str]) -> bool:
    """Tell whether a file is an export of PEFT itself, which has a configuration beside it."""
    return path.name == EXPORT or any(EXPORT_MARK in name for name in names)


def read_config(path: Path) -> PeftScale | None:
    """Read the configuration beside the file at `path`, None where there is none that says a scale."""
    config = path.with_name(CONFIG)
    try:
        with open_regular(config) as (file, identity):
            text = file.read(SIZE_LIMIT).decode("utf-8-sig") if identity.size <= SIZE_LIMIT else ""
    except (UnreadableFileError, UnicodeDecodeError):
        return None
    return _read(parse_json(text, SIZE_LIMIT), "")


def read_metadata(metadata: Mapping[str, str]) -> tuple[PeftScale, ...]:
    """Return what diffusers noted in a file's metadata, component by component."""
    document = parse_json(metadata.get(METADATA, ""), SIZE_LIMIT)
    if not isinstance(document, dict):
        return ()
    scales = []
    for component in COMPONENTS:
        start = f"{component}."
        fields = {name[len(start) :]: value for name, value in document.items() if name.startswith(start)}
        scales.append(_read(fields, component))
    return tuple(scale for scale in scales if scale is not None)


def _read(document: object, component: str) -> PeftScale | None:
    if not isinstance(document, dict):
        return None
    rank, alpha = _number(document.get("r")), _number(document.get("lora_alpha", document.get("alpha")))
    if rank is None or alpha is None or rank <= 0:
        return None
    ranks, unread_ranks = _patterns(document.get("rank_pattern"), positive=True)
    alphas, unread_alphas = _patterns(document.get("alpha_pattern"), positive=False)
    rs_lora = document.get("use_rslora") is True
    return PeftScale(component, rank, alpha, rs_lora, ranks, alphas, unread_ranks + unread_alphas)


def _patterns(document: object, positive: bool) -> tuple[Patterns, int]:
    """Return the patterns of a table and how many of its entries were not understood."""
    plain: dict[str, tuple[int, float]] = {}
    wild: list[tuple[int, Wild, float]] = []
    entries = list(document.items()) if isinstance(document, dict) else []
    unread = max(0, len(entries) - PATTERN_LIMIT)
    for index, (key, value) in enumerate(entries[:PATTERN_LIMIT]):
        number = _number(value)
        if number is None or (positive and number <= 0):
            unread += 1
            continue
        text = key.removesuffix("$").replace(r"\.", ".")
        bare = text.removeprefix("^")
        if not _ODD.search(bare):
            plain.setdefault(text, (index, number))
            continue
        pieces = bare.split(".*")
        if len(pieces) > WILD_LIMIT + 1 or any(_ODD.search(piece) for piece in pieces):
            unread += 1
            continue
        wild.append((index, Wild(tuple(pieces), text.startswith("^")), number))
    return Patterns(plain, tuple(wild)), unread


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
