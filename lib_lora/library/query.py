"""A question to the library as SQL: words, filters, an order; and the same as counts for each filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from .database import Database

SORTS = ("relevance", "label", "name", "date", "added", "used", "size", "rating")
WORDS = 30  # of a search; the rest is passed over
TAGS_SHOWN = 60
_FROM = "FROM files f LEFT JOIN mine.notes n ON n.path = f.path"
_ROLE = "coalesce(n.role, f.role)"
_FAVOURITE = "coalesce(n.favourite, f.favourite)"
_RATING = "coalesce(n.rating, f.rating)"
_ORDERS: Mapping[str, str] = MappingProxyType(
    {
        "date": "f.mtime_ns {}",
        "added": "f.added {}",
        "used": "n.used IS NULL, n.used {}",
        "size": "f.size {}",
        "rating": f"{_RATING} {{}}",
    }
)


@dataclass(frozen=True)
class Query:
    """What is asked: every filter that is set must hold. `checkpoint` is the loaded model's architecture."""

    words: str = ""
    folder: str | None = None
    root: int | None = None
    family: str | None = None
    architecture: str | None = None
    role: str | None = None
    tag: str = ""
    favourite: bool = False
    recent: bool = False
    fits: bool = False
    sort: str = ""
    descending: bool | None = None
    checkpoint: str = ""


@dataclass(frozen=True)
class Row:
    """What a facet counts of a file."""

    root: int
    folder: str
    family: str
    architecture: str
    role: str
    favourite: bool
    used: bool
    problem: bool
    noted: bool
    tags: str


def find_page(
    database: Database, shelf: int, query: Query, offset: int, limit: int
) -> tuple[int, list[tuple[str, float]]]:
    """Return how many files answer, and of one page their keys and since when they have been there."""
    where, values = _where(database, shelf, query)
    order, order_values = _order(query)
    with database.reading() as connection:
        (total,) = connection.execute(f"SELECT count(*) {_FROM} WHERE {where}", values).fetchone()
        page = connection.execute(
            f"SELECT f.key, f.added {_FROM} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",
            (*values, *order_values, limit, offset),
        ).fetchall()
    return total, page


def rows(database: Database, shelf: int, words: str) -> list[Row]:
    """Return what facets are counted from: all files that answer to the words."""
    where, values = _where(database, shelf, Query(words=words))
    with database.reading() as connection:
        return [
            Row(*row)
            for row in connection.execute(
                f"SELECT f.root, f.folder, f.family, f.architecture, {_ROLE}, {_FAVOURITE}, "
                f"n.used IS NOT NULL, f.problem, f.noted, f.tags {_FROM} WHERE {where}",
                values,
            )
        ]


def count(found: Sequence[Row], query: Query) -> dict[str, Any]:
    """Return the counts of every facet, each with all filters but its own."""
    tests = _tests(query)
    failed = [[name for name, test in tests if not test(row)] for row in found]

    def but(name: str) -> list[Row]:
        return [row for row, fails in zip(found, failed, strict=True) if not fails or fails == [name]]

    place = but("folder")
    folders: Counter[tuple[int, str]] = Counter((row.root, row.folder) for row in place)
    below: Counter[tuple[int, str]] = Counter()
    for (root, folder), number in folders.items():
        while folder:
            below[root, folder] += number
            folder = folder.rpartition("/")[0]
    tags = Counter(tag for row in but("tag") for tag in row.tags.split("\n") if tag)
    return {
        "total": sum(not fails for fails in failed),
        "roots": [
            {"root": root, "count": n} for root, n in sorted(Counter(row.root for row in place).items())
        ],
        "folders": [
            {"root": root, "path": folder, "count": below[root, folder], "own": folders[root, folder]}
            for root, folder in sorted(below, key=lambda key: (key[0], key[1].casefold()))
        ],
        "families": _named(Counter(row.family for row in but("family"))),
        "architectures": _named(Counter(row.architecture for row in but("architecture"))),
        "roles": _named(Counter(row.role for row in but("role"))),
        "tags": [{"name": name, "count": n} for name, n in tags.most_common(TAGS_SHOWN)],
        "favourites": sum(row.favourite for row in but("favourite")),
        "recent": sum(row.used for row in but("recent")),
        "fits": sum(_fits(row, query.checkpoint) for row in but("fits")),
        "misfits": sum(not _fits(row, query.checkpoint) for row in but("fits")),
        "problems": sum(row.problem for row in but("")),
        "notes": sum(row.noted for row in but("")),
    }


