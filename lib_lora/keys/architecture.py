"""What there is to know of a kind of model by name alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """A kind of model: its name, the parts it consists of, and the table of its modules' spellings.

    paths: gives every flattened path a file may use for a module, and the canonical name it means.
    """

    name: str
    label: str
    parts: tuple[str, ...]
    paths: Callable[[], dict[str, str]]
