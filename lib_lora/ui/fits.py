"""Whether a file fits the loaded checkpoint, told before a picture is made: from names and shapes alone."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from ..errors import FileError
from ..files.header import read_header
from ..inspection.fit import compare
from ..keys import Target
from ..library.network_file import NetworkFile

KEPT = 2000  # answers that are remembered

Fit = dict[str, Any]
"""`fits`, `matched` of `total` weights, `reason` where it does not, and the checkpoint's `label`."""


class Fits:
    """Answers for files, each worked out once for a state of the file and a checkpoint."""

    def __init__(self, target: Callable[[], Target | None]) -> None:
        """`target` tells the loaded checkpoint, the same object while it stays."""
        self._target = target
        self._lock = Lock()
        self._known_for: Target | None = None
        self._known: dict[tuple[str, int, int], Fit | None] = {}

    def of(self, file: NetworkFile) -> Fit | None:
        """Return how a file meets the loaded checkpoint; None without one, or for an unreadable file."""
        target = self._target()
        if target is None or file.problem or file.facts is None:
            return None
        key = (str(file.path), file.size, file.mtime_ns)
        with self._lock:
            if target is not self._known_for or len(self._known) >= KEPT:
                self._known_for, self._known = target, {}
            if key in self._known:
                return self._known[key]
        fit = _compared(file, target)
        with self._lock:
            if target is self._known_for:
                self._known[key] = fit
        return fit


def _compared(file: NetworkFile, target: Target) -> Fit | None:
    assert file.facts is not None
    try:
        told = compare(read_header(file.path), file.facts, target)
    except FileError:
        return None  # changed since it was listed; using it says why
    return {name: told[name] for name in ("fits", "matched", "total", "reason", "label")}
