"""The library: what is there, and which file a row means. Safe to use from threads."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from math import inf
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from ..errors import AmbiguousNetworkError, NetworkNotFoundError, nearest
from ..files.hashes import is_junk, short
from ..files.text import readable
from .answers import Answers
from .database import Database
from .index import Index
from .known_hashes import KnownHashes
from .network_file import NetworkFile
from .notes import Notes, overlay, stored_path
from .query import Query
from .scan import Scan, scan
from .store import Store
from .walk import absence
from .work import IDLE, RUNNING, Changes, Hashing, ScanWork, not_collecting

RESCAN_AFTER = 2.0  # seconds after a scan, before a name that leads nowhere causes another
T = TypeVar("T")
SHOWN = 8  # candidates named in a message
_ADDNET = re.compile(r"(.+?)\s*\(([0-9a-fA-F]{8}|[0-9a-fA-F]{10}|[0-9a-fA-F]{12}|[0-9a-fA-F]{64})\)")


class Library:
    """All networks below the root folders, as of the last scan; empty before the first.

    `data` is the folder of the index and of what the user notes; without one both are in memory.
    """

    def __init__(
        self, roots: Sequence[Path], rescan_after: float = RESCAN_AFTER, data: Path | None = None
    ) -> None:
        self._roots = _absolute(roots)
        self._rescan_after = rescan_after
        self._scanned = -inf  # monotonic seconds
        self._scanning = Lock()
        self._state = (Scan(), Index(()))  # replaced whole, so that readers need no lock
        self._by_id: dict[str, NetworkFile] = {}
        self._absent: tuple[Path, ...] = ()
        self._stored: tuple[Path, ...] | None = None  # the roots whose index was read
        self._edition = 0
        self.database = Database(data)
        self.notes = Notes(self.database)
        self.store = Store(self.database)
        self._answers = Answers(self.database)
        self._listed = 0  # grows with every change of the list
        self.hashes = KnownHashes(self.database)
        self.changes = Changes()
        self.hashing = Hashing(self.hashes, self.changes.note)  # the list stays as it is
        self.scanning = ScanWork()

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders that are searched."""
        return self._roots

    @property
    def edition(self) -> int:
        """A number that grows with every change of the list, by another process too."""
        return self._edition + sum(self.database.versions())

    def scan(self, roots: Sequence[Path] | None = None) -> None:
        """Look at the folders again, or at others; what did not change is not read again."""
        with self._scanning, not_collecting():
            began = monotonic()
            if roots is not None:
                self._roots = _absolute(roots)
            before, index = self._state
            self.scanning.state = RUNNING
            try:
                stored = before.files
                if self._stored != self._roots:
                    stored = self._kept(lambda: self.store.load(self._roots))
                    before = Scan((*before.files, *stored), layouts=before.layouts)
                    self._stored = self._roots
                with self._kept(lambda: self.store.early(self._roots, self.notes)) as early:
                    found = scan(self._roots, before, self.scanning.progress, early.add)
                    self._publish(found, index)
                    if not early.finish():
                        self._kept(lambda: self.store.save(self._roots, found.files, stored, self.notes))
                if found.files != stored:
                    away = [root for root in self._roots if not os.path.isdir(root)]  # noqa: PTH112
                    self._kept(lambda: self.notes.follow(found.files, away))
                    for file in found.files:
                        file.release()
                    self._listed += 1
                self.scanning.finish(stored, found, monotonic() - began)
            finally:
                self.scanning.state = IDLE
                self._scanned = monotonic()

    def look(self, roots: Sequence[Path], absent: Sequence[Path] = ()) -> None:
        """Scan where that was never done, or was done in other folders.

        absent: folders that are to be told of only, so that a drive that is away keeps what is known of it.
        """
        self._absent = tuple(absent)
        if self._scanned == -inf or self._roots != _absolute(roots):
            self.scan(roots)

    def _publish(self, found: Scan, index: Index) -> None:
        if found.files != self._state[0].files:
            index = Index(found.files)
            self._by_id = {file.id: file for file in found.files}
            self._edition += 1
        self._state = (found, index)

    def _kept(self, work: Callable[[], T]) -> T:
        """Do what needs the databases; where one is damaged or the disk is full, go on with new ones."""
        try:
            return work()
        except sqlite3.DatabaseError as error:
            self._renew(isinstance(error, sqlite3.OperationalError))
            return work()

    def _renew(self, index_in_memory: bool) -> None:
        """Make the index anew from what is known here, in memory where it cannot be on disk."""
        self.database.renew(index_in_memory)
        self.notes.replay()
        files = self.files()
        self.store.save(self._roots, files, (), self.notes)
        self._edition += 1
        self._listed += 1

    def ask(
        self, question: Query, offset: int = 0, limit: int = -1
    ) -> tuple[int, list[tuple[NetworkFile, float]]]:
        """Return how many files answer, and those of one page with the time they were first seen."""
        for _ in range(2):
            rows = self._kept(
                lambda: self._answers.rows(self.store.shelf(self._roots), question, self._listed)
            )
            page = rows[offset : offset + limit] if limit >= 0 else rows[offset:]
            found = [(self._by_id[row.key], row.added) for row in page if row.key in self._by_id]
            if len(found) == len(page):
                break
            self.scan()  # another process found files that are not known here
        return len(rows), found

    def facets(self, question: Query) -> dict[str, Any]:
        """Return how many files each value of each filter would give."""
        return self._kept(lambda: self._answers.facets(self.store.shelf(self._roots), question, self._listed))

    def forget_answers(self) -> None:
        """Answer the next question as if it were the first; the list itself stays."""
        self._answers.forget()

    def note(self, file: NetworkFile, fields: Mapping[str, object]) -> None:
        """Note what the user says of a file, and let it be found by that. Raises LoraStackError."""
        self._kept(lambda: self.notes.change(file, fields))
        self._kept(lambda: self.store.renote(self._roots, file, self.notes.of(stored_path(file))))
        self._answers.renew(self.store.number(self._roots, file))
        self.changed(file)

    def use(self, files: Sequence[NetworkFile], weights: Sequence[float | None]) -> None:
        """Note that a picture was made with `files`. Raises NotWrittenError."""
        self._kept(lambda: self.notes.use(files, weights))
        for file in files:
            self._answers.renew(self.store.number(self._roots, file))
            self.changed(file)

    def get(self, key: str) -> NetworkFile | None:
        """Return the file of an id, None where there is none any more."""
        return self._by_id.get(key)

    def changed(self, file: NetworkFile) -> None:
        """Let pages know that something about a file is other than before."""
        self._edition += 1
        self.changes.note(file)

    def close(self) -> None:
        """Give the databases back; the library cannot be asked afterwards."""
        self.hashing.cancel()
        self.hashing.wait(5.0)
        self.database.close()

    def files(self) -> tuple[NetworkFile, ...]:
        """Return all files by label, those that cannot be used included."""
        return self._state[0].files

    def problems(self) -> tuple[str, ...]:
        """Return which folders could not be read or written, and why."""
        missing = [absence(folder) for folder in self._absent]
        return (*missing, *self._state[0].problems, *self.database.problems)

    def search(self, text: str) -> tuple[NetworkFile, ...]:
        """Return the files that hold every word of `text`, those with all in the name first."""
        return tuple(file for file, _ in self.ask(Query(words=text))[1]) if text.strip() else self.files()

    def hash_of(self, file: NetworkFile) -> str:
        """Return the first 12 hex digits of the payload's sha256, computed on first use; raises FileError."""
        return short(self.hashes.compute(file))

    def has_hash(self, file: NetworkFile, hash: str) -> bool:
        """Tell whether `hash`, of any kind and length, is one of the file's or one that it claims.

        Of a file that was replaced since it was listed only what is in it now counts.
        """
        wanted = hash.strip().lower()
        claimed = self.hashes.are_of(file) and self.hashes.claims(file, wanted)
        return claimed or self.hashes.matches(file, wanted)

    def summary(self, file: NetworkFile) -> dict[str, object]:
        """Return what the page shows of a file, with its computed hash if known and the user's words."""
        return overlay(file.summary(short(self.hashes.known(file))), self.notes.of(stored_path(file)))

    def find(self, network: str, hash: str = "") -> NetworkFile:
        """Return the one file that a row means: by name and hash, by hash, by label, file name, alias.

        A hash that no file has does not hide a file of that name: it may have been trained further. Hashes of
        all files are computed only when the name leads nowhere. Where nothing is found, or the file is gone,
        the folders are looked at again. Raises NetworkNotFoundError with the nearest names,
        AmbiguousNetworkError with all candidates.
        """
        try:
            found = self._find(network, hash)
        except NetworkNotFoundError:
            if not self._may_have_changed():
                raise
        else:
            if os.path.exists(found.place) or not self._may_have_changed():  # noqa: PTH110  it never raises
                return found
        self.scan()
        return self._find(network, hash)

    def tag_name(self, network: str) -> str:
        """Return how a prompt tag calls the file of a row: by its name without folders, as the WebUI does.

        Raises AmbiguousNetworkError where that is the name of several: a tag would be of any of them.
        """
        try:
            name = self.find(network).name
        except NetworkNotFoundError:
            return network.rpartition("/")[2]
        same = {os.path.realpath(file.path): file for file in self.files() if file.name == name}
        if len(same) > 1:
            labels = ", ".join(file.label for file in list(same.values())[:SHOWN])
            raise AmbiguousNetworkError(
                f"{network[:80]}: a prompt tag cannot say which of {len(same)} files called '{name[:80]}' is "
                f"meant ({labels}). Keep the row in the panel."
            )
        return name

    def _may_have_changed(self) -> bool:
        return monotonic() - self._scanned >= self._rescan_after

    def _find(self, network: str, hash: str) -> NetworkFile:
        files, index = self.files(), self._state[1]
        named = index.related(network)
        if not named and (match := _ADDNET.fullmatch(network.strip())):
            network, hash = match[1], hash if not is_junk(hash) else match[2]
            named = index.related(network)
        wanted = hash.strip().lower()
        if not is_junk(wanted):
            found = (
                [file for file in named if self.hashes.claims(file, wanted)]
                or [file for file in named if self.hashes.matches(file, wanted)]
                or [file for file in files if self.hashes.claims(file, wanted)]
                or ([] if named else [file for file in files if self.hashes.matches(file, wanted)])
            )
            if found:
                return self._one_of_equal_hash(network, wanted, found)
        if not named:
            raise NetworkNotFoundError(self._not_found(network, index))
        return _one(network, index.first(network))

    def _one_of_equal_hash(self, network: str, wanted: str, found: list[NetworkFile]) -> NetworkFile:
        if len(found) == 1:
            return found[0]
        true = [file for file in found if self.hashes.matches(file, wanted)]
        return true[0] if true else _one(network, found)  # equal bytes: any of them is the one

    def _not_found(self, network: str, index: Index) -> str:
        if not self.files():
            folders = ", ".join(map(readable, self._roots)) or "none"
            return f"There is no LoRA called '{network[:80]}': the folders are empty ({folders})."
        hint = nearest(network, index.names()) or " Refresh the list if the file is new."
        return f"There is no LoRA called '{network[:80]}' in your folders.{hint}"


def _absolute(roots: Sequence[Path]) -> tuple[Path, ...]:
    return tuple(root.absolute() for root in roots)


def _one(network: str, found: Sequence[NetworkFile]) -> NetworkFile:
    """Return the only usable file among `found`; raises AmbiguousNetworkError."""
    usable = [file for file in found if not file.flaw] or list(found)
    if len({os.path.realpath(file.path) for file in usable}) == 1:
        return usable[0]
    labels = [file.label for file in usable]
    shown = [
        f"{file.label} in {readable(file.root)}" if labels.count(file.label) > 1 else file.label
        for file in usable[:SHOWN]
    ]
    more = f" and {len(usable) - SHOWN} more" if len(usable) > SHOWN else ""
    raise AmbiguousNetworkError(
        f"'{network[:80]}' can be {len(usable)} files: {', '.join(shown)}{more}. Write the whole label."
    )
