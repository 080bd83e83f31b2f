"""Which `<lora:…>` tags of a prompt are ours to apply, and which stay with the host's own Lora.

What we cannot do at least as well is left to it: names only it knows, files only it reads, embeddings inside
a file, and words that other extensions taught it. The user is told of what is left, unless nothing is lost.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib_lora.engine.view import ModelView
from lib_lora.errors import EntryValueError, FileError, LibraryError, LoraStackError
from lib_lora.files.header import read_header
from lib_lora.hosts import options
from lib_lora.hosts.request import Request
from lib_lora.hosts.sources import tab_of
from lib_lora.library.library import Library
from lib_lora.library.network_file import NetworkFile
from lib_lora.stack.block_files import written_out
from lib_lora.stack.blocks import model_blocks, read_blocks
from lib_lora.stack.entry import Entry
from lib_lora.stack.prompt import DYN, names_blocks, not_understood, read_tag
from lib_lora.stack.stack import Stack

_HASH = re.compile(r"[0-9a-fA-F]{8,64}")
_EMBEDDINGS = "bundle_emb."
_TAUGHT = (("lora_block_weight.py", ("blocks", "start", "stop")), ("loractl.py", ("schedule", "passes")))
"""Scripts of other extensions, and the words of a row that stand in the tags they serve."""

Fits = Callable[[Path, ModelView], str]
"""Tells why a file cannot be applied to a model, in words; empty where it can."""


@dataclass(frozen=True)
class Sorted:
    """The tags of one prompt: ours as a request, the rest as the host gave them, and what to say of it."""

    ours: Request | None
    left: tuple[Any, ...]
    notes: tuple[str, ...] = ()


class Left(Exception):
    """A tag stays with the host; the message says why, empty where nothing is lost."""


def sort_tags(p: Any, tags: Sequence[Any], view: ModelView, library: Library, fits: Fits) -> Sorted:
    """Sort the host's tags, each with its `items`; never raises for what is wrong with a tag."""
    if _weighed_by_region(p):
        return Sorted(None, tuple(tags))
    found: list[tuple[Entry, NetworkFile, str]] = []
    left: list[Any] = []
    notes: list[str] = []
    for tag in tags:
        items = [str(item) for item in tag.items]
        try:
            entry, file = _read(items, library, view.architecture)
            if problem := file.problem or fits(file.path, view):
                raise Left(problem)
            found.append((entry, file, entry.network))
        except Left as reason:
            left.append(tag)
            if str(reason):
                notes.append(f"<lora:{':'.join(items)[:80]}> was left to the WebUI's own Lora: {reason}")
    return Sorted(_request(tab_of(p), found, notes, library), tuple(left), tuple(notes))


def _weighed_by_region(p: Any) -> bool:
    """Tell whether Regional Prompter draws each region apart, with the tags of its part of the prompt.

    It does so by the weights of the built-in's networks; its other way of drawing has all tags everywhere.
    """
    told = getattr(p, "extra_generation_params", {})
    return bool(told.get("RP Active")) and str(told.get("RP Calc Mode", "")).startswith("La")


def _read(items: list[str], library: Library, architecture: str) -> tuple[Entry, NetworkFile]:
    """Return a tag's row and file; raises Left."""
    try:
        entry = read_tag(items)
        taught = (word for script, words in _TAUGHT if options.installed(script) for word in words)
        # Blocks where the host reads a number are nobody's: it fails at them, and loses the other tags too.
        if any(getattr(entry, word) for word in taught) and not names_blocks(items):
            raise Left  # who taught the host these words acts on them, random numbers and all
        if entry.blocks:
            entry = replace(entry, blocks=written_out(entry.blocks, options.block_presets()))
        read_blocks(entry.blocks, model_blocks(architecture))
    except EntryValueError as error:
        raise Left(_without_tag(str(error))) from None
    if entry.network == options.always_added():
        raise Left  # the host adds it where it does not see it, and it would act twice
    if words := not_understood(entry):
        raise Left(f"{', '.join(words)} cannot be acted on here yet.")
    dyn = dict(entry.extra).get(DYN)
    if isinstance(dyn, int) and dyn < 1:
        raise Left
    file = _find(entry.network, library)
    if not file.problem and _has_embeddings(file):
        raise Left
    return entry, file


def _without_tag(message: str) -> str:
    return message.partition(">: ")[2] or message


def _find(name: str, library: Library) -> NetworkFile:
    """Return the file of a name: the host's choice where it has one, then by our library, then by a hash.

    Raises Left.
    """
    path = _host_choice(name)
    if path:
        real, called = os.path.realpath(path), os.path.basename(path)  # noqa: PTH119
        for file in library.files():
            here = os.fspath(file.path)
            # Links are followed for files of that name only: with thousands of files it takes seconds.
            if here in (path, real) or (here.endswith(called) and os.path.realpath(here) == real):
                return file
    try:
        return library.find(name)
    except LibraryError as error:
        problem = "" if path else str(error)  # a file that only the host knows is no problem
    if _HASH.fullmatch(name):
        with suppress(LibraryError):
            return library.find("", name)
    raise Left(problem)


def _host_choice(name: str) -> str:
    """Return the path of the file that the built-in Lora would take for a name."""
    networks = sys.modules.get("networks")
    forbidden = name.lower() in getattr(networks, "forbidden_network_aliases", {})
    table = getattr(networks, "available_networks" if forbidden else "available_network_aliases", {})
    return str(getattr(table.get(name), "filename", ""))


def _has_embeddings(file: NetworkFile) -> bool:
    try:
        return any(name.startswith(_EMBEDDINGS) for name in read_header(file.path).tensors)
    except FileError:
        return False


def _request(
    tab: str, found: list[tuple[Entry, NetworkFile, str]], notes: list[str], library: Library
) -> Request | None:
    if not found:
        return None
    hashed = options.writes_hashes()
    try:
        entries = [
            replace(entry, network=file.label, hash=library.hash_of(file) if hashed else "")
            for entry, file, _ in found
        ]
    except LoraStackError as error:
        return Request(tab, failure=error)
    files, names = tuple(file for _, file, _ in found), tuple(name for _, _, name in found)
    return Request(tab, Stack(tuple(entries)), files, names, tuple(notes))
