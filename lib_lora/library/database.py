"""The two databases: the index, which can be made again at any time, and `mine.sqlite`, which cannot.

One connection holds both, so that a search can ask what the user noted. Threads take turns, other processes
too (write-ahead log, a busy time of some seconds). Without a folder both live in memory.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock, Thread
from urllib.parse import quote

SCHEMA = 2  # raised when the index's tables or words change: it has another name then and is made anew
BUSY = 10.0  # seconds to wait for another process
LOG_PAGES = 1_000  # of SQLite's log, after which a change brings them into the file
GATHERED = 16 * 1024 * 1024  # bytes
MINE = "mine.sqlite"
DAMAGED = ".damaged"

_INDEX_TABLES = (
    "CREATE TABLE IF NOT EXISTS shelves (id INTEGER PRIMARY KEY, roots TEXT UNIQUE, used REAL)",
    """CREATE TABLE IF NOT EXISTS files (
        id INTEGER PRIMARY KEY, shelf INTEGER, path TEXT, key TEXT, root INTEGER, label TEXT, name TEXT,
        sorted TEXT, folder TEXT, size INTEGER, mtime_ns INTEGER, added REAL, alias TEXT, declared TEXT,
        legacy TEXT, fingerprint TEXT, flaw TEXT, architecture TEXT, family TEXT, role TEXT, rating INTEGER,
        favourite INTEGER, problem INTEGER, noted INTEGER, tags TEXT)""",
    # Apart, so that filters and orders need not read past the long texts.
    "CREATE TABLE IF NOT EXISTS texts (id INTEGER PRIMARY KEY, beside TEXT, record TEXT, hay TEXT)",
    """CREATE TRIGGER IF NOT EXISTS files_gone AFTER DELETE ON files BEGIN
        DELETE FROM texts WHERE id = old.id;
    END""",
)
_ORDERS = ("CREATE INDEX IF NOT EXISTS files_label ON files (shelf, label COLLATE NOCASE, path)",)
_FULL_TEXT = """CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
    hay, content='texts', content_rowid='id', tokenize='trigram case_sensitive 1')"""
_FOLLOWING = (
    """CREATE TRIGGER IF NOT EXISTS words_new AFTER INSERT ON texts BEGIN
        INSERT INTO words (rowid, hay) VALUES (new.id, new.hay);
    END""",
    """CREATE TRIGGER IF NOT EXISTS words_gone AFTER DELETE ON texts BEGIN
        INSERT INTO words (words, rowid, hay) VALUES ('delete', old.id, old.hay);
    END""",
    """CREATE TRIGGER IF NOT EXISTS words_other AFTER UPDATE OF hay ON texts WHEN old.hay <> new.hay BEGIN
        INSERT INTO words (words, rowid, hay) VALUES ('delete', old.id, old.hay);
        INSERT INTO words (rowid, hay) VALUES (new.id, new.hay);
    END""",
)
_DERIVED = (
    ("INDEX", "files_label"),
    *(("TRIGGER", name) for name in ("words_new", "words_gone", "words_other")),
)
_MINE_TABLES = (
    """CREATE TABLE IF NOT EXISTS mine.notes (
        path TEXT PRIMARY KEY, name TEXT, size INTEGER, fingerprint TEXT, title TEXT, role TEXT,
        trigger_words TEXT, weight REAL, notes TEXT, favourite INTEGER, rating INTEGER, tags TEXT,
        negative TEXT, used REAL, uses INTEGER NOT NULL DEFAULT 0, last_weight REAL)""",
    "CREATE TABLE IF NOT EXISTS mine.history (path TEXT, time REAL, weight REAL)",
    "CREATE INDEX IF NOT EXISTS mine.history_path ON history (path, time)",
    """CREATE TABLE IF NOT EXISTS mine.hashes (
        path TEXT, size INTEGER, mtime_ns INTEGER, kind TEXT, digest TEXT, PRIMARY KEY (path, kind))""",
    "CREATE TABLE IF NOT EXISTS mine.journal (bytes INTEGER)",
)


class Database:
    """A connection to both databases; `folder` is None for memory, `full_text` tells whether FTS5 serves."""

    def __init__(self, folder: Path | None, full_text: bool | None = None) -> None:
        self.folder = folder
        self.full_text = has_full_text() if full_text is None else full_text
        self.problems: tuple[str, ...] = ()
        self._lock = RLock()
        self._index_in_memory = False
        self.opened = 0  # times; after each the index may be another one
        self._file: Path | None = None  # None: the index is in memory
        self._settling: Thread | None = None
        self._connection = self._open()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection for a question."""
        with self._lock:
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection for one change of all or nothing."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                if self._connection.in_transaction:  # who must know that it is done has done it
                    self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # a full disk may have ended it already
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def filling(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection for a change of most rows: orders and words are made once, at the end.

        Row by row the index of words takes five times as long. All of it is safe in the log when this ends;
        from there another thread brings it into the file, which takes longer than to write the log.
        """
        with self._lock:
            self._connection.execute("PRAGMA wal_autocheckpoint = 0")
            try:
                with self.writing() as connection:
                    self.begin_filling(connection)
                    yield connection
                    if self.full_text:
                        connection.execute("INSERT INTO words (words) VALUES ('rebuild')")
                    self.end_filling(connection)
            finally:
                self._connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
            self.settle()

    def begin_filling(self, connection: sqlite3.Connection) -> None:
        """Drop what follows every row, within a change."""
        for kind, name in _DERIVED:
            connection.execute(f"DROP {kind} IF EXISTS {name}")
        if self.full_text:
            # So much is gathered in memory before it is written, in order; a new index has 1 MB, and most of
            # the time is spent on joining what was written in many pieces.
            connection.execute("INSERT INTO words (words, rank) VALUES ('hashsize', ?)", (GATHERED,))

    def end_filling(self, connection: sqlite3.Connection) -> None:
        """Make again what follows every row."""
        for statement in (*_ORDERS, *(_FOLLOWING if self.full_text else ())):
            connection.execute(statement)

    def settle(self) -> None:
        """Let a thread bring into the file what is in the log only."""
        if self._file is not None:
            self._settling = Thread(target=_settle, args=(self._file,), name="lora-stack-log", daemon=True)
            self._settling.start()

    def beside(self) -> sqlite3.Connection | None:
        """Return another connection to the index, which waits for nobody; None where it is in memory.

        Raises sqlite3.Error.
        """
        if self._file is None:
            return None
        connection = sqlite3.connect(self._file, timeout=0.0, isolation_level=None, check_same_thread=False)
        _settings(connection)
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        return connection

    def versions(self) -> tuple[int, int]:
        """Return numbers that change when another process wrote into the index or the notes."""
        with self._lock:
            numbers = [
                self._connection.execute(f"PRAGMA {name}.data_version").fetchone()
                for name in ("main", "mine")
            ]
        return int(numbers[0][0]), int(numbers[1][0])

    def close(self) -> None:
        """Give the files back."""
        with self._lock:
            if self._settling is not None:
                self._settling.join()
            self._connection.close()

    def renew(self, index_in_memory: bool = False) -> None:
        """Close both databases, set aside what is damaged, and open again; the index in memory if asked."""
        with self._lock:
            self.close()
            self._index_in_memory = index_in_memory
            if self.folder is not None:
                with contextlib.suppress(OSError):  # what cannot be moved is told of when it is opened
                    set_aside_damaged(self.folder, self.index_name)
            self._connection = self._open()

    @property
    def index_name(self) -> str:
        """The index's file name; what another SQLite or another version could not read is another file."""
        return f"index-{SCHEMA}{'-words' if self.full_text else ''}.sqlite"

    def _open(self) -> sqlite3.Connection:
        self.opened += 1
        if self.folder is not None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                return self._connect(self.folder)
            except (OSError, sqlite3.OperationalError) as error:
                self.problems = (
                    f"What you note about your files cannot be kept: the folder {self.folder} cannot be "
                    f"written ({error}). Make it writable, then press Reload UI.",
                )
        return self._connect(None)

    def _connect(self, folder: Path | None) -> sqlite3.Connection:
        for last in (False, True):
            self._file = None if folder is None or self._index_in_memory else folder / self.index_name
            connection = sqlite3.connect(
                self._file or ":memory:",
                timeout=BUSY,
                isolation_level=None,
                check_same_thread=False,
                uri=True,
            )
            try:
                self._prepare(connection, folder)
            except sqlite3.DatabaseError as error:
                connection.close()
                if last or folder is None or isinstance(error, sqlite3.OperationalError):
                    raise
                set_aside_damaged(folder, self.index_name)
            else:
                return connection
        raise AssertionError  # the last turn returns or raises

    def _prepare(self, connection: sqlite3.Connection, folder: Path | None) -> None:
        run = connection.execute
        run("PRAGMA main.page_size = 16384")  # of a new index: a quarter of the pages to write
        run("ATTACH ? AS mine", (":memory:" if folder is None else f"file:{quote(str(folder / MINE))}",))
        run("PRAGMA main.journal_mode = WAL")
        run("PRAGMA mine.journal_mode = WAL")
        _settings(connection)
        run("PRAGMA mine.synchronous = FULL")
        run("BEGIN IMMEDIATE")
        words = (_FULL_TEXT, *_FOLLOWING) if self.full_text else ()
        for statement in (*_MINE_TABLES, *_INDEX_TABLES, *_ORDERS, *words):
            run(statement)
        run("COMMIT")


def _settings(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA main.synchronous = NORMAL")
    connection.execute("PRAGMA main.cache_size = -16000")  # KiB: the filters' columns of ten thousand files


def _settle(path: Path) -> None:
    """Bring what the log of a database holds into the file; what cannot be brought stays in the log."""
    with contextlib.suppress(sqlite3.Error):
        connection = sqlite3.connect(path, timeout=BUSY)
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            connection.close()


def set_aside_damaged(folder: Path, index: str) -> None:
    """Rename those databases in `folder` that are damaged, so that new ones are made."""
    for name in (index, MINE):
        if not _is_sound(folder / name):
            os.replace(folder / name, folder / f"{name}{DAMAGED}")  # noqa: PTH105
            for ending in ("-wal", "-shm"):
                (folder / f"{name}{ending}").unlink(missing_ok=True)


def has_full_text() -> bool:
    """Tell whether this SQLite has FTS5 with three-letter tokens; some builds lack it."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE VIRTUAL TABLE t USING fts5(a, tokenize='trigram case_sensitive 1')")
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()
    return True


def _is_sound(path: Path) -> bool:
    if not path.exists():
        return True
    connection = sqlite3.connect(path, timeout=BUSY)
    try:
        return connection.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)]
    except sqlite3.OperationalError:
        return True  # it cannot be looked into now, since another program locks it, say: no damage
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()
