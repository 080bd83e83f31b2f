"""What one generation asked for: parsed once, resolved once, kept on the host's processing object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lib_lora.errors import LoraStackError
from lib_lora.files.hashes import is_junk
from lib_lora.library.library import Library
from lib_lora.library.network_file import NetworkFile
from lib_lora.network import Network
from lib_lora.stack.entry import Entry, row_title
from lib_lora.stack.serialization import decode, require_implemented
from lib_lora.stack.stack import Stack

ATTRIBUTE = "lora_stack_request"


@dataclass(frozen=True)
class Request:
    """A stack with its files, or the failure that must stop the picture.

    `files` belong to `stack.active()`, in the same order; `names` is how the host's `Lora hashes` calls them.
    The failure is kept and raised later, from a method whose errors the host shows; what a script hook raises
    is swallowed and the picture made without us.
    """

    tab: str
    stack: Stack = field(default_factory=Stack)
    files: tuple[NetworkFile, ...] = ()
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    failure: Exception | None = None


def read_arguments(args: tuple[Any, ...]) -> tuple[bool, Any]:
    """Return (enabled, stack text) from whatever a page, an API caller or another extension passed."""
    enabled = bool(args[0]) if args else False
    return enabled, args[1] if len(args) > 1 else ""


def make_request(tab: str, text: Any, library: Library) -> Request:
    """Parse the stack text and find its files."""
    try:
        stack = decode(text)
    except LoraStackError as error:
        return Request(tab, failure=error)
    return find_files(tab, stack, library)


def find_files(tab: str, stack: Stack, library: Library) -> Request:
    """Find a stack's files and fill in their hashes, so that the picture can be redone."""
    try:
        require_implemented(stack)
        files, entries, notes = [], [], []
        for row, entry in enumerate(stack.entries, 1):
            if entry.on:
                with _named(row - 1, entry):
                    file = library.find(entry.network, entry.hash)
                    digest = library.hash_of(file)
                if not is_junk(entry.hash) and not library.has_hash(file, entry.hash):
                    notes.append(
                        f"row {row}: '{file.label}' is not the file this stack was made with ({entry.hash}); "
                        "that one is not in your folders"
                    )
                files.append(file)
                entry = replace(entry, network=file.label, hash=digest)
            entries.append(entry)
        names = tuple(file.path.stem for file in files)
        return Request(tab, replace(stack, entries=tuple(entries)), tuple(files), names, tuple(notes))
    except LoraStackError as error:
        return Request(tab, failure=error)


def open_files(request: Request, open_one: Callable[[Path], Network]) -> tuple[Network, ...]:
    """Open the files of a request, in order; errors name the row, so that it can be found among many."""
    rows = [(row, entry) for row, entry in enumerate(request.stack.entries) if entry.on]
    networks = []
    for (row, entry), file in zip(rows, request.files, strict=True):
        with _named(row, entry):
            networks.append(open_one(file.path))
    return tuple(networks)


@contextmanager
def _named(row: int, entry: Entry) -> Iterator[None]:
    """Say in an error which row it is about, counted from 0."""
    try:
        yield
    except LoraStackError as error:
        raise type(error)(f"{row_title(row, entry.network)}: {error}") from error


def request_of(p: Any) -> Request | None:
    """Return the request a processing object carries, or None when it has nothing to apply."""
    request = getattr(p, ATTRIBUTE, None)
    return request if isinstance(request, Request) else None
