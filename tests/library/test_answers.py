"""Searches, filters, orders and counts tell what a plain look at every file tells."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lib_lora.library.entry import facet_tags, haystack
from lib_lora.library.library import Library
from lib_lora.library.network_file import NetworkFile
from lib_lora.library.notes import stored_path
from lib_lora.library.query import Query
from tests.library.shelves import put

WORDS = ("neon", "ink", "é漢字", "a", "rust 7", "İx", "on")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    root = tmp_path_factory.mktemp("shelf")
    draw = random.Random(5)
    for number in range(120):
        words = " ".join(draw.sample(WORDS, 2))
        name = f"{draw.choice(('styles', 'styles/old', 'characters', ''))}/{draw.choice(WORDS)} {number}"
        put(root, name.lstrip("/"), **{"modelspec.title": words, "modelspec.tags": draw.choice(WORDS)})
    library = Library([root])
    library.scan()
    for file in draw.sample(library.files(), 12):
        library.note(file, {"favourite": True, "rating": draw.randint(1, 5)})
    for file in draw.sample(library.files(), 8):
        library.note(file, {"tags": ["mine"], "role": "style", "notes": "ink dried"})
        library.use([file], [1.0])
    return library


def own(library: Library, file: NetworkFile) -> Any:
    return library.notes.of(stored_path(file))


def holds(library: Library, file: NetworkFile, query: Query) -> dict[str, bool]:
    """Which filters hold for a file."""
    noted = own(library, file)
    return {
        "folder": query.folder is None
        or file.folder == query.folder
        or file.folder.startswith(f"{query.folder}/"),
        "role": query.role is None or (noted["role"] or file.role) == query.role,
        "tag": not query.tag or query.tag.casefold() in facet_tags(file.record, noted),
        "favourite": not query.favourite or bool(noted["favourite"]),
        "recent": not query.recent or noted["used"] is not None,
    }


def found(library: Library, words: str) -> list[NetworkFile]:
    return [
        file
        for file in library.files()
        if all(
            word in haystack(file.record, file.label, own(library, file)) for word in words.casefold().split()
        )
    ]


def tier(library: Library, file: NetworkFile, words: str) -> tuple[int, bool]:
    name, wanted = file.name.casefold(), words.casefold().split()
    place = name.find(" ".join(wanted))
    good = 0 if name == " ".join(wanted) else 1 if place == 0 else 2 if place > 0 else 3
    if good == 3 and all(word in name for word in wanted):
        good = 2
    return good, not own(library, file)["favourite"]


def questions() -> list[Query]:
    draw = random.Random(9)
    asked = []
    for _ in range(150):
        asked.append(
            Query(
                words=" ".join(draw.sample(WORDS, draw.choice((0, 1, 1, 2))))
                + draw.choice(("", " o", " none")),
                folder=draw.choice((None, None, "styles", "characters")),
                role=draw.choice((None, None, "style", "")),
                tag=draw.choice(("", "", "mine", "neon")),
                favourite=draw.random() < 0.1,
                recent=draw.random() < 0.1,
            )
        )
    return asked


@pytest.mark.parametrize("asked", questions(), ids=str)
def test_a_question(library: Library, asked: Query) -> None:
    matching = found(library, asked.words)
    held = {file.id: holds(library, file, asked) for file in matching}
    total, rows = library.ask(asked)
    expected = {file.id for file in matching if all(held[file.id].values())}
    assert total == len(rows) == len(expected)
    assert {file.id for file, _ in rows} == expected
    if asked.words.split():
        tiers = [tier(library, file, asked.words) for file, _ in rows]
        assert tiers == sorted(tiers), "best names first, favourites before others"
    facets = library.facets(asked)

    def but(facet: str) -> list[NetworkFile]:
        return [f for f in matching if all(yes for name, yes in held[f.id].items() if name != facet)]

    assert facets["total"] == total
    roles = Counter(own(library, file)["role"] or file.role for file in but("role"))
    assert {row["name"]: row["count"] for row in facets["roles"]} == roles
    tags = Counter(tag for file in but("tag") for tag in facet_tags(file.record, own(library, file)))
    assert {row["name"]: row["count"] for row in facets["tags"]} == tags
    assert facets["favourites"] == sum(bool(own(library, f)["favourite"]) for f in but("favourite"))
    assert facets["recent"] == sum(own(library, file)["used"] is not None for file in but("recent"))
    assert sum(row["own"] for row in facets["folders"]) == sum(bool(file.folder) for file in but("folder"))
    assert facets["fits"] + facets["misfits"] == total


@pytest.mark.parametrize("sort", ["name", "size", "rating", "date"])
@pytest.mark.parametrize("down", [True, False])
def test_an_order_and_its_pages(library: Library, sort: str, down: bool) -> None:
    asked = Query(words="ink", sort=sort, descending=down)
    total, rows = library.ask(asked)
    pages = [library.ask(asked, offset, 7)[1] for offset in range(0, total, 7)]
    assert [file.id for page in pages for file, _ in page] == [file.id for file, _ in rows]
    if sort == "rating":
        ratings = [own(library, file)["rating"] or 0 for file, _ in rows]
        assert ratings == sorted(ratings, reverse=down)


def test_a_note_is_found_and_comes_first_at_once(library: Library) -> None:
    _, rows = library.ask(Query(words="neon"))
    last = rows[-1][0]
    before = bool(own(library, last)["favourite"])
    library.note(last, {"favourite": not before, "notes": "unheard-of"})
    assert library.ask(Query(words="unheard-of"))[0] == 1
    _, rows = library.ask(Query(words="neon"))
    assert [file.id for file, _ in rows].index(last.id) < len(rows) - 1
    library.note(last, {"favourite": before, "notes": ""})


@pytest.mark.parametrize("full_text", [True, False], ids=["words", "no words"])
def test_letters_are_found_however_they_are_spelt(tmp_path: Path, full_text: bool) -> None:
    """A Mac keeps accents apart from their letters; wide and narrow ones are one letter to who reads them."""
    put(tmp_path, unicodedata.normalize("NFD", "café ガール"), 1)
    put(tmp_path, "ＬｏＲＡ ｶﾞｰﾙ Große", 2)
    library = Library([tmp_path])
    library.database.full_text = full_text
    library.scan()
    for words, count in (("café", 1), ("ガール", 2), ("ｶﾞｰﾙ", 2), ("lora", 1), ("GROSSE", 1), ("é", 1)):
        for spelt in (words, unicodedata.normalize("NFD", words)):
            assert len(library.search(spelt)) == count, spelt
