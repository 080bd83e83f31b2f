"""The stack text: JSON of version 1, the one wire between browser, API, presets and pictures.

Defaults are not written, fields keep the order of the field table, unknown fields are kept and written back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from ..errors import (
    EntryValueError,
    NotImplementedFieldError,
    StackSyntaxError,
    StackVersionError,
    nearest,
)
from .entry import FIELD_NAMES, FIELDS, Entry, row_title, shown
from .frozen import freeze, thaw
from .masks import read_masks
from .stack import VERSION, Stack

CHARACTER_LIMIT = 1_000_000  # of the whole text
ROW_LIMIT = 1000
EXAMPLE = '{"version": 1, "entries": [{"network": "styles/ghibli", "weight": 0.8}]}'


def decode(value: str | Mapping[str, object] | Sequence[object] | None) -> Stack:
    """Read a stack from its text, or from the object or list of rows that an API request carries.

    Empty text and None are the empty stack. Raises StackSyntaxError, StackVersionError, EntryValueError.
    """
    document = _parse(value) if isinstance(value, str) else value
    if document is None:
        return Stack()
    if isinstance(document, Mapping):
        return _read_document(document)
    if isinstance(document, Sequence) and not isinstance(document, str | bytes | bytearray):
        return Stack(_read_rows(document))
    raise StackSyntaxError(
        f"The stack must be an object or a list of rows, not {shown(document)}. Example: {EXAMPLE}"
    )


def encode(stack: Stack) -> str:
    """Return the stack as canonical JSON in one line; `decode(encode(stack)) == stack`."""
    return json.dumps(to_json(stack), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def to_json(stack: Stack) -> dict[str, object]:
    """Return the stack as plain JSON values."""
    document: dict[str, object] = {
        "version": stack.version,
        "entries": [_row(entry) for entry in stack.entries],
    }
    if stack.masks:
        document["masks"] = dict(stack.masks)
    document.update((name, thaw(value)) for name, value in stack.extra)
    return document


def require_implemented(stack: Stack) -> None:
    """Raise NotImplementedFieldError for a row that is on and asks for something that would not happen."""
    for index, entry in enumerate(stack.entries):
        if not entry.on:
            continue
        title = row_title(index, entry.network)
        for name, _ in entry.extra:
            if get_close_matches(name.lower(), FIELD_NAMES, n=1, cutoff=0.75):
                raise NotImplementedFieldError(
                    f"{title}: there is no field '{name}'.{nearest(name, FIELD_NAMES, 1)}"
                )


def _parse(text: str) -> object:
    if len(text) > CHARACTER_LIMIT:
        raise StackSyntaxError(
            f"The stack text is {len(text)} characters long; the most is {CHARACTER_LIMIT}. "
            "Was something else pasted into it?"
        )
    text = text.lstrip("\ufeff")
    if not text.strip():
        return None
    try:
        document = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise StackSyntaxError(
            f"The stack text is not complete JSON: line {error.lineno}, column {error.colno}: {error.msg}. "
            f"Copy it again from the first brace to the last, or clear it. Example: {EXAMPLE}"
        ) from None
    except RecursionError:
        raise StackSyntaxError(
            "The stack text is nested too deeply to be a stack. Clear it and start anew."
        ) from None
    except ValueError:  # an integer of thousands of digits
        raise StackSyntaxError("The stack text holds a number that is too long to read.") from None
    if document is None:
        raise StackSyntaxError(f"The stack text is null. Clear it for an empty stack. Example: {EXAMPLE}")
    return document


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document: dict[str, object] = {}
    for name, value in pairs:
        if name in document:
            raise StackSyntaxError(
                f"The stack text gives '{name[:80]}' twice in one object. Remove one of the two."
            )
        document[name] = value
    return document


def _read_document(document: Mapping[str, object]) -> Stack:
    version = document.get("version", VERSION)
    if isinstance(version, bool) or version != VERSION:
        raise StackVersionError(
            f"The stack was written as version {shown(version)}; this LoRA Stack reads version {VERSION}. "
            "Update the extension, or build the stack again in the panel."
        )
    rows = document.get("entries", () if not document else None)
    if not isinstance(rows, Sequence) or isinstance(rows, str | bytes | bytearray):
        hint = "" if "entries" in document else nearest("entries", [str(name) for name in document], 1)
        raise StackSyntaxError(f"The stack has no list of rows called 'entries'.{hint} Example: {EXAMPLE}")
    known = ("version", "entries", "masks")
    try:
        extra = tuple((name, freeze(item, 1)) for name, item in document.items() if name not in known)
        freeze(dict.fromkeys(name for name, _ in extra))
    except ValueError as error:
        raise StackSyntaxError(f"A field of the stack {error}.") from None
    return Stack(_read_rows(rows), VERSION, read_masks(document.get("masks")), extra)


def _read_rows(rows: Sequence[object]) -> tuple[Entry, ...]:
    if len(rows) > ROW_LIMIT:
        raise StackSyntaxError(f"The stack has {len(rows)} rows; the most is {ROW_LIMIT}.")
    return tuple(_read_row(index, row) for index, row in enumerate(rows))


def _read_row(index: int, row: object) -> Entry:
    if not isinstance(row, Mapping):
        raise EntryValueError(
            f'{row_title(index)}: must be an object such as {{"network": "x"}}, not {shown(row)}.'
        )
    network = row.get("network", "")
    title = row_title(index, network if isinstance(network, str) else "")
    if "network" not in row:
        hint = nearest("network", [str(name) for name in row], 1)
        raise EntryValueError(f"{title}: no 'network' is given.{hint} Pick a file, or remove the row.")
    known = {name: value for name, value in row.items() if name in FIELD_NAMES}
    extra = tuple((name, value) for name, value in row.items() if name not in FIELD_NAMES)
    try:
        return Entry(**known, extra=extra)
    except EntryValueError as error:
        raise EntryValueError(f"{title}: {error}") from None


def _row(entry: Entry) -> dict[str, object]:
    row: dict[str, object] = {}
    for known in FIELDS:
        value = getattr(entry, known.name)
        if known.required or value != known.default:
            row[known.name] = _shortest(value)
    row.update((name, thaw(value)) for name, value in entry.extra)
    return row


def _shortest(value: object) -> object:
    """Return 1 for 1.0; Python writes other numbers in their shortest form already."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
