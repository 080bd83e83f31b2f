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
from .listing import Listing
from .query import Query, Row, by_name, count, order, ordering, passing, split_words

KEPT = 16  # answers of each kind
SHORT = 3  # letters; the index of words holds three at a time
_COLUMNS = (
    "CAST(f.id AS TEXT), f.key, f.added, f.label, f.name, f.sorted, f.root, f.folder, f.family, "
    "f.architecture, coalesce(n.role, f.role), coalesce(n.favourite, f.favourite), "
    "coalesce(n.rating, f.rating), n.used, f.problem, f.noted, f.tags, f.size, f.mtime_ns"
)
_FROM = "FROM files f LEFT JOIN mine.notes n ON n.path = f.path"
T = TypeVar("T")


class Answers:
    """What is asked of a list. Safe to use from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = RLock()
        self._version: tuple[int, ...] = ()
        self._by_label = self._by_name = Listing(())
        self._texts: dict[str, str] = {}
        self._last: OrderedDict[tuple[str, object], Any] = OrderedDict()

    def rows(self, shelf: int, query: Query, edition: int) -> Sequence[Row]:
        """Return the rows that answer, in order; `edition` grows with every change of the list here."""
        with self._lock:
            self._read(shelf, edition)
            return self._kept("rows", query, lambda: self._find(query))

    def facets(self, shelf: int, query: Query, edition: int) -> dict[str, Any]:
        """Return the counts of every filter."""
        with self._lock:
            self._read(shelf, edition)
            asked = replace(query, sort="", descending=None)
            return self._kept("facets", asked, lambda: self._count(asked))

    def forget(self) -> None:
        """Drop the answers, as if nothing had been asked."""
        with self._lock:
            self._last.clear()

    def renew(self, number: int) -> None:
        """Read one row again, of which something was noted."""
        with self._lock, self._database.reading() as connection:
            row = connection.execute(f"SELECT {_COLUMNS} {_FROM} WHERE f.id = ?", (number,)).fetchone()
            if row:
                new = Row._make(row)
                self._list([new if old.id == new.id else old for old in self._by_label.rows])
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
            self._list(list(map(Row._make, rows)))
        self._texts = {}
        self._last.clear()
        self._version = version

    def _list(self, rows: list[Row]) -> None:
        self._by_label, self._by_name = Listing(rows), Listing(by_name(rows))

    def _find(self, query: Query) -> Sequence[Row]:
        sort, words = ordering(query), split_words(query.words)
        listing = self._by_label if sort == "label" else self._by_name
        rows, ids = listing.holding(self._matching(words))
        kept = passing(rows, query)
        if sort != "relevance" or not kept:
            return order(kept, query, ())
        if len(kept) < len(rows):
            ids = [row.id for row in kept]
        return order(kept, query, list(map(listing.ahead(words[0]).__contains__, ids)))

    def _count(self, query: Query) -> dict[str, Any]:
        rows, _ = self._by_label.holding(self._matching(split_words(query.words)))
        return count(rows, query)

    def _matching(self, words: Sequence[str]) -> set[str] | None:
        """Return the ids of the rows that hold every word, None for no words."""
        if not words:
            return None
        return self._kept("words", tuple(words), lambda: self._look_up(words))

    def _look_up(self, words: Sequence[str]) -> set[str]:
        long = [word for word in words if self._database.full_text and len(word) >= SHORT]
        short = [word for word in words if word not in long]
        found: set[str] | None = None
        if long:
            quoted = " ".join('"' + word.replace('"', '""') + '"' for word in long)
            with self._database.reading() as connection:
                # One text, not thousands of rows: Python takes longer to make those than SQLite to find them.
                (hits,) = connection.execute(
                    "SELECT group_concat(rowid) FROM words WHERE words MATCH ?", (quoted,)
                ).fetchone()
            found = set(hits.split(",")) if hits else set()
        texts = self._all_texts() if short else {}
        for word in short:
            if found is None:
                found = {number for number, text in texts.items() if word in text}
            else:  # those of other folders have no text here
                found = {number for number in found if word in texts.get(number, "")}
        return found or set()

    def _all_texts(self) -> dict[str, str]:
        """Return all that is searched: words of one or two letters are not in the index of words."""
        if not self._texts:
            shelf = self._version[0]
            with self._database.reading() as connection:
                rows = connection.execute(
                    "SELECT CAST(id AS TEXT), hay FROM texts "
                    "WHERE id IN (SELECT id FROM files WHERE shelf = ?)",
                    (shelf,),
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
