"""The library on the command line: what an index of folders holds and what was passed over, and a search."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..files.text import clean
from .catalogue import Catalogue
from .library import Library
from .query import Query

LINE = 2_000  # characters
Table = dict[str, Any]


def index_folders(folders: Sequence[Path], data: Path | None) -> Table:
    """Scan folders; return counts, seconds, what cannot be used and why, and folders that cannot be read."""
    began = time.perf_counter()
    library = Library(folders, data=data)
    library.scan()
    seconds = time.perf_counter() - began
    files = library.files()
    facets = Catalogue(library).facets(Query())
    told = library.scanning.status()
    table = {
        "folders": [str(root) for root in library.roots],
        "files": len(files),
        "seconds": round(seconds, 3),
        "hashed": 0,
        **{name: told[name] for name in ("added", "changed", "removed")},
        "architectures": {row["label"]: row["count"] for row in facets["architectures"]},
        "families": {row["name"] or "unknown": row["count"] for row in facets["families"]},
        "full_text": library.database.full_text,
        "skipped": [{"file": str(file.path), "why": file.problem} for file in files if file.problem],
        "problems": list(library.problems()),
    }
    library.close()
    return table


def search_folders(words: str, folders: Sequence[Path], data: Path | None, limit: int) -> Table:
    """Search folders after looking at them again; return the hits as the picker shows them."""
    library = Library(folders, data=data)
    library.scan()
    began = time.perf_counter()
    page = Catalogue(library).page(Query(words=words), 0, limit)
    table = {
        "words": words,
        "total": page["total"],
        "milliseconds": round((time.perf_counter() - began) * 1000, 2),
        "hits": page["items"],
        "problems": list(library.problems()),
    }
    library.close()
    return table


def render_index(table: Table) -> str:
    """Return the index's counts as text."""
    kinds = ", ".join(f"{count} {name}" for name, count in table["architectures"].items())
    lines = [f"{table['files']} files in {table['seconds']:.2f} s ({kinds or 'none'})."]
    lines += [_line(f"cannot be used: {row['file']}: {row['why']}") for row in table["skipped"]]
    return "\n".join([*lines, *map(_line, table["problems"])])


def render_hits(table: Table) -> str:
    """Return the hits as text, one a line."""
    lines = [f"{table['total']} files hold '{table['words']}'."]
    for hit in table["hits"]:
        facts = ", ".join(text for text in (hit["architecture_label"], hit["family"], hit["rank"]) if text)
        lines.append(f"{_line(hit['label'])}  ({_line(hit['problem'] or facts)})")
    return "\n".join([*lines, *map(_line, table["problems"])])


def _line(text: str) -> str:
    """Return a text as one line that every terminal shows and none obeys; names of files hold anything."""
    return clean(text, LINE)
