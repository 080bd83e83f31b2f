"""The index on disk: one row a file, under the set of folders it was found in, with all that is searched."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .database import Database
from .early import EarlyIndex
from .entry import Entry
from .identity import identity
from .network_file import Beside, NetworkFile
from .notes import Notes, stored, stored_path

KEPT = 90 * 86400.0  # seconds after which the index of folders nobody asks for any more is dropped
_FILES = (
    *("id", "shelf", "path", "key", "root", "label", "folder", "size", "mtime_ns", "added", "alias"),
    *("declared", "legacy", "fingerprint", "flaw", "name", "sorted", "architecture", "family", "role"),
    *("rating", "favourite", "problem", "noted", "tags"),
)
_TEXTS = ("id", "beside", "record", "hay")
Row = tuple[Any, ...]
_FIRST = ("id", "shelf", "path", "added")  # what stays when a row is written again


class Store:
    """The rows of one set of root folders."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, roots: Sequence[Path]) -> tuple[NetworkFile, ...]:
        """Return the files as they were last seen, without those in trouble, which are looked at anew."""
        shelf = self.shelf(roots)
        with self._database.writing() as connection:
            connection.execute("DELETE FROM files WHERE shelf = ? AND flaw <> ''", (shelf,))
            rows = connection.execute(
                "SELECT path, root, label, size, mtime_ns, beside, alias, declared, legacy, fingerprint, "
                "record "
                "FROM files JOIN texts USING (id) WHERE shelf = ?",
                (shelf,),
            ).fetchall()
        return tuple(
            NetworkFile(
                label=label,
                place=path,
                root=roots[root],
                size=size,
                mtime_ns=mtime_ns,
                beside=tuple([Beside(*other) for other in json.loads(beside)]) if beside != "[]" else (),
                alias=alias,
                declared_hash=declared,
                declared_legacy=legacy,
                fingerprint=fingerprint,
                text=record,
            )
            for (
                path,
                root,
                label,
                size,
                mtime_ns,
                beside,
                alias,
                declared,
                legacy,
                fingerprint,
                record,
            ) in rows
        )

    def save(
        self, roots: Sequence[Path], files: Sequence[NetworkFile], before: Sequence[NetworkFile], notes: Notes
    ) -> None:
        """Write what differs from `before`, or everything where the index holds another number of files."""
        shelf = self.shelf(roots)
        with self._database.reading() as connection:
            (count,) = connection.execute("SELECT count(*) FROM files WHERE shelf = ?", (shelf,)).fetchone()
        if files is before and count == len(files):
            return
        known = {id(file) for file in before}
        changed = [file for file in files if id(file) not in known]
        here = {stored_path(file) for file in files}
        gone = [stored_path(file) for file in before if stored_path(file) not in here] if before else []
        if count != len(before):  # another process wrote, or the index is new
            changed = list(files)
            with self._database.reading() as connection:
                listed = connection.execute("SELECT path FROM files WHERE shelf = ?", (shelf,))
                gone = [path for (path,) in listed if path not in here]
        if not changed and not gone:
            return
        own = notes.of_all([stored_path(file) for file in changed]) if count else notes.everything()
        # The first time nobody knows since when a file has been there.
        rows = _rows(shelf, roots, changed, own, time.time() if count else 0.0)
        with self._database.reading() as connection:
            (everything,) = connection.execute("SELECT count(*) FROM files").fetchone()
        change = self._database.filling if len(changed) > everything else self._database.writing
        with change() as connection:
            connection.executemany(
                "DELETE FROM files WHERE shelf = ? AND path = ?", ((shelf, path) for path in gone)
            )
            _write(connection, rows)

    def early(self, roots: Sequence[Path], notes: Notes) -> EarlyIndex:
        """Return what writes the first index of these folders while they are still being read."""
        shelf = self.shelf(roots)
        return EarlyIndex(
            self._database,
            lambda connection, files: _write(connection, _rows(shelf, roots, files, notes.everything(), 0.0)),
        )

    def added(self, roots: Sequence[Path], file: NetworkFile) -> float:
        """Return since when a file has been there, in seconds of the epoch."""
        number = self.number(roots, file)
        with self._database.reading() as connection:
            row = connection.execute("SELECT added FROM files WHERE id = ?", (number,)).fetchone()
        return float(row[0]) if row else file.mtime_ns / 1e9

    def renote(self, roots: Sequence[Path], file: NetworkFile, own: Mapping[str, Any]) -> None:
        """Make one file findable by what the user noted of it now."""
        number, entry = self.number(roots, file), file.entry_with(own)
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE files SET tags = ?, noted = ? WHERE id = ?", (entry.tags, entry.noted, number)
            )
            connection.execute("UPDATE texts SET hay = ? WHERE id = ?", (entry.hay, number))

    def number(self, roots: Sequence[Path], file: NetworkFile) -> int:
        """Return the number of a file's row."""
        return _number(self.shelf(roots), stored_path(file))

    def shelf(self, roots: Sequence[Path]) -> int:
        """Return the number of a set of folders, a new one where it is asked for the first time."""
        key, now = json.dumps([stored(str(root)) for root in roots]), time.time()
        with self._database.reading() as connection:
            row = connection.execute("SELECT id, used FROM shelves WHERE roots = ?", (key,)).fetchone()
        if row is not None and row[1] > now - KEPT / 10:
            return int(row[0])
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO shelves (roots, used) VALUES (?, ?) "
                "ON CONFLICT (roots) DO UPDATE SET used = excluded.used",
                (key, now),
            )
            connection.execute("DELETE FROM shelves WHERE used < ?", (now - KEPT,))
            connection.execute("DELETE FROM files WHERE shelf NOT IN (SELECT id FROM shelves)")
            return int(connection.execute("SELECT id FROM shelves WHERE roots = ?", (key,)).fetchone()[0])


