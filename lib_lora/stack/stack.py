"""All rows of a panel, in order: the value everything else is computed from."""

from __future__ import annotations

from dataclasses import dataclass

from .entry import Entry
from .masks import Masks

VERSION = 1


@dataclass(frozen=True)
class Stack:
    """Rows in the user's order, the masks they name; `extra` holds top-level fields of a later version."""

    entries: tuple[Entry, ...] = ()
    version: int = VERSION
    masks: Masks = ()
    extra: tuple[tuple[str, object], ...] = ()

    def active(self) -> tuple[Entry, ...]:
        """Return the rows that are on. Weight 0 is on: it contributes nothing, but its file must exist."""
        return tuple(entry for entry in self.entries if entry.on)
