"""What the user notes is kept, whatever becomes of files, databases and processes."""

from __future__ import annotations

import errno
import json
import sqlite3
from pathlib import Path

import pytest

from lib_lora.errors import FieldValueError, NotWrittenError
from lib_lora.library import database
from lib_lora.library import journal as journals
from lib_lora.library.catalogue import Catalogue
from lib_lora.library.database import DAMAGED, MINE
from lib_lora.library.journal import NAME
from lib_lora.library.query import Query
from tests.library.noting import ALL, card, is_whole, noted, opened


def test_everything_noted_is_there_in_the_next_session(root: Path, data: Path) -> None:
    noted(root, data)
    told = card(opened(root, data), "styles/neon")
    assert is_whole(told)
    assert (told["last_weight"], told["role_guessed"], told["has_notes"]) == (0.7, False, True)


def test_null_brings_the_files_own_word_back(root: Path, data: Path) -> None:
    noted(root, data)
    library = opened(root, data)
    told = Catalogue(library).note(library.find("neon"), {"title": None, "favourite": None, "weight": None})
    assert (told["title"], told["favourite"], told["preferred_weight"]) == ("", False, None)


def test_what_is_noted_can_be_found_by_it(root: Path) -> None:
    library = opened(root, None)
    Catalogue(library).note(library.find("neon"), ALL)
    for words in ("nächtlich", "by day", "光", "MINE"):
        assert [file.label for file in library.search(words)] == ["styles/neon"], words
    for query in (Query(tag="mine"), Query(favourite=True), Query(role="style")):
        assert [file.label for file, _ in library.ask(query)[1]] == ["styles/neon"], query


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"title": 7}, "must be text"),
        ({"title": "x" * 201}, "201 characters"),
        ({"role": "hero"}, "character"),
        ({"rating": 6}, "from 0 to 5"),
        ({"rating": True}, "whole number"),
        ({"weight": "1"}, "number"),
        ({"weight": float("nan")}, "number"),
        ({"weight": 101}, "between"),
        ({"favourite": 1}, "true or false"),
        ({"trigger_words": [1]}, "list of texts"),
        ({"tags": ["x"] * 101}, "101 words"),
        ({"favorite": True}, "'favourite'"),
    ],
)
def test_senseless_notes_are_refused_whole(root: Path, fields: dict[str, object], told: str) -> None:
    library = opened(root, None)
    with pytest.raises(FieldValueError, match=told):
        Catalogue(library).note(library.find("neon"), {"notes": "kept?", **fields})
    assert card(library, "styles/neon")["notes"] == ""


