"""What the user can note of a file, and what each of it may be."""

from __future__ import annotations

import math
from typing import Any

from ..errors import FieldValueError, nearest
from ..files.text import clean, clean_lines
from ..stack.advice import ROLES

FIELDS = ("title", "role", "trigger_words", "weight", "notes", "favourite", "rating", "tags", "negative")
LISTS = ("trigger_words", "tags")
WEIGHT_LIMIT = 100.0
WORDS_LIMIT = 100
TEXT_LIMITS = {"title": 200, "notes": 20_000, "negative": 2_000}.items()


def check(name: str, value: object) -> Any:
    """Return a field's value as it is kept. Raises FieldValueError."""
    if name not in FIELDS:
        raise FieldValueError(f"'{clean(name, 60)}' is nothing that can be noted.{nearest(name, FIELDS)}")
    if value is None:
        return None
    if name in LISTS:
        return _check_words(name, value)
    if name == "favourite":
        if not isinstance(value, bool):
            raise FieldValueError("'favourite' must be true or false.")
        return value
    if name == "rating":
        if type(value) is not int or not 0 <= value <= 5:
            raise FieldValueError("'rating' must be a whole number from 0 to 5.")
        return value
    if name == "weight":
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise FieldValueError("'weight' must be a number.")
        if abs(value) > WEIGHT_LIMIT:
            raise FieldValueError(f"'weight' must be between -{WEIGHT_LIMIT:g} and {WEIGHT_LIMIT:g}.")
        return float(value)
    if not isinstance(value, str):
        raise FieldValueError(f"'{name}' must be text.")
    if name == "role":
        names = [role.name for role in ROLES]
        if value and value not in names:
            raise FieldValueError(f"'{clean(value, 60)}' is no role. Use one of {', '.join(names)}.")
        return value
    limit = dict(TEXT_LIMITS)[name]
    if len(value) > limit:
        raise FieldValueError(f"'{name}' has {len(value)} characters; the limit is {limit}.")
    return clean_lines(value, limit) if name == "notes" else clean(value, limit)


def _check_words(name: str, value: object) -> list[str]:
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise FieldValueError(f"'{name}' must be a list of texts, or one text with commas.")
    if len(words) > WORDS_LIMIT:
        raise FieldValueError(f"'{name}' has {len(words)} words; the limit is {WORDS_LIMIT}.")
    cleaned = (clean(word, 300) for word in words)
    return list(dict.fromkeys(word for word in cleaned if word))
