"""The rows of one set of folders in memory, and the last answers given from them, while nothing changes.

A page, its facets and the next page ask the same: the words are looked up once. What another process writes
shows in the databases' version numbers.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import RLock
from typing import Any, TypeVar

from .database import Database
from .query import Query, Row, by_name, count, order, ordering, passing, split_words

KEPT = 16  # answers of each kind
SHORT = 3  # letters; the index of words holds three at a time
_COLUMNS = (
    "f.id, f.key, f.added, f.label, f.name, f.sorted, f.root, f.folder, f.family, f.architecture, "
    "coalesce(n.role, f.role), coalesce(n.favourite, f.favourite), coalesce(n.rating, f.rating), n.used, "
    "f.problem, f.noted, f.tags, f.size, f.mtime_ns"
)
_FROM = "FROM files f LEFT JOIN mine.notes n ON n.path = f.path"
T = TypeVar("T")


class Answers:
    """What is asked of a list. Safe to use from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = RLock()
        self._version: tuple[int, ...] = ()
        self._by_label: list[Row] = []
        self._by_name: list[Row] = []
        self._texts: dict[int, str] = {}
        self._last: OrderedDict[tuple[str, object], Any] = OrderedDict()

    def rows(self, shelf: int, query: Query, edition: int) -> list[Row]:
        """Return the rows that answer, in order; `edition` grows with every change of the list here."""
        with self._lock:
            self._read(shelf, edition)
            return self._kept("rows", query, lambda: self._find(query))

    def facets(self, shelf: int, query: Query, edition: int) -> dict[str, Any]:
        """Return the counts of every filter."""
        with self._lock:
            self._read(shelf, edition)
            asked = replace(query, sort="", descending=None)
            return self._kept(
                "facets", asked, lambda: count(self._matching(asked.words, self._by_label), asked)
            )

    def forget(self) -> None:
        """Drop the answers, as if nothing had been asked."""
        with self._lock:
            self._last.clear()

    def renew(self, number: int) -> None:
        """Read one row again, of which something was noted."""
        with self._lock, self._database.reading() as connection:
            row = connection.execute(f"SELECT {_COLUMNS} {_FROM} WHERE f.id = ?", (number,)).fetchone()
            for rows in (self._by_label, self._by_name) if row else ():
                rows[:] = [Row._make(row) if old.id == number else old for old in rows]
            self._texts = {}
            self._last.clear()

    def _read(self, shelf: int, edition: int) -> None:
        """Read all rows, unless nothing changed since."""
        with self._database.reading() as connection:
            version = (shelf, edition, *self._database.versions())
            if version == self._version:
                return
            rows = connection.execute(
                f"SELECT {_COLUMNS} {_FROM} WHERE f.shelf = ? ORDER BY f.label COLLATE NOCASE, f.path",
                (shelf,),
            )
            self._by_label = list(map(Row._make, rows))
        self._by_name = by_name(self._by_label)
        self._texts = {}
        self._last.clear()
        self._version = version

    def _find(self, query: Query) -> list[Row]:
        rows = self._by_label if ordering(query) == "label" else self._by_name
        return order(passing(self._matching(query.words, rows), query), query)

    def _matching(self, text: str, rows: Sequence[Row]) -> Sequence[Row]:
        """Return those of `rows` that hold every word."""
        words = split_words(text)
        if not words:
            return rows
        found: set[int] = self._kept("words", tuple(words), lambda: self._look_up(words))
        return [row for row in rows if row.id in found]

    def _look_up(self, words: Sequence[str]) -> set[int]:
        long = [word for word in words if self._database.full_text and len(word) >= SHORT]
        short = [word for word in words if word not in long]
        found: set[int] | None = None
        if long:
            quoted = " ".join('"' + word.replace('"', '""') + '"' for word in long)
            with self._database.reading() as connection:
                hits = connection.execute("SELECT rowid FROM words WHERE words MATCH ?", (quoted,)).fetchall()
            found = {number for (number,) in hits}
        texts = self._all_texts() if short else {}
        for word in short:
            if found is None:
                found = {number for number, text in texts.items() if word in text}
            else:  # those of other folders have no text here
                found = {number for number in found if word in texts.get(number, "")}
        return found or set()

    def _all_texts(self) -> dict[int, str]:
        """Return all that is searched: words of one or two letters are not in the index of words."""
        if not self._texts:
            shelf = self._version[0]
            with self._database.reading() as connection:
                rows = connection.execute(
                    "SELECT id, hay FROM texts WHERE id IN (SELECT id FROM files WHERE shelf = ?)", (shelf,)
                )
                self._texts = dict(rows.fetchall())
        return self._texts

    def _kept(self, kind: str, asked: object, work: Callable[[], T]) -> T:
        key = (kind, asked)
        if key in self._last:
            self._last.move_to_end(key)
            known: T = self._last[key]
            return known
        answer = self._last[key] = work()
        while len(self._last) > 3 * KEPT:
            self._last.popitem(last=False)
        return answer
