"""What is wrong with a stack text, row by row, before a picture is made with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from ..errors import EntryValueError, LoraStackError, StackError
from ..library.network_file import NetworkFile
from ..stack.block_files import written_out
from ..stack.blocks import model_blocks, read_blocks
from ..stack.entry import Entry, row_title
from ..stack.passes import read_passes
from ..stack.region import region_problems
from ..stack.schedule import read_schedule, read_text_schedule
from ..stack.serialization import decode, require_implemented
from ..stack.side import read_side
from ..stack.stack import Stack

NO_PRESETS: Mapping[str, str] = MappingProxyType({})


class Finder(Protocol):
    """Where a row's file is looked up and described."""

    def find(self, network: str, hash: str = "") -> NetworkFile: ...
    def summary(self, file: NetworkFile) -> dict[str, object]: ...


Fit = dict[str, Any]
FitOf = Callable[[NetworkFile], "Fit | None"]


def unknown(_file: NetworkFile) -> Fit | None:
    """Nothing is known of the loaded checkpoint."""
    return None


def check_stack(
    text: str, library: Finder, fit: FitOf = unknown, presets: Mapping[str, str] = NO_PRESETS
) -> dict[str, Any]:
    """Return `{"problem": text, "rows": [{"file": summary or None, "problem": text, "fit": dict or None}]}`.

    "" is no problem; `fit` says how the file meets the loaded checkpoint.

    Rows stand in the order of the stack. When the text as a whole cannot be read there are none, and
    `problem` says why. presets: the user's own, of blocks.
    """
    try:
        stack = decode(text)
        rows = [_check_entry(entry, library, fit, presets) for entry in stack.entries]
        regions = region_problems(stack.entries, stack.masks)
        rows = [_with_region(*known) for known in zip(rows, stack.entries, regions, strict=True)]
    except EntryValueError:
        rows = [_check_raw(raw, library, fit, presets) for raw in _raw_rows(text)]
    except StackError as error:
        return {"problem": str(error), "rows": []}
    return {"problem": "", "rows": rows}


def _raw_rows(text: str) -> list[Any]:
    """Return the rows of a text that `decode` understood but for a row's own values."""
    document = json.loads(text.lstrip("\ufeff"))
    return list(document["entries"] if isinstance(document, dict) else document)


def _check_raw(raw: Any, library: Finder, fit: FitOf, presets: Mapping[str, str]) -> dict[str, Any]:
    try:
        (entry,) = decode([raw]).entries
    except StackError as error:
        network = raw.get("network", "") if isinstance(raw, dict) else ""
        name = network if isinstance(network, str) else ""
        return {"file": None, "problem": _without_title(error, name), "fit": None}
    return _check_entry(entry, library, fit, presets)


def _check_entry(entry: Entry, library: Finder, fit: FitOf, presets: Mapping[str, str]) -> dict[str, Any]:
    file = None
    try:
        file = library.find(entry.network, entry.hash)
        require_implemented(Stack((entry,)))
        read_blocks(
            written_out(entry.blocks, presets), model_blocks(str(library.summary(file)["architecture"]))
        )
        read_text_schedule(entry.te_schedule, read_schedule(entry.schedule, entry.start, entry.stop))
        read_passes(entry.passes)
        read_side(entry.side)
    except LoraStackError as error:
        told = _without_title(error, entry.network)
        return {"file": file and library.summary(file), "problem": told, "fit": file and fit(file)}
    return {"file": library.summary(file), "problem": file.problem, "fit": fit(file)}


def _with_region(row: dict[str, Any], entry: Entry, problem: str) -> dict[str, Any]:
    """Add what is wrong with a row's region, which may name masks and other rows."""
    return {**row, "problem": _capital(problem)} if problem and entry.on and not row["problem"] else row


def _without_title(error: LoraStackError, network: str) -> str:
    """Return the message for showing in the row itself: there, `row 1 (name)` is plain to see."""
    message = str(error).removeprefix(row_title(0, network) + ": ")
    return _capital(message)


def _capital(message: str) -> str:
    return message[:1].upper() + message[1:]
