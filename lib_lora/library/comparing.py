"""Files beside one another: two compared fact by fact, and those of one training together."""

from __future__ import annotations

import re
from typing import Any

from ..errors import FieldValueError, FileError
from ..files.edit import check_fields, edit_metadata, may_be_edited
from ..files.header import read_metadata
from .catalogue import Catalogue
from .details import details
from .network_file import NetworkFile

TAGS = 60
COPIED_AT_ONCE = 500  # files
_EPOCH = re.compile(r"[-_ ]?(?:e|ep|epoch|step|s)?[-_ ]?\d{1,8}(?:steps?)?$", re.IGNORECASE)
_ITS_OWN = ("modelspec.hash_sha256", "modelspec.date")
"""What is true of one file alone, whatever others were trained with it."""
_ROWS = (
    ("title", "Title"),
    ("base_model", "Base model"),
    ("architecture_label", "Made for"),
    ("family", "Family"),
    ("rank", "Rank"),
    ("size", "Size"),
    ("tensors", "Tensors"),
    ("trigger_words", "Trigger words"),
    ("preferred_weight", "Preferred weight"),
    ("rating", "Rating"),
    ("session", "Training session"),
)


def compare(catalogue: Catalogue, one: NetworkFile, other: NetworkFile) -> dict[str, Any]:
    """Return two files' cards, their facts row by row, and the tags they share and do not."""
    a, b = details(catalogue, one), details(catalogue, other)
    rows = [
        {"key": key, "label": label, "a": a[key], "b": b[key], "same": a[key] == b[key]}
        for key, label in _ROWS
    ]
    trained = [{row["label"]: row["value"] for row in file["metadata"]} for file in (a, b)]
    for label in dict.fromkeys((*trained[0], *trained[1])):
        left, right = trained[0].get(label, ""), trained[1].get(label, "")
        rows.append({"key": label, "label": label, "a": left, "b": right, "same": left == right})
    tags_a, tags_b = dict(a["tag_frequencies"]), dict(b["tag_frequencies"])
    return {
        "a": catalogue.card(one),
        "b": catalogue.card(other),
        "rows": rows,
        "tags": {
            "both": [[tag, count, tags_b[tag]] for tag, count in tags_a.items() if tag in tags_b][:TAGS],
            "a": [[tag, count] for tag, count in tags_a.items() if tag not in tags_b][:TAGS],
            "b": [[tag, count] for tag, count in tags_b.items() if tag not in tags_a][:TAGS],
        },
        "strengths": None,
    }


def siblings(catalogue: Catalogue, file: NetworkFile) -> list[NetworkFile]:
    """Return the others of a training in the same folder: by session, or by name without its epoch."""
    session, stem = file.record.session, _stem(file)
    return [
        other
        for other in catalogue.library.files()
        if other is not file
        and other.path.parent == file.path.parent
        and ((session and other.record.session == session) or _stem(other) == stem)
    ]


def edit(catalogue: Catalogue, file: NetworkFile, fields: dict[str, object], backup: bool) -> dict[str, Any]:
    """Write metadata into a file; return its card and the backup's name. Raises LoraStackError."""
    checked = check_fields(fields)
    if not checked:
        raise FieldValueError("There is nothing to write.")
    name = edit_metadata(file.path, checked, backup)
    _look_again(catalogue, file)
    return {
        "item": catalogue.card(catalogue.library.get(file.id) or file),
        "written": True,
        "payload_unchanged": True,
        "backup": name or None,
    }


def copy_metadata(
    catalogue: Catalogue,
    source: NetworkFile,
    targets: list[NetworkFile],
    only_same_session: bool = True,
    only_without: bool = True,
    keys: list[str] | None = None,
) -> dict[str, Any]:
    """Write the user's part of a file's metadata into others; say which were passed over, and why.

    only_without: what a target already has is kept. Raises FileError where the source cannot be read.
    """
    if len(targets) > COPIED_AT_ONCE:
        raise FieldValueError(f"At most {COPIED_AT_ONCE} files can be written at once.")
    given = {
        key: value
        for key, value in read_metadata(source.path).items()
        if may_be_edited(key)
        and key.startswith(("modelspec.", "ssmd_"))
        and (key not in _ITS_OWN if keys is None else key in keys)
    }
    if not given:
        raise FieldValueError(f"'{source.name}' has no such metadata to copy.")
    copied, skipped = [], []
    for target in targets:
        why = _copy_to(source, target, given, only_same_session, only_without)
        if why:
            skipped.append({"label": target.label, "why": why})
        else:
            copied.append(target.label)
    _look_again(catalogue, *targets)
    return {"copied": copied, "skipped": skipped}


def _copy_to(
    source: NetworkFile,
    target: NetworkFile,
    given: dict[str, str],
    only_same_session: bool,
    only_without: bool,
) -> str:
    if target is source:
        return "It is the file itself."
    if only_same_session and (not source.record.session or source.record.session != target.record.session):
        return "It comes from another training."
    try:
        present = read_metadata(target.path)
        new = {key: value for key, value in given.items() if not (only_without and key in present)}
        if not new:
            return "It has such metadata already."
        edit_metadata(target.path, dict(new))
    except FileError as error:
        return str(error)
    return ""


def _look_again(catalogue: Catalogue, *files: NetworkFile) -> None:
    catalogue.library.scan()
    for file in files:
        catalogue.library.changed(file)


def _stem(file: NetworkFile) -> str:
    return _EPOCH.sub("", file.name).casefold()
