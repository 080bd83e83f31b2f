"""From a name to files: exact label, then file name, then alias, then the same without regard to case."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from .network_file import NetworkFile

Table = dict[str, list[NetworkFile]]
_KEYS: tuple[Callable[[NetworkFile], str], ...] = (
    lambda file: file.label,
    lambda file: file.name,
    lambda file: file.alias,
)


class Index:
    """The names of all files, built once for a scan, when first asked for, and never changed."""

    def __init__(self, files: Iterable[NetworkFile]) -> None:
        self._files = tuple(files)

    @cached_property
    def _exact(self) -> tuple[Table, ...]:
        return tuple(_table(self._files, key) for key in _KEYS)

    @cached_property
    def _folded(self) -> tuple[Table, ...]:
        return tuple(_folded(table) for table in self._exact)

    def first(self, name: str) -> tuple[NetworkFile, ...]:
        """Return the files that answer to `name` in the first way in which any does."""
        return next(self._ways(name), ())

    def related(self, name: str) -> tuple[NetworkFile, ...]:
        """Return the files that answer to `name` in any way, the nearest first."""
        return tuple(dict.fromkeys(file for files in self._ways(name) for file in files))

    def names(self) -> tuple[str, ...]:
        """Return every name a file answers to."""
        return tuple(dict.fromkeys(name for table in self._exact for name in table))

    def _ways(self, name: str) -> Iterator[tuple[NetworkFile, ...]]:
        name = comparable(name)
        for tables, wanted in ((self._exact, name), (self._folded, name.casefold())):
            for table in tables:
                if wanted in table:
                    yield tuple(table[wanted])


def comparable(name: str) -> str:
    """Return a name in the form in which names are compared: composed characters, `/`, no suffix."""
    name = unicodedata.normalize("NFC", name.strip().replace("\\", "/"))
    return name[: -len(".safetensors")] if name.lower().endswith(".safetensors") else name


def _folded(exact: Table) -> Table:
    table: Table = {}
    for name, files in exact.items():
        table.setdefault(name.casefold(), []).extend(files)
    return table


def _table(files: Iterable[NetworkFile], key: Callable[[NetworkFile], str]) -> Table:
    table: Table = {}
    for file in files:
        if name := comparable(key(file)):
            table.setdefault(name, []).append(file)
    return table
