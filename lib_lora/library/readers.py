"""Reading many files with all processors: other processes take their share, this one does what they do not.

Where none can be started, or one is slow or dies, this process reads everything, with the same result. They
are fresh interpreters, never copies of this process, whose threads and graphics card no copy survives.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO, cast

from ..files import quick_json
from ..files.ahead import MANY
from ..files.glance import Glancer
from .entry import Entry
from .reader_process import BATCH, receive, send, signature
from .reading import Found, Told, announce, read_file

AT_LEAST = 1_000  # files; fewer are read before another process has started
MOST = 3  # other processes
SOME = 8  # files read before the others are heard
PATIENCE = 5.0  # seconds without a word after which a process is given up
_RUN = (
    "import sys; sys.path[:] = [*filter(None, sys.path), *sys.argv[1:]]; "
    "from lib_lora.library.reader_process import main; main()"
)
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows opens one for each program otherwise


class Readers:
    """Whoever reads: this process and, where there is much to read, others, which end with the `with`."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] | None = None  # None: none was started yet
        self._threads: list[Thread] = []

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *error: object) -> None:
        self._close()

    def expect(self, count: int) -> None:
        """Hear that at least so many files will have to be read: processes take a while to start."""
        if self._processes is None and count >= AT_LEAST:
            others = min(_processors() - 1, MOST)
            self._processes = [process for _ in range(others) if (process := _start()) is not None]

    def read(self, glancer: Glancer, files: Sequence[Found]) -> Iterator[tuple[Found, Told]]:
        """Yield all `files`, in any order, with what they tell."""
        news = Event()
        # Files of one kind are nearly of one size: what was learned of a kind serves its whole share.
        ordered = sorted(files, key=lambda found: found.size)
        processes = self._processes or []
        count = max(1, len(processes))
        bounds = [len(ordered) * place // count for place in range(count + 1)]
        shares = [_Share(ordered[bounds[n] : bounds[n + 1]], news) for n in range(count)]
        for share, process in zip(shares, processes, strict=False):
            thread = Thread(target=share.listen, args=(process,), name="lora-stack-reader", daemon=True)
            self._threads.append(thread)
            thread.start()
        while True:
            news.clear()
            for share in shares:
                yield from share.heard()
            left = [share for share in shares if share.front < share.back]
            if not left:
                return
            mine = max(left, key=_Share.free)
            if mine.free() > 0:
                if len(ordered) > MANY and mine.front + SOME > mine.announced:
                    announce(glancer.ahead, mine.announced_next())
                for found in mine.next():
                    yield found, read_file(glancer, found.root, found.path, found.names)
            elif not news.wait(PATIENCE):
                for share in left:
                    share.others = False

    def _close(self) -> None:
        processes = self._processes or []
        for process in processes:
            process.kill()  # whatever it is at
        for thread, process in zip_longest(self._threads, processes):
            process.wait()
            if thread is not None:
                thread.join(PATIENCE)
            if thread is None or not thread.is_alive():  # else a pipe is in somebody else's hands
                for stream in (process.stdin, process.stdout):
                    with contextlib.suppress(OSError):
                        cast(BinaryIO, stream).close()


class _Share:
    """Files that another process reads from the back, and this one from the front, until they meet."""

    def __init__(self, files: list[Found], news: Event) -> None:
        self.files = files
        self.front, self.back = 0, len(files)  # what is left lies between
        self.others = False  # whether another process reads, from when it has begun
        self.announced = 0  # up to where this process has asked the disk for files
        self._news = news
        self._told: list[list[tuple[object, ...]]] = []
        self._taken = 0

    def free(self) -> int:
        """Return how many files nobody is at: the other process has those of one message in hand."""
        return self.back - self.front - (BATCH if self.others else 0)

    def next(self) -> list[Found]:
        """Return some files for this process to read."""
        begin = self.front
        self.front += min(SOME, self.free())
        return self.files[begin : self.front]

    def announced_next(self) -> list[tuple[str, Sequence[str]]]:
        """Return files for this process to read after the next ones, each once."""
        begin = max(self.announced, self.front)
        self.announced = begin + MANY
        return [(found.path, found.names) for found in self.files[begin : min(self.announced, self.back)]]

    def heard(self) -> Iterator[tuple[Found, Told]]:
        """Yield what the other process read since the last time, and this one did not."""
        while self._taken < len(self._told):
            batch = self._told[self._taken]
            self._told[self._taken] = []
            self._taken += 1
            for told in batch:
                self.back -= 1
                if self.back >= self.front:
                    yield self.files[self.back], Told(*told[:-1], Entry(*told[-1]))  # type: ignore

    def listen(self, process: subprocess.Popen[bytes]) -> None:
        """Hand the list to a process and hear it; runs in a thread of its own."""
        asking, telling = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
        try:
            send(asking, signature())
            places: dict[Path, int] = {}
            listed = [
                (places.setdefault(found.root, len(places)), found.path, found.names) for found in self.files
            ]
            send(asking, ([str(root) for root in places], listed))
            receive(telling)  # it has begun
            self.others = True
            left = len(listed)
            while left > 0:
                batch = receive(telling)
                left -= len(batch)
                self._told.append(batch)
                self._news.set()
        except (EOFError, OSError, TypeError, ValueError):
            pass  # it ended, or was ended
        self.others = False
        self._news.set()


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start() -> subprocess.Popen[bytes] | None:
    """Start an interpreter; None where the running program is no plain Python that can be started again."""
    program = sys.executable or ""
    if getattr(sys, "frozen", False) or not Path(program).name.lower().startswith("python"):
        return None
    utf8 = ["-X", "utf8"] if sys.flags.utf8_mode else []
    try:
        return subprocess.Popen(
            [program, "-S", *utf8, "-c", _RUN, str(Path(__file__).parents[2]), *quick_json.search_path()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=_NO_WINDOW,
        )
    except (OSError, ValueError):
        return None
