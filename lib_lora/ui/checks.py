"""What is wrong with a stack text, row by row, before a picture is made with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol

from ..errors import EntryValueError, LoraStackError, StackError
from ..library.network_file import NetworkFile
from ..stack.blocks import model_blocks, read_blocks
from ..stack.entry import Entry, row_title
from ..stack.schedule import read_schedule
from ..stack.serialization import decode, require_implemented
from ..stack.stack import Stack


class Finder(Protocol):
    """Where a row's file is looked up and described."""

    def find(self, network: str, hash: str = "") -> NetworkFile: ...
    def summary(self, file: NetworkFile) -> dict[str, object]: ...


Fit = dict[str, Any]
FitOf = Callable[[NetworkFile], "Fit | None"]


def unknown(_file: NetworkFile) -> Fit | None:
    """Nothing is known of the loaded checkpoint."""
    return None


def check_stack(text: str, library: Finder, fit: FitOf = unknown) -> dict[str, Any]:
    """Return `{"problem": text, "rows": [{"file": summary or None, "problem": text, "fit": dict or None}]}`.

    "" is no problem; `fit` says how the file meets the loaded checkpoint.

    Rows stand in the order of the stack. When the text as a whole cannot be read there are none, and
    `problem` says why.
    """
    try:
        rows = [_check_entry(entry, library, fit) for entry in decode(text).entries]
    except EntryValueError:
        rows = [_check_raw(raw, library, fit) for raw in _raw_rows(text)]
    except StackError as error:
        return {"problem": str(error), "rows": []}
    return {"problem": "", "rows": rows}


def _raw_rows(text: str) -> list[Any]:
    """Return the rows of a text that `decode` understood but for a row's own values."""
    document = json.loads(text.lstrip("\ufeff"))
    return list(document["entries"] if isinstance(document, dict) else document)


def _check_raw(raw: Any, library: Finder, fit: FitOf) -> dict[str, Any]:
    try:
        (entry,) = decode([raw]).entries
    except StackError as error:
        network = raw.get("network", "") if isinstance(raw, dict) else ""
        name = network if isinstance(network, str) else ""
        return {"file": None, "problem": _without_title(error, name), "fit": None}
    return _check_entry(entry, library, fit)


def _check_entry(entry: Entry, library: Finder, fit: FitOf) -> dict[str, Any]:
    file = None
    try:
        file = library.find(entry.network, entry.hash)
        require_implemented(Stack((entry,)))
        read_blocks(entry.blocks, model_blocks(str(library.summary(file)["architecture"])))
        read_schedule(entry.schedule, entry.start, entry.stop)
    except LoraStackError as error:
        told = _without_title(error, entry.network)
        return {"file": file and library.summary(file), "problem": told, "fit": file and fit(file)}
    return {"file": library.summary(file), "problem": file.problem, "fit": fit(file)}


def _without_title(error: LoraStackError, network: str) -> str:
    """Return the message for showing in the row itself: there, `row 1 (name)` is plain to see."""
    message = str(error).removeprefix(row_title(0, network) + ": ")
    return message[:1].upper() + message[1:]
