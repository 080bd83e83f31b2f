"""What the picker and the Library tab ask: pages of files, facets, cards; and what the user changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import AmbiguousNetworkError, NetworkNotFoundError
from ..files.architecture import LABELS
from ..files.hashes import short
from ..files.sidecars import write_sidecar
from ..files.text import readable
from ..stack.advice import ROLES
from .fields import check
from .library import Library
from .network_file import NetworkFile
from .notes import overlay, stored_path
from .query import Query

TAGS = 12  # on a card
_SIDECAR = (
    ("trigger_words", "activation text"),
    ("weight", "preferred weight"),
    ("notes", "notes"),
    ("negative", "negative text"),
)
"""What the WebUI keeps of it, and under which name."""


class Catalogue:
    """The library as the page sees it; `checkpoint` is the loaded model's architecture, empty for unknown."""

    def __init__(self, library: Library, checkpoint: str = "") -> None:
        self.library = library
        self.checkpoint = checkpoint

    def page(self, asked: Query, offset: int, limit: int) -> dict[str, Any]:
        """Return the files of one page as cards."""
        total, found = self.library.ask(replace(asked, checkpoint=self.checkpoint), offset, limit)
        return {
            "total": total,
            "offset": offset,
            "generation": self.library.edition,
            "items": self.cards(found),
            "problems": list(self.library.problems()),
        }

    def cards(self, found: Sequence[tuple[NetworkFile, float]]) -> list[dict[str, Any]]:
        """Return what a card shows of each file."""
        own = self.library.notes.of_all([stored_path(file) for file, _ in found])
        nothing = self.library.notes.nothing()
        return [self._card(file, added, own.get(stored_path(file), nothing)) for file, added in found]

    def card(self, file: NetworkFile) -> dict[str, Any]:
        """Return what a card shows of one file."""
        return self.cards([(file, self.library.store.added(self.library.roots, file))])[0]

    def facets(self, asked: Query) -> dict[str, Any]:
        """Return how many files each value of each filter would give."""
        asked = replace(asked, checkpoint=self.checkpoint)
        told = self.library.facets(asked)
        roots = self.library.roots
        labels = {role.name: role.label for role in ROLES}
        named = {
            "roots": [
                {**row, "path": readable("/".join(roots[row["root"]].parts[-2:]))} for row in told["roots"]
            ],
            "architectures": [
                {**row, "label": LABELS.get(row["name"], "unknown")} for row in told["architectures"]
            ],
            "roles": [{**row, "label": labels.get(row["name"], "unknown")} for row in told["roles"]],
        }
        known = {"architecture": self.checkpoint, "label": LABELS.get(self.checkpoint, self.checkpoint)}
        return {
            **told,
            **named,
            "generation": self.library.edition,
            "checkpoint": known if self.checkpoint else None,
        }

    def get(self, key: str = "", label: str = "") -> NetworkFile:
        """Return the file of an id, or of a label. Raises NetworkNotFoundError, AmbiguousNetworkError."""
        if key:
            file = self.library.get(key)
            if file is None:
                raise NetworkNotFoundError("This file is not there any more. Refresh the list.")
            return file
        found = [file for file in self.library.files() if file.label == label]
        if not found:
            raise NetworkNotFoundError("There is no LoRA of that name. Refresh the list.")
        if len(found) > 1:
            raise AmbiguousNetworkError(
                f"{len(found)} files are called '{label[:80]}'. Choose one by its folder."
            )
        return found[0]

    def note(self, file: NetworkFile, fields: Mapping[str, object], sidecar: bool = False) -> dict[str, Any]:
        """Note `fields` of a file, in the WebUI's own file too if wished; return its card.

        There goes what was noted before, too. Raises FieldValueError before anything is written, and
        FileError where something could not be.
        """
        checked = {name: check(name, value) for name, value in fields.items()}
        if sidecar:
            own = self.library.notes.of(stored_path(file))
            noted = {name: own[name] for name, _ in _SIDECAR if own[name] is not None} | checked
            written = {theirs: _theirs(name, noted[name]) for name, theirs in _SIDECAR if name in noted}
            if written:
                write_sidecar(file.path, written)
        self.library.note(file, checked)
        if sidecar:
            self.library.scan()
        return self.card(self.library.get(file.id) or file)

    def _card(self, file: NetworkFile, added: float, own: Mapping[str, Any]) -> dict[str, Any]:
        record = file.record
        told = overlay(file.summary(short(self.library.hashes.known(file))), own)
        tags = dict.fromkeys(
            (*(own["tags"] or ()), *record.own_tags, *record.kinds, *(tag for tag, _ in record.tags))
        )
        fits, misfit = self._fit(file)
        return {
            **told,
            "root": self.library.roots.index(file.root) if file.root in self.library.roots else 0,
            "added": added,
            "tags": list(tags)[:TAGS],
            "role_guessed": own["role"] is None,
            "favourite": record.favourite if own["favourite"] is None else own["favourite"],
            "rating": record.rating if own["rating"] is None else own["rating"],
            "weight": told["preferred_weight"],
            "has_notes": bool(told["notes"]),
            "used": own["used"],
            "uses": own["uses"] or 0,
            "last_weight": own["last_weight"],
            "fits": fits,
            "misfit": misfit,
        }

    def _fit(self, file: NetworkFile) -> tuple[bool | None, str]:
        architecture = file.record.architecture
        if file.problem:
            return False, file.problem
        if not self.checkpoint or not architecture:
            return None, ""
        if architecture == self.checkpoint:
            return True, ""
        made, loaded = LABELS.get(architecture, architecture), LABELS.get(self.checkpoint, self.checkpoint)
        return False, f"It was made for {made}; the loaded checkpoint is {loaded}."


def _theirs(name: str, value: Any) -> object:
    if value is None:
        return None
    return ", ".join(value) if name == "trigger_words" else value
