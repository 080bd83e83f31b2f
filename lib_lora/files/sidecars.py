"""What lies beside a network: the WebUI's NAME.json, a description, a preview picture.

A sidecar that cannot be read is an empty one with a `problem`; listing never fails because of it.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..errors import UnreadableFileError
from .disk import open_regular, read_at_once
from .hashes import FULL
from .text import clean, clean_lines, parse_json
from .writing import write_atomically

SIZE_LIMIT = 1_000_000  # bytes of a sidecar
TEXT_LIMIT = 20_000  # characters of notes and description
WORDS_LIMIT = 2_000  # characters of activation text
WEIGHT_LIMIT = 100.0
_PICTURES = (".png", ".jpg", ".jpeg", ".webp")
PREVIEW_SUFFIXES = (*_PICTURES, *(f".preview{suffix}" for suffix in _PICTURES))


class Sidecar(NamedTuple):
    """What the user or a site wrote about a network; empty and None for what they did not."""

    activation_text: str = ""
    negative_text: str = ""
    preferred_weight: float | None = None
    notes: str = ""
    sd_version: str = ""
    description: str = ""
    problem: str = ""
    title: str = ""
    base_model: str = ""
    trained_words: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    strength_min: float | None = None
    strength_max: float | None = None
    favourite: bool = False
    sha256: str = ""  # of the whole file, as a site or another tool claims
    autov3: str = ""


def read_sidecar(path: Path) -> Sidecar:
    """Read the WebUI's sidecar of the network at `path`: NAME.json, else NAME.txt for the description."""
    text, problem = read_small(sidecar_path(path))
    document = parse_json(text, SIZE_LIMIT) if text else {}
    if not isinstance(document, dict):
        document, problem = {}, f"{sidecar_path(path).name} is not the JSON the WebUI writes."
    told = webui_sidecar(document)
    description = told.description or clean_lines(read_small(path.with_suffix(".txt"))[0], TEXT_LIMIT)
    return told._replace(description=description, problem=problem)


def webui_sidecar(document: Mapping[str, object]) -> Sidecar:
    """Return what the WebUI's document says; some tools add the whole file's hash to it."""
    return Sidecar(
        activation_text=clean(document.get("activation text"), WORDS_LIMIT),
        negative_text=clean(document.get("negative text"), WORDS_LIMIT),
        preferred_weight=read_weight(document.get("preferred weight")),
        notes=clean_lines(document.get("notes"), TEXT_LIMIT),
        sd_version=clean(document.get("sd version"), 40),
        description=clean_lines(document.get("description"), TEXT_LIMIT),
        sha256=clean(document.get("sha256"), FULL).lower(),
    )


def find_preview(path: Path) -> Path | None:
    """Return the preview picture of the network at `path`: NAME.png, NAME.preview.png and so on."""
    candidates = (path.with_name(path.stem + suffix) for suffix in PREVIEW_SUFFIXES)
    return next((file for file in candidates if os.path.isfile(file)), None)  # noqa: PTH113  it never raises


def write_sidecar(path: Path, changes: Mapping[str, object]) -> None:
    """Write `changes` into the WebUI's sidecar of the network at `path`; None takes a field out.

    What else stands there is kept. Raises NotWrittenError, and UnreadableFileError where there is something
    that is not the WebUI's and would be lost.
    """
    place = sidecar_path(path)
    text, problem = read_small(place)
    document = parse_json(text, SIZE_LIMIT, exact=True) if text.strip() else {}
    if problem or not isinstance(document, dict):
        raise UnreadableFileError(
            f"{problem or place.name + ' is not the JSON the WebUI writes.'} It was left as it is: "
            "mend or remove it, then save again."
        )
    for name, value in changes.items():
        if value is None:
            document.pop(name, None)
        else:
            document[name] = value
    content = json.dumps(document, indent=4, ensure_ascii=False).encode("utf-8")
    write_atomically(place, lambda file: file.write(content))


def sidecar_path(path: Path) -> Path:
    """Return where the WebUI keeps what the user wrote about the network at `path`."""
    return path.with_suffix(".json")


def read_small(path: str | Path) -> tuple[str, str]:
    """Return a small text file's content and what is wrong with it; a missing file is empty and fine."""
    try:
        content = read_at_once(path, SIZE_LIMIT)
        if content is not None:
            return content.decode("utf-8-sig"), ""
        with open_regular(Path(path)) as (file, identity):
            if identity.size > SIZE_LIMIT:
                return "", f"{Path(path).name} is larger than {SIZE_LIMIT} bytes and was not read."
            return file.read(identity.size).decode("utf-8-sig"), ""
    except UnreadableFileError as error:
        return "", "" if isinstance(error.__cause__, FileNotFoundError) else str(error)
    except UnicodeDecodeError:
        return "", f"{Path(path).name} is not UTF-8 text."


def read_weight(value: object) -> float | None:
    """Return the preferred weight; the WebUI writes 0 for none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < abs(value) <= WEIGHT_LIMIT and math.isfinite(value) else None
