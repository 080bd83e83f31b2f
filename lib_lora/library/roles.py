"""A guess at what kind of network a file is, from the folder it lies in and the tags it carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from ..stack.advice import ROLES

_ALSO: Mapping[str, str] = MappingProxyType(
    {
        "person": "character",
        "people": "character",
        "beauty": "beautifier",
        "enhancer": "beautifier",
        "artist": "style",
        "artstyle": "style",
        "clothes": "clothing",
        "outfit": "clothing",
        "costume": "clothing",
        "item": "object",
        "thing": "object",
    }
)


_NAMES = frozenset(role.name for role in ROLES)


def guess_role(words: Iterable[str]) -> str:
    """Return the name of the role that the first telling word means, or an empty text."""
    for word in words:
        word = word.strip().casefold()
        for form in (word, word.removesuffix("s")):
            if form in _NAMES or form in _ALSO:
                return _ALSO.get(form, form)
    return ""


@lru_cache(1_000)  # thousands of files lie in a few folders
def role_of_folder(folder: str, root: str) -> str:
    """Return the role that the names of a folder below a root tell, the nearest first, then the root's."""
    return guess_role((*reversed(folder.split("/")), root))
