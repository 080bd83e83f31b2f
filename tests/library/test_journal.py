"""The journal made shorter or taken away: also where the disk is full or the power fails meanwhile."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_lora.library import notes
from lib_lora.library.catalogue import Catalogue
from lib_lora.library.database import MINE
from lib_lora.library.journal import NAME
from lib_lora.library.library import Library
from tests.library.shelves import put


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """A library with a note and a use, whose journal is longer than it may be."""
    put(tmp_path / "loras", "neon")
    found = Library([tmp_path / "loras"], data=tmp_path)
    found.scan()
    Catalogue(found).note(found.find("neon"), {"title": "mine", "rating": 4})
    found.use([found.find("neon")], [0.7])
    found.close()
    monkeypatch.setattr("lib_lora.library.notes.JOURNAL_LIMIT", 100)
    yield found


def opened_again(library: Library, data: Path) -> dict[str, object]:
    found = Library(library.roots, data=data)
    found.scan()
    card = Catalogue(found).card(found.find("neon"))
    history = found.notes.history(str(found.find("neon").path))
    found.close()
    return {"title": card["title"], "uses": card["uses"], "history": len(history)}


KEPT = {"title": "mine", "uses": 1, "history": 1}


def test_a_full_disk_lets_it_grow_and_the_session_begin(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (tmp_path / NAME).read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert opened_again(library, tmp_path) == KEPT
    assert (tmp_path / NAME).read_bytes() == before


def test_it_may_be_read_twice(library: Library, tmp_path: Path) -> None:
    """As where the power fails before the database has heard that it is another."""
    assert opened_again(library, tmp_path) == KEPT
    connection = sqlite3.connect(tmp_path / MINE)
    with connection:
        connection.execute("UPDATE journal SET bytes = 1000000")
    connection.close()
    assert opened_again(library, tmp_path) == KEPT


@pytest.mark.parametrize("when", ["between sessions", "while it is used"])
def test_taken_away_it_is_written_anew_whole(tmp_path: Path, when: str) -> None:
    """So that what was noted before comes back, too, where the database is damaged later."""
    for name in ("neon", "zorp"):
        put(tmp_path / "loras", name, len(name), ss_session_id=name)
    found = Library([tmp_path / "loras"], data=tmp_path)
    found.scan()
    Catalogue(found).note(found.find("neon"), {"title": "mine"})
    found.use([found.find("neon")], [0.7])
    if when == "between sessions":
        found.close()
    (tmp_path / NAME).unlink()
    if when == "between sessions":
        found = Library(found.roots, data=tmp_path)
        found.scan()
    Catalogue(found).note(found.find("zorp"), {"title": "later"})
    found.close()
    (tmp_path / MINE).unlink()
    assert opened_again(found, tmp_path) == {"title": "mine", "uses": 1, "history": 1}
    found = Library(found.roots, data=tmp_path)
    found.scan()
    assert Catalogue(found).card(found.find("zorp"))["title"] == "later"


def test_a_use_counts_once_where_the_database_turns_out_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "loras", "neon")
    found = Library([tmp_path / "loras"], data=tmp_path)
    found.scan()
    real, faults = notes.remember, [sqlite3.DatabaseError("database disk image is malformed")]

    def damaged(connection: sqlite3.Connection, size: int) -> None:
        if faults:
            raise faults.pop()
        real(connection, size)

    monkeypatch.setattr(notes, "remember", damaged)
    found.use([found.find("neon")], [0.7])
    assert opened_again(found, tmp_path)["uses"] == 1