def _rows(
    shelf: int, roots: Sequence[Path], files: Iterable[NetworkFile], own: Mapping[str, Any], now: float
) -> list[tuple[Row, Row]]:
    """Return the rows of files, ordered as the index of words wants them.

    now: since when they have been there, in seconds of the epoch; 0 for since they were written.
    """
    places = {root: place for place, root in enumerate(roots)}
    rows = []
    for file in files:
        path = stored_path(file)
        entry = file.entry_with(own[path]) if path in own else file.entry
        number = _number(shelf, path)
        rows.append(
            (
                _file_row(number, shelf, path, places[file.root], file, entry, now),
                _text_row(number, file, entry.hay),
            )
        )
    rows.sort(key=lambda row: row[0][0])
    return rows


def _write(connection: sqlite3.Connection, rows: Sequence[tuple[Row, Row]]) -> None:
    connection.executemany(_insertion("files", _FILES), [row for row, _ in rows])
    connection.executemany(_insertion("texts", _TEXTS), [row for _, row in rows])


def _file_row(
    number: int, shelf: int, path: str, root: int, file: NetworkFile, entry: Entry, now: float
) -> Row:
    return (
        *(number, shelf, path, file.id, root, file.label),
        *(file.folder, file.size, file.mtime_ns, now or file.mtime_ns / 1e9),
        *(file.alias, file.declared_hash, file.declared_legacy, file.fingerprint, file.flaw),
        *entry[:-1],
    )


def _text_row(number: int, file: NetworkFile, hay: str) -> Row:
    return number, "[]" if file.flaw or not file.beside else json.dumps(file.beside), file.text, hay


def _number(shelf: int, path: str) -> int:
    return int(identity(f"{shelf} {path}")[:15], 16)


def _insertion(table: str, columns: Sequence[str]) -> str:
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in _FIRST)
    marks = ", ".join("?" * len(columns))
    begin = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    return f"{begin} ON CONFLICT (id) DO UPDATE SET {changed}"