@pytest.mark.parametrize("damage", ["garbage", "half", "gone"])
@pytest.mark.parametrize("which", ["index", "notes", "both"])
def test_damaged_databases_are_made_anew_and_notes_kept(
    root: Path, data: Path, which: str, damage: str
) -> None:
    noted(root, data)
    indexes = list(data.glob("index-*.sqlite"))
    assert len(indexes) == 1
    for path in {"index": indexes, "notes": [data / MINE], "both": [*indexes, data / MINE]}[which]:
        content = path.read_bytes()
        if damage == "gone":
            path.unlink()
        else:
            path.write_bytes(b"x" * len(content) if damage == "garbage" else content[: len(content) // 2])
    library = opened(root, data)
    assert is_whole(card(library, "styles/neon"))
    assert [file.label for file in library.search("zorp")] == ["zorp"]
    if damage == "garbage" and which != "index":
        assert (data / f"{MINE}{DAMAGED}").exists(), "what was there is not thrown away"


def test_a_database_damaged_while_it_is_used(root: Path, data: Path) -> None:
    noted(root, data)
    library = opened(root, data)
    index = next(data.glob("index-*.sqlite"))
    with library.database.writing() as connection:
        connection.execute("UPDATE files SET name = name")
    with library.database.reading() as connection:
        connection.execute("PRAGMA main.wal_checkpoint(TRUNCATE)")
    index.write_bytes(index.read_bytes()[:4096] + b"\xff" * (index.stat().st_size - 4096))
    library.database.renew()
    library.scan()
    assert [file.label for file in library.search("neon")] == ["styles/neon"]
    assert is_whole(card(library, "styles/neon"))


def test_a_database_that_another_program_locks_is_not_taken_for_damaged(
    root: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted(root, data)
    monkeypatch.setattr(database, "BUSY", 0.1)
    other = sqlite3.connect(data / MINE, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("SELECT * FROM notes").fetchall()
    database.set_aside_damaged(data, next(data.glob("index-*.sqlite")).name)
    other.close()
    assert not (data / f"{MINE}{DAMAGED}").exists()
    assert is_whole(card(opened(root, data), "styles/neon"))


def test_a_damaged_database_that_cannot_be_set_aside_stops_no_list(
    root: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows another process that has it open is in the way, elsewhere a folder that is read-only."""
    noted(root, data)
    library = opened(root, data)
    library.database.close()
    (data / MINE).write_bytes(b"x" * 4096)

    def refusing(source: object, target: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(database.os, "replace", refusing)
    library.scan()
    assert is_whole(card(library, "styles/neon")), "out of the lines"
    assert any("cannot be kept" in problem for problem in library.problems())


def test_a_line_cut_off_by_a_power_cut_hides_no_other(root: Path, data: Path) -> None:
    noted(root, data)
    with (data / NAME).open("ab") as file:
        file.write(b'{"note": ["/x", "x", 1, ""], "title": "ha')
    (data / MINE).unlink()
    library = opened(root, data)
    assert is_whole(card(library, "styles/neon"))
    Catalogue(library).note(library.find("zorp"), {"rating": 2})
    library.close()
    (data / MINE).unlink()
    library = opened(root, data)
    assert is_whole(card(library, "styles/neon"))
    assert card(library, "zorp")["rating"] == 2


@pytest.mark.parametrize(
    "line",
    [
        "7",
        "[]",
        '{"note": 7}',
        '{"note": []}',
        '{"use": ["p"]}',
        '{"move": "a"}',
        '{"whole": 3}',
        '{"note": [{}]}',
        '{"note": [THIS], "favourite": "yes", "tags": 5, "rating": 9}',
        '{"use": [THIS], "time": "now", "weight": []}',
        '{"whole": {"path": "THAT", "tags": "[", "uses": "x"}}',
        '{"whole": {"path": "THAT", "favourite": 1, "uses": []}, "history": [["x", 1]]}',
    ],
)
def test_a_senseless_line_hides_no_other(root: Path, data: Path, line: str) -> None:
    noted(root, data)
    journal, zorp = data / NAME, root / "zorp.safetensors"
    this, that = json.dumps([str(zorp), zorp.name, 1, ""]), json.dumps(str(zorp))
    line = line.replace("[THIS]", this).replace('"THAT"', that)
    journal.write_text(f"{line}\n{journal.read_text()}")
    (data / MINE).unlink()
    library = opened(root, data)
    assert is_whole(card(library, "styles/neon"))
    assert card(library, "zorp")["rating"] == 0


def test_a_change_killed_before_the_database_has_it_is_done_in_the_next_session(
    root: Path, data: Path
) -> None:
    library = opened(root, data)
    path = root / "zorp.safetensors"
    library.close()
    with (data / NAME).open("a") as file:
        json.dump({"note": [str(path), path.name, path.stat().st_size, ""], "rating": 3}, file)
        file.write("\n")
    assert card(opened(root, data), "zorp")["rating"] == 3


def test_a_full_disk_changes_nothing_and_says_so(
    root: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted(root, data)
    library = opened(root, data)
    before = (data / NAME).read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journals.os, "fsync", full)
    with pytest.raises(NotWrittenError, match="No space left"):
        Catalogue(library).note(library.find("neon"), {"title": "lost"})
    monkeypatch.undo()
    assert (data / NAME).read_bytes() == before
    assert is_whole(card(library, "styles/neon"))


def test_two_sessions_on_one_folder_see_one_another(root: Path, data: Path) -> None:
    one, other = opened(root, data), opened(root, data)
    before = other.edition
    Catalogue(one).note(one.find("neon"), ALL)
    Catalogue(other).note(other.find("zorp"), {"rating": 5})
    one.use([one.find("neon")], [0.7])
    assert is_whole(card(other, "styles/neon"))
    assert card(one, "zorp")["rating"] == 5
    assert other.edition > before
    assert [file.label for file in other.search("nächtlich")] == ["styles/neon"]


def test_a_folder_that_cannot_be_written(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    library = opened(root, tmp_path / "file" / "data")
    assert [file.label for file in library.search("neon")] == ["styles/neon"]
    Catalogue(library).note(library.find("neon"), {"rating": 3})
    assert card(library, "styles/neon")["rating"] == 3
    (tmp_path / "file").unlink()
    library.scan()
    (problem,) = library.problems()
    assert "cannot be kept" in problem
    assert "Reload UI" in problem, (
        "what was noted in memory stays there until then; a new page changes nothing"
    )
    assert opened(root, tmp_path / "file" / "data").problems() == ()


def test_the_journal_is_written_anew_when_it_grows(
    root: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted(root, data)
    library = opened(root, data)
    for turn in range(50):
        Catalogue(library).note(library.find("zorp"), {"notes": f"{turn} " * 100})
    library.close()
    monkeypatch.setattr("lib_lora.library.notes.JOURNAL_LIMIT", 1000)
    size = (data / NAME).stat().st_size
    opened(root, data).close()
    assert (data / NAME).stat().st_size < size / 5
    (data / MINE).unlink()
    library = opened(root, data)
    assert is_whole(card(library, "styles/neon"))
    assert card(library, "zorp")["notes"] == ("49 " * 100).strip()
    assert len(library.notes.history(str(root / "styles" / "neon.safetensors"))) == 1


def test_the_index_holds_no_rows_of_files_that_are_gone(root: Path, data: Path) -> None:
    library = opened(root, data)
    (root / "zorp.safetensors").unlink()
    library.scan()
    library.close()
    with sqlite3.connect(next(data.glob("index-*.sqlite"))) as connection:
        assert connection.execute("SELECT label FROM files").fetchall() == [("styles/neon",)]
        assert connection.execute("SELECT count(*) FROM texts").fetchone() == (1,)
    connection.close()
