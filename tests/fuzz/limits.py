"""Bounds for what reads hostile files: seconds of the processor, and memory beyond what the process has."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

SECONDS = 5.0  # of the processor, so that a busy machine does not fail a test; real files take milliseconds
MEMORY = 512 * 1024**2  # bytes; what a small file may cost at most
_STATM = Path("/proc/self/statm")


class TooSlowError(BaseException):
    """More processor time than allowed; no `except Exception` catches it."""


@contextmanager
def bounded(seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Raise TooSlowError after so many processor seconds, and let no more than so many bytes be asked for."""
    with limited_memory(memory), limited_time(seconds):
        yield


@contextmanager
def limited_time(seconds: float) -> Iterator[None]:
    """Raise TooSlowError in the main thread after so many seconds of the processor."""
    before = signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def limited_memory(more: int) -> Iterator[None]:
    """Refuse the process all memory beyond what it has and `more` bytes; larger tensors fail at once."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(_STATM.read_text().split()[0]) if _STATM.exists() else 0
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _stop(signum: int, frame: FrameType | None) -> None:
    raise TooSlowError("took too long")