def _named(counts: Counter[str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "count": n} for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def _fits(row: Row, checkpoint: str) -> bool:
    return not row.problem and (not checkpoint or row.architecture in ("", checkpoint))


def _tests(query: Query) -> list[tuple[str, Callable[[Row], bool]]]:
    """Return the filters that are set, by the facet they belong to."""
    tests: list[tuple[str, Callable[[Row], bool]]] = []
    if query.folder is not None or query.root is not None:
        folder, root = query.folder or "", query.root
        tests.append(
            (
                "folder",
                lambda row: (
                    (root is None or row.root == root)
                    and (not folder or row.folder == folder or row.folder.startswith(f"{folder}/"))
                ),
            )
        )
    for name, wanted in (
        ("family", query.family),
        ("architecture", query.architecture),
        ("role", query.role),
    ):
        if wanted is not None:
            tests.append((name, lambda row, name=name, wanted=wanted: getattr(row, name) == wanted))  # type: ignore[misc]
    if query.tag:
        line = f"\n{query.tag.casefold()}\n"
        tests.append(("tag", lambda row: line in row.tags))
    if query.favourite:
        tests.append(("favourite", lambda row: bool(row.favourite)))
    if query.recent:
        tests.append(("recent", lambda row: bool(row.used)))
    if query.fits:
        tests.append(("fits", lambda row: _fits(row, query.checkpoint)))
    return tests


def _where(database: Database, shelf: int, query: Query) -> tuple[str, list[Any]]:
    parts: list[str] = ["f.shelf = ?"]
    values: list[Any] = [shelf]

    def need(part: str, *given: Any) -> None:
        parts.append(part)
        values.extend(given)

    words = split_words(query.words)
    long = [word for word in words if len(word) >= 3 and database.full_text]
    if long:  # the index of three letters finds the rows, all words at once
        quoted = " ".join('"' + word.replace('"', '""') + '"' for word in long)
        need("f.id IN (SELECT rowid FROM words WHERE words MATCH ?)", quoted)
    for word in words:
        if word not in long:
            need("instr((SELECT hay FROM texts t WHERE t.id = f.id), ?) > 0", word)
    if query.root is not None:
        need("f.root = ?", query.root)
    if query.folder:
        need(
            "(f.folder = ? OR substr(f.folder, 1, ?) = ?)",
            query.folder,
            len(query.folder) + 1,
            f"{query.folder}/",
        )
    if query.family is not None:
        need("f.family = ?", query.family)
    if query.architecture is not None:
        need("f.architecture = ?", query.architecture)
    if query.role is not None:
        need(f"{_ROLE} = ?", query.role)
    if query.tag:
        need("instr(f.tags, ?) > 0", f"\n{query.tag.casefold()}\n")
    if query.favourite:
        need(f"{_FAVOURITE} = 1")
    if query.recent:
        need("n.used IS NOT NULL")
    if query.fits:
        need("f.problem = 0")
        if query.checkpoint:
            need("f.architecture IN ('', ?)", query.checkpoint)
    return " AND ".join(parts), values


def _order(query: Query) -> tuple[str, list[Any]]:
    words = split_words(query.words)
    sort = query.sort or ("relevance" if words else "used" if query.recent else "label")
    last = "f.sorted, f.label, f.path"
    if sort == "label":
        way = "DESC" if query.descending else "ASC"
        return f"f.label COLLATE NOCASE {way}, f.path {way}", []
    if sort in _ORDERS:
        down = query.descending is not False
        return f"{_ORDERS[sort].format('DESC' if down else 'ASC')}, {last}", []
    if sort == "relevance" and words:
        whole = " ".join(words)
        in_name = " AND ".join("instr(f.name, ?) > 0" for _ in words)
        begins = "substr(f.name, 1, ?) = ?"
        rank = f"CASE WHEN f.name = ? THEN 0 WHEN {begins} THEN 1 WHEN {in_name} THEN 2 ELSE 3 END"
        return f"{rank}, {_FAVOURITE} DESC, {last}", [whole, len(whole), whole, *words]
    return ("f.sorted DESC, f.label DESC, f.path DESC" if query.descending else last), []


def split_words(text: str) -> list[str]:
    """Return the words of a search, folded; names are written with underscores as often as with spaces."""
    return list(dict.fromkeys(text.replace("\0", " ").casefold().split()))[:WORDS]
