"""What the user notes about files, and when they were used: checked, kept, found again when a file moves."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import NotWrittenError
from .database import Database
from .fields import check
from .journal import Journal
from .lines import HISTORY, SENSELESS, STORED, apply, done, everything, read_row, remember
from .network_file import NetworkFile
from .whereabouts import Listed, is_gone

ASKED_AT_ONCE = 500  # paths in one question; SQLite takes some thousands
JOURNAL_LIMIT = 4_000_000  # bytes, beyond which the journal is written anew without what was replaced


class Notes:
    """The user's own data. Safe for threads and for two processes on one folder."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._journal = Journal(database.folder if not database.problems else None)
        self.replay()

    def of(self, path: str) -> dict[str, Any]:
        """Return all fields of a file, None for those the user said nothing about."""
        return self.of_all([path]).get(path) or self.nothing()

    @staticmethod
    def nothing() -> dict[str, Any]:
        """Return the fields of a file about which there is nothing."""
        return dict.fromkeys(STORED)

    def of_all(self, paths: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the fields of those files about which there is something, by path."""
        if len(paths) > ASKED_AT_ONCE:
            return self.everything()
        marks = ",".join("?" * len(paths))
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {','.join(STORED)} FROM mine.notes WHERE path IN ({marks})", tuple(paths)
            ).fetchall()
        return {row[0]: read_row(row) for row in rows}

    def everything(self) -> dict[str, dict[str, Any]]:
        """Return the fields of all files about which there is something, by path."""
        with self._database.reading() as connection:
            rows = connection.execute(f"SELECT {','.join(STORED)} FROM mine.notes").fetchall()
        return {row[0]: read_row(row) for row in rows}

    def change(self, file: NetworkFile, fields: Mapping[str, object]) -> dict[str, Any]:
        """Note `fields` of a file; None forgets. Raises FieldValueError, NotWrittenError."""
        checked = {name: check(name, value) for name, value in fields.items()}
        self._keep({"note": _place(file), **checked})
        return checked

    def use(self, files: Sequence[NetworkFile], weights: Sequence[float | None]) -> None:
        """Note that a picture was made with `files`. Raises NotWrittenError."""
        now = round(time.time(), 3)
        self._keep(
            *(
                {"use": _place(file), "time": now, "weight": weight}
                for file, weight in zip(files, weights, strict=True)
            )
        )

    def history(self, path: str) -> list[dict[str, float | None]]:
        """Return the last uses of a file, the newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT time, weight FROM mine.history WHERE path = ? ORDER BY time DESC LIMIT ?",
                (path, HISTORY),
            )
            return [{"time": used, "weight": weight} for used, weight in rows]

    def follow(self, files: Sequence[NetworkFile], away: Sequence[Path] = ()) -> int:
        """Let notes of files that are gone follow to where the same file is now; return how many did.

        The same file: equal fingerprint, or equal name and size. Where several could be it, none is. Of files
        that were written into, the new fingerprint and size are noted, by which they are found later. away:
        folders that cannot be looked into now, such as a drive that comes back; what lies there waits. A file
        that was listed beside the lost one is a copy of it, and what was noted is not about that. Where a
        link was left behind, the file is where it leads. A file that is where it was and listed under another
        path as well is noted under both: another set of folders may go on asking for the first.
        """
        here = {stored_path(file): file for file in files}
        with self._database.reading() as connection:
            rows = connection.execute("SELECT path, name, size, fingerprint FROM mine.notes").fetchall()
        noted = {row[0] for row in rows}
        waiting = tuple(f"{stored(str(folder))}{os.sep}" for folder in away)
        elsewhere = [row for row in rows if row[0] not in here and not row[0].startswith(waiting)]
        lost = [row for row in elsewhere if is_gone(row[0])]
        moved: list[dict[str, Any]] = [
            {"note": _place(file)}
            for path, _, size, fingerprint in rows
            if (file := here.get(path))
            and not file.flaw
            and (file.size, file.fingerprint) != (size, fingerprint)
        ]
        for row in rows:
            path = stored(os.path.realpath(row[0])) if row[0] not in here else row[0]
            if path != row[0] and path in here and path not in noted:
                moved.append({"move": row[0], "to": _place(here[path])})
                noted.add(path)
        listed = Listed(files if len(elsewhere) > len(lost) else ())
        for path, name, size, _ in elsewhere:
            same_file = listed.same(path, name, size)
            if same_file is not None and stored_path(same_file) not in noted:
                moved.append(self._again(path, same_file))
                noted.add(stored_path(same_file))
        by_print: dict[str, list[NetworkFile]] = {}
        by_name: dict[tuple[str, int], list[NetworkFile]] = {}
        for file in files if lost else ():
            if stored_path(file) not in noted:
                by_print.setdefault(file.fingerprint, []).append(file)
                by_name.setdefault((file.path.name, file.size), []).append(file)
        followed = sum("note" not in change for change in moved)
        lists = self._lists() if lost else {}
        for path, name, size, fingerprint in lost:
            same = by_print.get(fingerprint, []) if fingerprint else []
            same = same if len(same) == 1 else by_name.get((name, size), [])
            if len(same) == 1 and not lists.get(path, set()) & lists.get(stored_path(same[0]), set()):
                moved.append({"move": path, "to": _place(same[0])})
                followed += 1
        try:
            if moved:
                self._keep(*moved)
        except NotWrittenError:  # a full disk hides no list; they follow another time
            return 0
        return followed

    def _again(self, path: str, file: NetworkFile) -> dict[str, Any]:
        """Return a change that notes of `file` all that is noted under another path of it."""
        with self._database.reading() as connection:
            (change,) = everything(connection, path)
        return {**change, "whole": change["whole"] | dict(zip(STORED, _place(file), strict=False))}

    def _lists(self) -> dict[str, set[int]]:
        """Return by path in which lists of the index a file is, those of folders that are away included."""
        found: dict[str, set[int]] = {}
        with self._database.reading() as connection:
            for shelf, path in connection.execute("SELECT shelf, path FROM files"):
                found.setdefault(path, set()).add(shelf)
        return found

    def _keep(self, *changes: dict[str, Any]) -> None:
        """Write changes into the journal first, then into the database, which waits for other processes."""
        try:
            with self._database.writing() as connection:
                if (before := self._journal.size()) < done(connection):
                    before = self._replay(connection)  # somebody took it away
                try:
                    end = self._journal.append(*changes)
                    for change in changes:
                        apply(connection, change)
                    remember(connection, end)
                    connection.execute("COMMIT")  # while nobody else may write into the journal
                except SENSELESS:  # a damaged database too, after which it is tried again
                    self._journal.take_back(before)
                    raise
        except (OSError, sqlite3.OperationalError) as error:
            raise NotWrittenError(
                f"What you noted could not be saved ({error}). Look whether the disk is full, then try again."
            ) from error

    def replay(self) -> None:
        """Bring the database up to the journal: after a crash, or when the database had to be made anew."""
        with self._database.reading() as connection:
            size = self._journal.size()
            up_to_date = done(connection) == size
        if up_to_date and size < JOURNAL_LIMIT:
            return
        try:
            with self._database.writing() as connection:
                remember(connection, self._replay(connection))
        except sqlite3.OperationalError:
            if not up_to_date:
                raise
            # Only the journal was to be made shorter: on a full disk it waits for another day.

    def _replay(self, connection: sqlite3.Connection) -> int:
        """Do what the journal knows and the database does not; return the journal's length.

        One that is too long is written anew, and so is one that was taken away or replaced by an older one.
        """
        # Asked again: another process may have been faster.
        known, size = done(connection), self._journal.size()
        for change in self._journal.read(known if known <= size else 0):
            try:
                apply(connection, change)
            except SENSELESS:
                continue  # a damaged line must not hide the others
        if size >= JOURNAL_LIMIT or size < known:
            with contextlib.suppress(NotWrittenError):
                return self._journal.replace(everything(connection))
        return size


def overlay(told: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of a file with the user's own words in place of others."""
    for name in ("title", "role", "trigger_words", "notes", "negative"):
        if own[name] is not None:
            told[name] = own[name]
    if own["weight"] is not None:
        told["preferred_weight"] = own["weight"]
    return told


def _place(file: NetworkFile) -> list[Any]:
    """Return what a file is found again by; names that are no text are kept readable for SQLite."""
    return [stored_path(file), stored(file.path.name), file.size, file.fingerprint]


def stored_path(file: NetworkFile) -> str:
    """Return the path as it stands in the databases."""
    return stored(file.place)


def stored(text: str) -> str:
    """Return a text that SQLite can hold, the same for the same name."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
