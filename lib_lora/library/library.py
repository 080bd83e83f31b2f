"""The library: what is there, and which file a row means. Safe to use from threads."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from math import inf
from pathlib import Path
from threading import Lock
from time import monotonic

from ..errors import AmbiguousNetworkError, NetworkNotFoundError, nearest
from ..files.hashes import is_junk, short
from .index import Index
from .known_hashes import KnownHashes
from .network_file import NetworkFile
from .scan import Scan, scan

RESCAN_AFTER = 2.0  # seconds after a scan, before a name that leads nowhere causes another
SHOWN = 8  # candidates named in a message
_ADDNET = re.compile(r"(.+?)\s*\(([0-9a-fA-F]{8}|[0-9a-fA-F]{10}|[0-9a-fA-F]{12}|[0-9a-fA-F]{64})\)")


class Library:
    """All networks below the root folders, as of the last scan; empty before the first."""

    def __init__(self, roots: Sequence[Path], rescan_after: float = RESCAN_AFTER) -> None:
        self._roots = tuple(roots)
        self._rescan_after = rescan_after
        self._scanned = -inf  # monotonic seconds
        self._hashes = KnownHashes()
        self._scanning = Lock()
        self._state = (Scan(), Index(()))  # replaced whole, so that readers need no lock

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders that are searched."""
        return self._roots

    def scan(self, roots: Sequence[Path] | None = None) -> None:
        """Look at the folders again, or at others; what did not change is not read again."""
        with self._scanning:
            if roots is not None:
                self._roots = tuple(roots)
            before, index = self._state
            found = scan(self._roots, before.files)
            if list(map(id, found.files)) != list(map(id, before.files)):
                index = Index(found.files)
            self._state = (found, index)
            self._scanned = monotonic()

    def files(self) -> tuple[NetworkFile, ...]:
        """Return all files by label, those that cannot be used included."""
        return self._state[0].files

    def problems(self) -> tuple[str, ...]:
        """Return which folders could not be read, and why."""
        return self._state[0].problems

    def search(self, text: str) -> tuple[NetworkFile, ...]:
        """Return the files that hold every word of `text`, those with all in the name first."""
        words = text.casefold().split()
        found = [file for file in self.files() if all(word in file.haystack for word in words)]
        return tuple(sorted(found, key=lambda file: not all(word in file.name.casefold() for word in words)))

    def hash_of(self, file: NetworkFile) -> str:
        """Return the first 12 hex digits of the payload's sha256, computed on first use; raises FileError."""
        return short(self._hashes.compute(file))

    def has_hash(self, file: NetworkFile, hash: str) -> bool:
        """Tell whether `hash`, of any kind and length, is one of the file's or one that it claims."""
        wanted = hash.strip().lower()
        return self._hashes.claims(file, wanted) or self._hashes.matches(file, wanted)

    def summary(self, file: NetworkFile) -> dict[str, object]:
        """Return what the page shows of a file, with the computed hash where it is known."""
        return file.summary(short(self._hashes.known(file)))

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
            if os.path.exists(found.path) or not self._may_have_changed():  # noqa: PTH110  it never raises
                return found
        self.scan()
        return self._find(network, hash)

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
                [file for file in named if self._hashes.claims(file, wanted)]
                or [file for file in named if self._hashes.matches(file, wanted)]
                or [file for file in files if self._hashes.claims(file, wanted)]
                or ([] if named else [file for file in files if self._hashes.matches(file, wanted)])
            )
            if found:
                return self._one_of_equal_hash(network, wanted, found)
        if not named:
            raise NetworkNotFoundError(self._not_found(network, index))
        return _one(network, index.first(network))

    def _one_of_equal_hash(self, network: str, wanted: str, found: list[NetworkFile]) -> NetworkFile:
        if len(found) == 1:
            return found[0]
        true = [file for file in found if self._hashes.matches(file, wanted)]
        return true[0] if true else _one(network, found)  # equal bytes: any of them is the one

    def _not_found(self, network: str, index: Index) -> str:
        if not self.files():
            folders = ", ".join(str(root) for root in self._roots) or "none"
            return f"There is no LoRA called '{network[:80]}': the folders are empty ({folders})."
        hint = nearest(network, index.names()) or " Refresh the list if the file is new."
        return f"There is no LoRA called '{network[:80]}' in your folders.{hint}"


def _one(network: str, found: Sequence[NetworkFile]) -> NetworkFile:
    """Return the only usable file among `found`; raises AmbiguousNetworkError."""
    usable = [file for file in found if not file.flaw] or list(found)
    if len({os.path.realpath(file.path) for file in usable}) == 1:
        return usable[0]
    labels = [file.label for file in usable]
    shown = [
        f"{file.label} in {file.root}" if labels.count(file.label) > 1 else file.label
        for file in usable[:SHOWN]
    ]
    more = f" and {len(usable) - SHOWN} more" if len(usable) > SHOWN else ""
    raise AmbiguousNetworkError(
        f"'{network[:80]}' can be {len(usable)} files: {', '.join(shown)}{more}. Write the whole label."
    )
