"""What one generation asked for: parsed once, resolved once, kept on the host's processing object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from lib_lora.errors import LoraStackError, MaskError, StackSyntaxError
from lib_lora.files.hashes import is_junk
from lib_lora.library.library import Library
from lib_lora.library.masks import MaskPicture, MaskStore
from lib_lora.library.network_file import NetworkFile
from lib_lora.stack.block_files import written_out
from lib_lora.stack.entry import Entry, row_title
from lib_lora.stack.masks import Masks, is_hash
from lib_lora.stack.passes import worn_in
from lib_lora.stack.region import MASK, read_regions
from lib_lora.stack.serialization import EXAMPLE, decode, require_implemented
from lib_lora.stack.stack import Stack

ATTRIBUTE = "lora_stack_request"
NO_PRESETS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Request:
    """A stack with its files, or the failure that must stop the picture.

    `files` belong to `stack.active()`, in the same order; `names` is how the host's `Lora hashes` calls them;
    `drawings` are the masks that its rows name.
    The failure is kept and raised later, from a method whose errors the host shows; what a script hook raises
    is swallowed and the picture made without us.
    """

    tab: str
    stack: Stack = field(default_factory=Stack)
    files: tuple[NetworkFile, ...] = ()
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    drawings: tuple[tuple[str, MaskPicture], ...] = ()
    failure: Exception | None = None


def read_arguments(args: tuple[Any, ...]) -> tuple[bool, Any]:
    """Return (enabled, stack text) from whatever a page, an API caller or another extension passed.

    Raises StackSyntaxError where the stack stands in the place of the switch: it would be switched on, empty.
    """
    switch = args[0] if args else False
    if _is_stack(switch):
        raise StackSyntaxError(
            'The first argument of LoRA Stack switches it on, the stack is the second: "args": [true, '
            f"{EXAMPLE}]"
        )
    off = isinstance(switch, str) and switch.strip().lower() == "false"
    return bool(switch) and not off, args[1] if len(args) > 1 else ""


def _is_stack(value: Any) -> bool:
    """Tell whether an argument is a stack rather than a switch: an object, rows, or their text."""
    if isinstance(value, str):
        return value.lstrip()[:1] in ("{", "[")
    first = next(iter(value), None) if isinstance(value, list | tuple) else value
    return isinstance(first, Mapping)


def make_request(tab: str, text: Any, library: Library, store: MaskStore | None = None) -> Request:
    """Parse the stack text and find its files."""
    try:
        stack = decode(text)
    except LoraStackError as error:
        return Request(tab, failure=error)
    return find_files(tab, stack, library, store)


def find_files(
    tab: str,
    stack: Stack,
    library: Library,
    store: MaskStore | None = None,
    presets: Mapping[str, str] = NO_PRESETS,
) -> Request:
    """Find a stack's files and masks and fill in their hashes, so that the picture can be redone.

    store: where masks are kept; without one a stack with masks is a failure. presets: the user's own, of
    blocks, which are written out for the same reason.
    """
    try:
        require_implemented(stack)
        worn_in(stack, "")  # what is written in `passes` is read before anything is drawn
        stack, drawings = _find_masks(stack, store)
        files, entries, notes = [], [], []
        for row, entry in enumerate(stack.entries, 1):
            if entry.on:
                with named(row - 1, entry):
                    file = library.find(entry.network, entry.hash)
                    digest = library.hash_of(file)
                if not is_junk(entry.hash) and not library.has_hash(file, entry.hash):
                    notes.append(
                        f"row {row}: '{file.label}' is not the file this stack was made with ({entry.hash}); "
                        "that one is not in your folders"
                    )
                files.append(file)
                blocks = written_out(entry.blocks, presets)
                entry = replace(entry, network=file.label, hash=digest, blocks=blocks)
            entries.append(entry)
        names = tuple(file.path.stem for file in files)
        found = replace(stack, entries=tuple(entries))
        return Request(tab, found, tuple(files), names, tuple(notes), drawings)
    except LoraStackError as error:
        return Request(tab, failure=error)


@contextmanager
def named(row: int, entry: Entry) -> Iterator[None]:
    """Say in an error which row it is about, counted from 0."""
    try:
        yield
    except LoraStackError as error:
        raise type(error)(f"{row_title(row, entry.network)}: {error}") from error


def _find_masks(stack: Stack, store: MaskStore | None) -> tuple[Stack, tuple[tuple[str, MaskPicture], ...]]:
    """Read the masks that rows name; what came as a picture is kept, and its hash stands in its place."""
    regions = read_regions(stack.entries, stack.masks)
    wanted: dict[str, str] = {}  # by mask, the first row that names it
    for index, (entry, region) in enumerate(zip(stack.entries, regions, strict=True)):
        if region is not None and region.kind == MASK:
            wanted.setdefault(region.name, row_title(index, entry.network))
    kept: list[tuple[str, str]] = []
    drawings: list[tuple[str, MaskPicture]] = []
    for name, reference in stack.masks:
        if is_hash(reference) and name not in wanted:
            kept.append((name, reference))
            continue
        try:
            if store is None:
                raise MaskError("cannot be kept here. Give the row a box instead.")
            picture = store.read(reference)
            kept.append((name, store.keep(picture)))
        except MaskError as error:
            row = f"{wanted[name]}: " if name in wanted else ""
            raise MaskError(f"{row}mask '{name}' {error}") from None
        if name in wanted:
            drawings.append((name, picture))
    masks: Masks = tuple(kept)
    return replace(stack, masks=masks), tuple(drawings)


def request_of(p: Any) -> Request | None:
    """Return the request a processing object carries, or None when it has nothing to apply."""
    request = getattr(p, ATTRIBUTE, None)
    return request if isinstance(request, Request) else None
