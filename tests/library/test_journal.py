"""The journal made shorter: where the disk is full, and where the power fails in the middle of it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

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
