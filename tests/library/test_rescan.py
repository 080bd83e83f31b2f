"""A folder in which nothing changed is not looked at file by file; whatever changes in one is noticed."""

from __future__ import annotations

import os
import sqlite3
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from lib_lora.library import walk as walking
from lib_lora.library.database import SCHEMA
from lib_lora.library.library import Library
from tests.files.samples import write
from tests.library.shelves import network_bytes, put, refuse_folder

LONG_AGO = (1_000_000_000, 1_000_000_000)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the folders whose entries were looked at one by one."""
    told: list[str] = []
    entries = walking._entries

    def telling(folder: str, problems: list[str]) -> walking.Entries:
        told.append(Path(folder).name)
        return entries(folder, problems)

    monkeypatch.setattr(walking, "_entries", telling)
    return told


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library that knows its folders as a whole: `a` with a sidecar and a picture, `b` beside it."""
    root = tmp_path / "lora"
    for label in ("a/neon", "a/zorp", "b/ink"):
        os.utime(put(root, label), LONG_AGO)
    os.utime(write(root / "a/neon.json", b'{"notes": "old"}'), LONG_AGO)
    os.utime(write(root / "a/neon.png", b"picture"), LONG_AGO)
    os.utime(write(root / "a/readme.md", b"hello"), LONG_AGO)
    (root / "a/.hidden").mkdir()
    library = Library([root])
    library.scan()
    library.scan()
    return library


def labels(library: Library) -> list[str]:
    return [file.label for file in library.files()]


def test_nothing_changed(library: Library, looked: list[str]) -> None:
    before = library.files()
    library.scan()
    library.scan()
    assert looked == []
    assert all(new is old for new, old in zip(library.files(), before, strict=True))


def replaced_by_a_folder(root: Path) -> None:
    (root / "a/zorp.safetensors").unlink()
    (root / "a/zorp.safetensors").mkdir()
    os.utime(root / "a/zorp.safetensors", LONG_AGO)


CHANGES: list[tuple[str, Callable[[Path], object], list[str]]] = [
    ("one more file", lambda root: put(root, "a/more"), ["a/more", "a/neon", "a/zorp", "b/ink"]),
    ("one less", lambda root: (root / "a/zorp.safetensors").unlink(), ["a/neon", "b/ink"]),
    (
        "another name",
        lambda root: (root / "a/zorp.safetensors").rename(root / "a/yarn.safetensors"),
        ["a/neon", "a/yarn", "b/ink"],
    ),
    ("a folder in its place", replaced_by_a_folder, ["a/neon", "b/ink"]),
    ("a folder more", lambda root: put(root, "a/c/deep"), ["a/c/deep", "a/neon", "a/zorp", "b/ink"]),
    (
        "a folder in the place of another file",
        lambda root: ((root / "a/readme.md").unlink(), put(root, "a/readme.md/deep")),
        ["a/neon", "a/readme.md/deep", "a/zorp", "b/ink"],
    ),
]


@pytest.mark.parametrize(
    ("change", "expected"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES]
)
def test_what_there_is_changed(
    library: Library, looked: list[str], change: Callable[[Path], object], expected: list[str]
) -> None:
    change(library.roots[0])
    library.scan()
    assert labels(library) == expected
    assert "a" in looked and "b" not in looked
    library.scan()
    library.scan()
    assert labels(library) == expected


def test_only_the_time_of_a_sidecar_changed(library: Library, looked: list[str]) -> None:
    write(library.roots[0] / "a/neon.json", b'{"notes": "new"}')
    os.utime(library.roots[0] / "a/neon.json", ns=(0, LONG_AGO[1] * 10**9 + 1))
    library.scan()
    assert looked == ["a"]
    assert library.files()[0].record.notes == "new"


def test_only_the_size_of_a_file_changed(library: Library, looked: list[str]) -> None:
    path = library.files()[0].path
    path.write_bytes(network_bytes(1, {"ss_output_name": "longer than before"}))
    os.utime(path, LONG_AGO)
    library.scan()
    assert looked == ["a"]
    assert library.files()[0].alias == "longer than before"


def test_a_picture_is_gone(library: Library) -> None:
    (library.roots[0] / "a/neon.png").unlink()
    library.scan()
    assert library.files()[0].preview is None


def test_a_link_leads_elsewhere(tmp_path: Path) -> None:
    first, second = put(tmp_path, "first", 1), put(tmp_path, "second", 2, ss_output_name="other")
    link = tmp_path / "lora/link.safetensors"
    link.parent.mkdir()
    link.symlink_to(first)
    library = Library([tmp_path / "lora"])
    for _ in range(3):
        library.scan()
    second.replace(first)
    library.scan()
    assert library.files()[0].alias == "other"
    first.unlink()
    library.scan()
    assert "not there" in library.files()[0].problem


def test_trouble_is_tried_again_in_a_folder_that_is_as_it_was(tmp_path: Path, looked: list[str]) -> None:
    put(tmp_path, "a/neon")
    write(tmp_path / "a/half.safetensors", b"half")
    library = Library([tmp_path])
    for _ in range(4):
        library.scan()
    assert looked.count("a") == 4


def test_a_folder_that_may_not_be_read_any_more_is_told(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_folder(monkeypatch, "a")
    library.scan()
    assert labels(library) == ["b/ink"]
    assert "cannot be read" in library.problems()[0]
    monkeypatch.undo()
    library.scan()
    assert labels(library) == ["a/neon", "a/zorp", "b/ink"]


def test_the_same_folders_under_another_root(library: Library) -> None:
    root = library.roots[0]
    library.scan([root / "a", root])
    assert labels(library) == ["b/ink", "neon", "zorp"]
    library.scan([root])
    library.scan()
    assert labels(library) == ["a/neon", "a/zorp", "b/ink"]


def test_an_index_with_words_in_an_earlier_spelling_is_made_anew_and_notes_stay(tmp_path: Path) -> None:
    """It held accents apart from their letters, as a Mac writes names, and nobody types them so."""
    put(tmp_path / "lora", unicodedata.normalize("NFD", "café"))
    library = Library([tmp_path / "lora"], data=tmp_path)
    library.scan()
    library.note(library.files()[0], {"rating": 4})
    library.close()
    (index,) = tmp_path.glob("index-*.sqlite")
    connection = sqlite3.connect(index)
    with connection:
        connection.execute("UPDATE texts SET hay = ?", (unicodedata.normalize("NFD", "café"),))
    connection.close()
    index.rename(tmp_path / index.name.replace(f"-{SCHEMA}", "-1"))
    library = Library([tmp_path / "lora"], data=tmp_path)
    library.scan()
    (found,) = library.search("café")
    assert library.notes.of(str(found.path))["rating"] == 4
    library.close()
