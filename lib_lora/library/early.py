"""The first index of many files, written while files are still being read.

To index words takes SQLite as long as Python takes to read thousands of files, and SQLite needs no Python for
it: the words of the first files are indexed beside the reading of the others. Until the end nobody sees any
of it; where anything is in the way, nothing of it stays, and the index is written afterwards as ever.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from threading import Thread
from time import monotonic

from .database import Database
from .network_file import NetworkFile

QUICK = 3.0  # seconds for the first part: nobody else may write then until the last
_NEW_WORDS = (
    "INSERT INTO words (rowid, hay) SELECT id, hay FROM texts WHERE id NOT IN (SELECT id FROM words_docsize)"
)
Write = Callable[[sqlite3.Connection, Sequence[NetworkFile]], None]


class EarlyIndex:
    """One change of the index, in a connection of its own; what is not finished with `finish` is undone.

    All files are added in some parts, and nothing is added where nobody calls `add`.
    """

    def __init__(self, database: Database, write: Write) -> None:
        self._database, self._write = database, write
        self._connection: sqlite3.Connection | None = None
        self._thread: Thread | None = None
        self._made = monotonic()
        self._opened = database.opened
        self._failed = not database.full_text  # then there is nothing that could be done beside

    def __enter__(self) -> EarlyIndex:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def add(self, files: Sequence[NetworkFile]) -> None:
        """Write files, and index their words while the caller goes on."""
        self._attempt(lambda: self._add(files))

    def finish(self) -> bool:
        """Let everybody see all that was added; return whether that was done. Nothing is raised."""
        if self._connection is None:
            return False
        self._attempt(self._finish)
        self._end()
        done = not self._failed and self._opened == self._database.opened
        if done:
            self._database.settle()
        return done

    def _attempt(self, work: Callable[[], None]) -> None:
        if not self._failed:
            try:
                work()
            except sqlite3.Error:
                self._failed = True
            if self._failed:
                self._end()

    def _add(self, files: Sequence[NetworkFile]) -> None:
        connection = self._connection or self._begin()
        self._join()
        if connection is None or self._failed:
            self._failed = True
            return
        self._write(connection, files)
        self._thread = Thread(
            target=self._index_words, args=(connection,), name="lora-stack-words", daemon=True
        )
        self._thread.start()

    def _begin(self) -> sqlite3.Connection | None:
        """Begin the change; None where the index is in memory or not empty, or the disk slow."""
        connection = self._database.beside() if monotonic() - self._made < QUICK else None
        if connection is not None:
            self._connection = connection
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("SELECT 1 FROM files").fetchone() is not None:
                return None
            self._database.begin_filling(connection)
        return connection

    def _finish(self) -> None:
        self._join()
        if not self._failed and self._connection is not None:
            self._database.end_filling(self._connection)
            self._connection.execute("COMMIT")

    def _index_words(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute(_NEW_WORDS)
        except sqlite3.Error:
            self._failed = True

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _end(self) -> None:
        self._join()
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()  # what was not committed is undone
            self._connection = None
