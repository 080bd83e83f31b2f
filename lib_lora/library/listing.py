"""The rows of one set of folders in one order, with those columns apart of which every search asks.

The rows themselves lie all over the memory: to touch ten thousand of them takes longer than the search.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import compress

from .query import Row


class Listing:
    """Rows that do not change."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        # Split again, each lies beside the next.
        self._ids = ",".join([row.id for row in rows]).split(",") if rows else []
        self._names = "\0".join([row.name for row in rows]).split("\0") if rows else []
        self._favourites = {row.id for row in rows if row.favourite}

    def holding(self, found: Set[str] | None) -> tuple[Sequence[Row], Sequence[str]]:
        """Return those rows whose ids are in `found`, all for None, and their ids."""
        if found is None:
            return self.rows, self._ids
        held = list(map(found.__contains__, self._ids))
        return list(compress(self.rows, held)), list(compress(self._ids, held))

    def ahead(self, word: str) -> set[str]:
        """Return the ids of favourites and of rows with `word` in their name."""
        named = [word in name for name in self._names]
        return self._favourites.union(compress(self._ids, named))
