"""Long work of the library: what a scan and the hashing are at, for the page; hashing in the background."""

from __future__ import annotations

import gc
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import FileError
from .known_hashes import OLD, PAYLOAD, WHOLE, KnownHashes
from .network_file import NetworkFile
from .scan import Scan

IDLE, RUNNING, CANCELLED = "idle", "running", "cancelled"
HELD = 5.0  # seconds
CHANGES = 200  # changed files remembered for pages that listen


@contextmanager
def not_collecting() -> Iterator[None]:
    """Hold Python's search for circles: it would look again and again through all that is read, in vain.

    Not for long: others in this process may leave large things in circles.
    """
    if not gc.isenabled():
        yield
        return
    end = threading.Timer(HELD, gc.enable)
    end.daemon = True
    gc.disable()
    try:
        end.start()
        yield
    finally:
        end.cancel()
        gc.enable()


class ScanWork:
    """How far a scan is and what the last one found. Replaced whole values need no lock."""

    def __init__(self) -> None:
        self.state = IDLE
        self.done = self.of = self.added = self.changed = self.removed = 0
        self.seconds = 0.0
        self.problems: tuple[str, ...] = ()

    def progress(self, done: int, of: int) -> None:
        """Hear how many of the files that have to be read are read."""
        self.done, self.of = done, of

    def finish(self, before: Sequence[NetworkFile], found: Scan, seconds: float) -> None:
        """Note what a scan found."""
        if found.files != before:
            known = {file.id: file for file in before}
            here = {file.id for file in found.files}
            self.added = len(here - known.keys())
            self.changed = sum(known.get(file.id, file) is not file for file in found.files) if known else 0
            self.removed = len(known.keys() - here)
        else:
            self.added = self.changed = self.removed = 0
        self.seconds, self.problems = seconds, found.problems

    def status(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**vars(self), "seconds": round(self.seconds, 3), "problems": list(self.problems)}


class Changes:
    """The last files of which something was noted, numbered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._serial = 0
        self._last: deque[tuple[int, str, str]] = deque(maxlen=CHANGES)

    def note(self, file: NetworkFile) -> None:
        """Remember that a file changed."""
        with self._lock:
            self._serial += 1
            self._last.append((self._serial, file.id, file.label))

    def since(self, serial: int) -> tuple[int, list[dict[str, str]]]:
        """Return the number of the last change and the files changed after `serial`."""
        with self._lock:
            files = {key: label for number, key, label in self._last if number > serial}
            return self._serial, [{"id": key, "label": label} for key, label in files.items()]


class Hashing:
    """One thread that hashes what it is given; a second call adds to the work, a cancel ends it."""

    def __init__(self, hashes: KnownHashes, done: Callable[[NetworkFile], None]) -> None:
        self._hashes = hashes
        self._done_with = done
        self._lock = threading.Lock()
        self._waiting: deque[NetworkFile] = deque()
        self._thread: threading.Thread | None = None
        self._state, self._label = IDLE, ""
        self._done = self._of = self._bytes = self._of_bytes = self._failed = 0

    def start(self, files: Sequence[NetworkFile], first: bool = False) -> int:
        """Hash those of `files` that were not; return how many are to be done.

        first: before what waits already, for a file that somebody looks at.
        """
        wanted = [file for file in files if not file.flaw and not self.has_all(file)]
        with self._lock:
            if self._state != RUNNING:
                self._begin()
            queued = {file.id for file in self._waiting}
            new = [file for file in wanted if file.id not in queued]
            if first:
                ahead = {file.id for file in wanted}
                self._waiting = deque([*wanted, *(file for file in self._waiting if file.id not in ahead)])
            else:
                self._waiting.extend(new)
            self._of += len(new)
            self._of_bytes += sum(file.size for file in new)
            if self._thread is None and self._waiting:
                self._thread = threading.Thread(target=self._run, name="lora-stack-hashing", daemon=True)
                self._thread.start()
            elif self._thread is None:
                self._state = IDLE
            return self._of

    def cancel(self) -> None:
        """Stop after the block being read; what is done stays done."""
        with self._lock:
            if self._state == RUNNING:
                self._waiting.clear()
                self._state = CANCELLED

    def wait(self, seconds: float) -> None:
        """Wait until nothing is left to do, or the time is over."""
        end = time.monotonic() + seconds
        while (thread := self._thread) is not None and time.monotonic() < end:
            thread.join(0.05)

    def has_all(self, file: NetworkFile) -> bool:
        """Tell whether all hashes of a file are known."""
        return all(self._hashes.is_known(file, kind) for kind in (PAYLOAD, WHOLE, OLD))

    def status(self) -> dict[str, Any]:
        """Return how far it is, as JSON values."""
        with self._lock:
            return {
                "state": self._state,
                "done": self._done,
                "of": self._of,
                "bytes": self._bytes,
                "of_bytes": self._of_bytes,
                "label": self._label,
                "failed": self._failed,
            }

    def _begin(self) -> None:
        self._state, self._label = RUNNING, ""
        self._done = self._of = self._bytes = self._of_bytes = self._failed = 0

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    self._label = ""
                    if self._state == RUNNING:
                        self._state = IDLE
                    return
                file = self._waiting.popleft()
                self._label = file.label
            failed = False
            try:
                if not (self.has_all(file) or self._hashes.compute_all(file, self._read)):
                    continue
            except FileError:
                failed = True
            with self._lock:
                self._done += 1
                self._failed += failed
            self._done_with(file)

    def _read(self, count: int) -> bool:
        with self._lock:
            self._bytes += count
            return self._state == RUNNING
