"""A question to the library: which rows answer, in which order, and what each filter would give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from operator import attrgetter, not_
from typing import Any, NamedTuple

from ..files.text import folded

SORTS = ("relevance", "label", "name", "date", "added", "used", "size", "rating")
WORDS = 30  # of a search; the rest is passed over
TAGS_SHOWN = 60


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


class Row(NamedTuple):
    """What of a file is filtered, counted and ordered; `tags` stand between line breaks."""

    id: str  # digits; as many as a search finds are sooner split from one text than made to numbers
    key: str
    added: float  # seconds of the epoch
    label: str
    name: str  # folded
    sorted: str  # the name with its numbers filled up, so that 9 comes before 10
    root: int
    folder: str
    family: str
    architecture: str
    role: str
    favourite: bool
    rating: int
    used: float | None  # seconds of the epoch
    problem: bool
    noted: bool
    tags: str
    size: int  # bytes
    mtime_ns: int


def passing(rows: Sequence[Row], query: Query) -> Sequence[Row]:
    """Return the rows for which every filter holds, in their order."""
    for _, test in _tests(query):
        rows = [row for row in rows if test(row)]
    return rows


def by_name(rows: Sequence[Row]) -> list[Row]:
    """Return rows that come by label in the order of their names."""
    return sorted(rows, key=attrgetter("sorted", "label"))


def ordering(query: Query) -> str:
    """Return by what a question orders: one of `SORTS`."""
    words = split_words(query.words)
    sort = query.sort or ("relevance" if words else "used" if query.recent else "label")
    return "name" if sort == "relevance" and not words else sort


def order(rows: Sequence[Row], query: Query, ahead: Sequence[bool]) -> Sequence[Row]:
    """Return rows in the order that is asked for; they come by label for that order, else by name.

    `ahead` tells, for an order by relevance, which rows have the first word in their name or are favourites.
    """
    sort = ordering(query)
    if sort in ("label", "name"):
        return rows[::-1] if query.descending else rows
    if sort == "relevance":
        words = split_words(query.words)
        whole, several = " ".join(words), len(words) > 1
        places: list[list[Row]] = [[] for _ in range(8)]
        for row in compress(rows, ahead):
            name = row.name
            place = name.find(whole)
            if place == 0:
                tier = 0 if name == whole else 2
            else:
                tier = 4 if place > 0 or (several and all(map(name.__contains__, words))) else 6
            places[tier + (not row.favourite)].append(row)
        return [*chain.from_iterable(places), *compress(rows, map(not_, ahead))]
    down = query.descending is not False
    if sort == "used":
        used = [row for row in rows if row.used is not None]
        return [
            *sorted(used, key=attrgetter("used"), reverse=down),
            *(row for row in rows if row.used is None),
        ]
    return sorted(rows, key=attrgetter("mtime_ns" if sort == "date" else sort), reverse=down)


def count(found: Sequence[Row], query: Query) -> dict[str, Any]:
    """Return the counts of every facet, each with all filters but its own."""
    tests = _tests(query)
    held = {name: list(map(test, found)) for name, test in tests}
    times = list(map(sum, zip(*held.values(), strict=True)))  # how many filters hold for each row
    all_hold = (
        [row for row, number in zip(found, times, strict=True) if number == len(tests)] if tests else found
    )

    def but(name: str) -> Sequence[Row]:
        if name not in held:
            return all_hold
        others = len(tests) - 1
        return [
            row
            for row, number, holds in zip(found, times, held[name], strict=True)
            if number - holds == others
        ]

    place, fitting = but("folder"), but("fits")
    fits = sum(_fits(row, query.checkpoint) for row in fitting)
    folders: Counter[tuple[int, str]] = Counter(map(attrgetter("root", "folder"), place))
    below: Counter[tuple[int, str]] = Counter()
    for (root, folder), number in folders.items():
        while folder:
            below[root, folder] += number
            folder = folder.rpartition("/")[0]
    tags = Counter("".join(map(attrgetter("tags"), but("tag"))).split("\n"))
    del tags[""]  # from between two files
    return {
        "total": len(all_hold),
        "roots": [
            {"root": root, "count": n} for root, n in sorted(Counter(map(attrgetter("root"), place)).items())
        ],
        "folders": [
            {"root": root, "path": folder, "count": below[root, folder], "own": folders[root, folder]}
            for root, folder in sorted(below, key=lambda key: (key[0], key[1].casefold()))
        ],
        "families": _named(but("family"), "family"),
        "architectures": _named(but("architecture"), "architecture"),
        "roles": _named(but("role"), "role"),
        "tags": [{"name": name, "count": n} for name, n in tags.most_common(TAGS_SHOWN)],
        "favourites": sum(row.favourite for row in but("favourite")),
        "recent": sum(row.used is not None for row in but("recent")),
        "fits": fits,
        "misfits": len(fitting) - fits,
        "problems": sum(map(attrgetter("problem"), all_hold)),
        "notes": sum(map(attrgetter("noted"), all_hold)),
    }


def _named(rows: Sequence[Row], facet: str) -> list[dict[str, Any]]:
    counts: Counter[str] = Counter(map(attrgetter(facet), rows))
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
        tests.append(("recent", lambda row: row.used is not None))
    if query.fits:
        tests.append(("fits", lambda row: _fits(row, query.checkpoint)))
    return tests


def split_words(text: str) -> list[str]:
    """Return the words of a search, folded; names are written with underscores as often as with spaces."""
    return list(dict.fromkeys(folded(text.replace("\0", " ")).split()))[:WORDS]
