"""Many cases in a child process, watched from outside: a crash or a hang of the child is a fault as well."""

from __future__ import annotations

import mmap
import os
import pickle
import struct
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from select import select

from tests.fuzz.cases import HEADER, kind_of, make_case
from tests.fuzz.limits import TooSlowError, limited_memory, limited_time
from tests.fuzz.runs import bench, run_case, trees
from tests.fuzz.seeds import samples

SECONDS = 5.0  # of the processor for one case; they take about a millisecond
STALLED = 300.0  # seconds on the clock without a new case: blocked where no signal gets through
MEMORY = 512 * 1024**2  # bytes above what the process has after loading its libraries
DISTINCT = 10  # faults of different places after which it ends


@dataclass
class Result:
    """How often which outcome was, and the faults in words, one of each place."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)


def campaign(seed: int, first: int, cases: int) -> Result:
    """Run cases `first` to `first + cases` of a seed in a child process."""
    with bench() as folder:
        return _campaign(folder, seed, range(first, first + cases))


def _campaign(folder: Path, seed: int, numbers: range) -> Result:
    current = mmap.mmap(-1, 8)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        status = 1
        try:
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(_run(folder, seed, numbers, current), pipe)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        _watch(child, current, reading)
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if status or not answer:
        (number,) = struct.unpack("<q", current[:8])
        how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {status >> 8}"
        told = _told(seed, number, f"the process died or hung, {how}")
        return Result(faults={how: told})
    result = pickle.loads(answer)
    assert isinstance(result, Result)
    return result


def _watch(child: int, current: mmap.mmap, reading: int) -> None:
    """Wait until the child answers or ends; kill it when it stays at one case for too long."""
    seen, since = b"", time.monotonic()
    while not select([reading], [], [], 1.0)[0]:
        now = current[:8]
        if now != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > STALLED:
            os.kill(child, 9)
            return


def _run(folder: Path, seed: int, numbers: range, current: mmap.mmap) -> Result:
    if any(kind_of(number) != HEADER for number in numbers[:50]):
        _load()
    result = Result()
    with limited_memory(MEMORY):
        for number in numbers:
            current[:8] = struct.pack("<q", number)
            kind = kind_of(number)
            try:
                content = make_case(seed, number)
                with limited_time(SECONDS):
                    happened = run_case(kind, folder, content, number)
            except (Exception, TooSlowError) as error:
                place = _place(error)
                result.faults.setdefault(place, _told(seed, number, _described(error, place)))
                if len(result.faults) >= DISTINCT:
                    break
            else:
                result.outcomes.update(f"{kind}: {outcome}" for outcome in happened)
    return result


def _load() -> None:
    """Load torch and draw the samples before memory is limited."""
    import torch

    torch.set_num_threads(1)
    samples()
    trees()


def _place(error: BaseException) -> str:
    """Return where in the package it happened, to tell one fault from another."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "/lib_lora/" in frame.filename
    ] or traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}"


def _described(error: BaseException, place: str) -> str:
    return f"{place}: {str(error)[:500]}"


def _told(seed: int, number: int, what: str) -> str:
    return (
        f"case {number} of seed {seed} ({kind_of(number)}): {what}\n"
        f"    again: python -m tests.fuzz --seed {seed} --case {number}"
    )
