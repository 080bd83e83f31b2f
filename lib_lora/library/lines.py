"""The journal's lines and the notes in the database: a line is done there, and all is written as lines."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import FieldValueError
from .fields import FIELDS, LISTS, check

_PLACE = ("path", "name", "size", "fingerprint")
STORED = (*_PLACE, *FIELDS, "used", "uses", "last_weight")
HISTORY = 50  # uses remembered of one file
SENSELESS = (FieldValueError, AttributeError, LookupError, TypeError, ValueError, sqlite3.DatabaseError)


def apply(connection: sqlite3.Connection, change: Mapping[str, Any]) -> None:
    """Do one change. Raises one of `SENSELESS` where somebody wrote something else into the line."""
    if "note" in change:
        _insert(connection, change["note"])
        for name, value in _sound(change).items():
            connection.execute(f"UPDATE mine.notes SET {name} = ? WHERE path = ?", (value, change["note"][0]))
    elif "use" in change:
        path, used, weight = change["use"][0], float(change["time"]), _weight(change["weight"])
        _insert(connection, change["use"])
        connection.execute(
            "UPDATE mine.notes SET used = ?, uses = uses + 1, last_weight = ? WHERE path = ?",
            (used, weight, path),
        )
        connection.execute("INSERT INTO mine.history VALUES (?, ?, ?)", (path, used, weight))
        connection.execute(
            "DELETE FROM mine.history WHERE path = ? AND rowid NOT IN "
            "(SELECT rowid FROM mine.history WHERE path = ? ORDER BY time DESC LIMIT ?)",
            (path, path, HISTORY),
        )
    elif "move" in change:
        path, name, size, fingerprint = change["to"]
        connection.execute(
            "UPDATE OR IGNORE mine.notes SET path = ?, name = ?, size = ?, fingerprint = ? WHERE path = ?",
            (path, name, size, fingerprint, change["move"]),
        )
        connection.execute("UPDATE mine.history SET path = ? WHERE path = ?", (path, change["move"]))
    elif "whole" in change:
        row = _whole(change["whole"])
        marks = ",".join("?" * len(row))
        connection.execute(f"INSERT OR REPLACE INTO mine.notes ({','.join(STORED)}) VALUES ({marks})", row)
        connection.execute("DELETE FROM mine.history WHERE path = ?", (row[0],))
        for used, weight in change.get("history", ()):
            connection.execute(
                "INSERT INTO mine.history VALUES (?, ?, ?)", (row[0], float(used), _weight(weight))
            )


def _sound(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return those fields of a line that somebody can have noted, as the database holds them."""
    fields = {}
    for name in FIELDS:
        if name in told:
            with contextlib.suppress(FieldValueError):
                value = check(name, told[name])
                fields[name] = value if name not in LISTS or value is None else _json(value)
    return fields


def _whole(told: Mapping[str, Any]) -> list[Any]:
    """Return a row of the notes out of a line that holds one. Raises as `apply` does."""
    fields = _sound(read_row([told.get(name) for name in STORED]))
    used, uses = told.get("used"), told.get("uses")
    return [
        *(told.get(name) for name in _PLACE),
        *(fields.get(name) for name in FIELDS),
        *(used if used is None else float(used), int(uses or 0), _weight(told.get("last_weight"))),
    ]


def _json(words: list[str]) -> str:
    return json.dumps(words, ensure_ascii=False)


def _weight(value: object) -> float | None:
    return check("weight", value)  # type: ignore[no-any-return]


def _insert(connection: sqlite3.Connection, place: Sequence[Any]) -> None:
    connection.execute(
        "INSERT INTO mine.notes (path, name, size, fingerprint) VALUES (?, ?, ?, ?) ON CONFLICT (path) "
        "DO UPDATE SET name = excluded.name, size = excluded.size, fingerprint = excluded.fingerprint",
        tuple(place),
    )


def done(connection: sqlite3.Connection) -> int:
    """Return how many bytes of the journal the database knows."""
    row = connection.execute("SELECT bytes FROM mine.journal").fetchone()
    return int(row[0]) if row else 0


def remember(connection: sqlite3.Connection, size: int) -> None:
    """Let the database know that it knows so many bytes of the journal."""
    connection.execute("DELETE FROM mine.journal")
    connection.execute("INSERT INTO mine.journal VALUES (?)", (size,))


def everything(connection: sqlite3.Connection, path: str | None = None) -> Iterable[dict[str, Any]]:
    """Yield all that is noted, or all of one path, as changes."""
    for row in connection.execute(
        f"SELECT {','.join(STORED)} FROM mine.notes WHERE path = coalesce(?, path)", (path,)
    ).fetchall():
        history = connection.execute(
            "SELECT time, weight FROM mine.history WHERE path = ?", (row[0],)
        ).fetchall()
        yield {"whole": dict(zip(STORED, row, strict=True)), "history": history}


def read_row(row: Sequence[Any]) -> dict[str, Any]:
    """Return the fields in a row of the notes."""
    told = dict(zip(STORED, row, strict=True))
    for name in LISTS:
        told[name] = json.loads(told[name]) if told[name] else None if told[name] is None else []
    told["favourite"] = None if told["favourite"] is None else bool(told["favourite"])
    return told
