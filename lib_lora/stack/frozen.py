"""Foreign JSON inside immutable values: kept as it came, comparable, hashable, written back unchanged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DEPTH_LIMIT = 16  # nesting of a field we do not know; deeper is an accident or an attack


@dataclass(frozen=True)
class FrozenObject:
    """A JSON object as ordered pairs."""

    items: tuple[tuple[str, object], ...]


def freeze(value: object, depth: int = 0) -> object:
    """Return JSON with lists as tuples, objects as `FrozenObject`; ValueError where it is not JSON."""
    if depth > DEPTH_LIMIT:
        raise ValueError(f"is nested more than {DEPTH_LIMIT} levels deep")
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("holds a number that is not finite")
        return value
    if isinstance(value, str):
        return checked_text(value)
    if isinstance(value, FrozenObject):
        return freeze(dict(value.items), depth)
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("has a name that is not text")
        return FrozenObject(tuple((checked_text(k), freeze(v, depth + 1)) for k, v in value.items()))
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return tuple(freeze(item, depth + 1) for item in value)
    raise ValueError(f"holds a {type(value).__name__}, which JSON cannot express")


def thaw(value: object) -> object:
    """Return a frozen value as plain JSON lists and objects."""
    if isinstance(value, FrozenObject):
        return {key: thaw(item) for key, item in value.items}
    if isinstance(value, tuple):
        return [thaw(item) for item in value]
    return value


def checked_text(text: str) -> str:
    """Return `text`; ValueError when it holds half a surrogate pair, which no page or picture can carry."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("holds characters that are not valid text") from None
    return text
