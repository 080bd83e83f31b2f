"""All that is known of one file, for its own page: read anew from the file and from what lies beside it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..errors import FileError
from ..files.companions import Companion, read_companions
from ..files.edit import may_be_edited
from ..files.hashes import LEGACY, declared, declared_legacy
from ..files.header import Header, read_header
from ..files.metadata import facts
from ..files.previews import inside
from ..files.text import clean, clean_lines, parse_json
from .catalogue import Catalogue
from .fields import FIELDS
from .known_hashes import OLD, PAYLOAD, WHOLE, KnownHashes
from .network_file import NetworkFile
from .notes import stored_path

TAGS = 500
FOLDERS = 100  # of training pictures
KEYS = 300  # of the metadata shown
KEY_LIMIT = 120  # characters
VALUE_LIMIT = 2_000
JSON_LIMIT = 4_000_000
CIVITAI = "https://civitai.com/models/"


def details(catalogue: Catalogue, file: NetworkFile) -> dict[str, Any]:
    """Return a file's card and everything else; of a file that cannot be read only what lies beside it."""
    library = catalogue.library
    companions = read_companions(file.path, (other.name for other in file.beside))
    own = library.notes.of(stored_path(file))
    return {
        **catalogue.card(file),
        "path": f"{file.root.name}/{file.label}{file.path.suffix}",
        **_inside(file, library.hashes),
        "sidecars": [_sidecar(companion) for companion in companions]
        + [
            {"name": picture.name, "kind": "picture", "problem": "", "fields": {}}
            for picture in file.pictures
        ],
        "user": {name: own[name] for name in FIELDS},
        "history": library.notes.history(stored_path(file)),
        "example_prompts": list(
            dict.fromkeys(prompt for companion in companions for prompt in companion.prompts)
        ),
        "links": _links(companions),
        "writable": os.access(file.path.parent, os.W_OK),
        "session": file.record.session,
        "strengths": None,
    }


def _inside(file: NetworkFile, hashes: KnownHashes) -> dict[str, Any]:
    """Return what stands in the file; empty where it cannot be read."""
    try:
        header = read_header(file.path)
    except FileError:
        header = None
    metadata: Mapping[str, str] = header.metadata if header else {}
    told = facts(header) if header else None
    return {
        "metadata": [
            {"key": label, "label": label, "value": value}
            for label, value in (told.words.trained if told else ())
        ],
        "raw": {
            clean(key, KEY_LIMIT): clean_lines(value, VALUE_LIMIT)
            for key, value in sorted(metadata.items())[:KEYS]
            if not value.startswith("data:")
        },
        "editable": {
            key: clean_lines(value, VALUE_LIMIT)
            for key, value in metadata.items()
            if may_be_edited(key) and not value.startswith("data:") and len(value) <= VALUE_LIMIT
        },
        "tag_frequencies": _tags(metadata.get("ss_tag_frequency", "")),
        "datasets": _datasets(metadata.get("ss_dataset_dirs", "")),
        "remarks": list(told.remarks) if told else [],
        "dtypes": dict(Counter(info.dtype for info in header.tensors.values())) if header else {},
        "tensors": len(header.tensors) if header else 0,
        "previews": len(file.pictures) + len(inside(metadata)),
        "hashes": _hashes(file, hashes, header),
    }


def _hashes(file: NetworkFile, hashes: KnownHashes, header: Header | None) -> dict[str, Any]:
    payload, whole = hashes.known(file, PAYLOAD), hashes.known(file, WHOLE)
    claimed = declared(header.metadata) if header else ""
    return {
        "autov3": payload[:12] or None,
        "payload_sha256": payload or None,
        "autov2": whole[:10] or None,
        "sha256": whole or None,
        "legacy": hashes.known(file, OLD)[:LEGACY] if hashes.is_known(file, OLD) else None,
        "declared": claimed,
        "declared_legacy": declared_legacy(header.metadata) if header else "",
        "declared_is_right": claimed == payload if claimed and payload else None,
        "site_sha256": file.record.claimed,
        "site_is_right": file.record.claimed == whole if file.record.claimed and whole else None,
    }


def _sidecar(companion: Companion) -> dict[str, Any]:
    told = {name: value for name, value in companion.sidecar._asdict().items() if name != "problem" and value}
    return {
        "name": companion.name,
        "kind": companion.kind,
        "problem": companion.sidecar.problem,
        "fields": {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()},
    }


def _links(companions: tuple[Companion, ...]) -> list[dict[str, str]]:
    """Return addresses that are made here from numbers; those in files are not trusted."""
    for companion in companions:
        model, version = companion.model
        if model:
            more = f"?modelVersionId={version}" if version else ""
            return [{"label": "Civitai", "href": f"{CIVITAI}{model}{more}"}]
    return []


def _tags(text: str) -> list[list[Any]]:
    """Return the tags of all training folders with their counts, the commonest first."""
    folders = parse_json(text, JSON_LIMIT) if text else None
    counts: Counter[str] = Counter()
    for folder in folders.values() if isinstance(folders, dict) else ():
        for tag, count in folder.items() if isinstance(folder, dict) else ():
            if type(count) is int and 0 < count < 10**9:
                counts[tag] += count
    return [[word, count] for tag, count in counts.most_common(TAGS) if (word := clean(tag, KEY_LIMIT))]


def _datasets(text: str) -> list[dict[str, Any]]:
    folders = parse_json(text, JSON_LIMIT) if text else None
    return [
        {
            "name": clean(name, KEY_LIMIT),
            "repeats": _count(told.get("n_repeats")),
            "images": _count(told.get("img_count")),
        }
        for name, told in (list(folders.items())[:FOLDERS] if isinstance(folders, dict) else ())
        if isinstance(told, dict)
    ]


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value < 10**9 else 0
