"""What an index of a collector's files costs: `rows(count)`, or `python -m tests.bench.library [COUNT]`.

AddNet's way reads every header as JSON and hashes every file without a declared hash, payload and whole;
A1111's reads every header as JSON. Both in words of this project, on the same files; hashing is measured on a
few files and multiplied by the bytes, since ten thousand would take minutes of reading alone.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lib_lora.files.hashes import file_sha256, payload_sha256
from lib_lora.library.catalogue import Catalogue
from lib_lora.library.library import Library
from lib_lora.library.query import Query
from tests.bench.race import Row
from tests.bench.shelf import COUNT, make_shelf

SAMPLE = 100  # of them, for the ways that take long
RESIZED = 1_000  # files of which no two have the same tensors, at most
HASHED = 3
SEARCHES = {
    "neon": "a word in most files",
    "neon city": "two words in most files",
    "robot sword": "two other words",
    "ab": "two letters",
    "no such words": "words in no file",
}
SECONDS, COLD, RESCAN, SEARCH = 2.0, 3.0, 1.5, 10.0  # goals: s for ten thousand, × scandir and stat, ms


def rows(count: int, resized: int = RESIZED) -> Iterator[Row]:
    """Make a shelf, index it and search it; and one of resized files."""
    case = f"{count} files"
    with tempfile.TemporaryDirectory() as folder:
        shelf, data = make_shelf(Path(folder, "lora"), count), Path(folder, "data")
        paths = sorted(shelf.rglob("*.safetensors"))
        for path in paths:  # warm: what is measured is work, not the disk
            path.open("rb").read(1)
        library = Library([shelf], data=data)
        clock, first = time.perf_counter(), all_processes()
        library.scan()
        clock, first = time.perf_counter() - clock, all_processes() - first
        goal = SECONDS if count == COUNT else None
        detail = {"processor s of all processes": first}
        yield Row("first index by the clock", case, clock, goal, unit="s", detail=detail)
        least = min(timed(lambda: (look(shelf), [raw_header(path) for path in paths])) for _ in range(3))
        yield Row("first index / list, stat and read every header", case, first / least, detail={"s": least})
        floor = min(timed(lambda: look(shelf)) for _ in range(5))
        again = min(timed(library.scan) for _ in range(5))
        detail = {"rescan ms": 1000 * again, "scandir and stat ms": 1000 * floor}
        yield Row("rescan / scandir and stat of every file", case, again / floor, RESCAN, detail=detail)
        catalogue = Catalogue(library)
        for words, what in SEARCHES.items():
            asked = Query(words=words)
            taken = min(timed_anew(library, lambda: catalogue.page(asked, 0, 50)) for _ in range(5))  # noqa: B023
            yield Row(f"search, {what}", case, 1000 * taken, SEARCH, unit="ms")
        facets = min(timed_anew(library, lambda: catalogue.facets(Query())) for _ in range(3))
        yield Row("facets", case, 1000 * facets, unit="ms")
        again = timed(lambda: (catalogue.page(asked, 50, 50), catalogue.facets(Query())))
        yield Row("next page and facets", case, 1000 * again, unit="ms")
        library.close()
        start = timed(lambda: Library([shelf], data=data).scan())
        yield Row("start with an index that is there", case, start, unit="s")
        if hasattr(os, "posix_fadvise"):
            os.sync()  # what is not on the disk yet cannot be forgotten
            for path in shelf.rglob("*.*"):
                forget(path)
            began = time.perf_counter()
            Library([shelf], data=Path(folder, "cold")).scan()
            cold = time.perf_counter() - began
            yield Row("first index by the clock, nothing in memory", case, cold, goal and COLD, unit="s")
        sample = paths[:: max(1, len(paths) // SAMPLE)][:SAMPLE]
        whole = timed(lambda: [json_header(path) for path in sample]) / len(sample) * count
        yield Row("A1111's way / ours", case, whole / first, detail={"s": whole})
        hashing = timed(lambda: [(payload_sha256(path), file_sha256(path)) for path in sample[:HASHED]])
        read = sum(path.stat().st_size for path in sample[:HASHED])
        total = sum(path.stat().st_size for path in paths)
        addnet = whole + hashing / read * total
        yield Row("AddNet's way without declared hashes / ours", case, addnet / first, detail={"s": addnet})
    with tempfile.TemporaryDirectory() as folder:
        few = min(count, resized)
        shelf = make_shelf(Path(folder, "lora"), few, resized=True)
        paths = sorted(shelf.rglob("*.safetensors"))
        whole = timed(lambda: [json_header(path) for path in paths])  # and so they are in memory
        first = timed(Library([shelf], data=Path(folder, "data")).scan)
        case, detail = f"{few} files, each with ranks of its own", {"s": first}
        yield Row("first index, for each file", case, 1000 * first / few, unit="ms", detail=detail)
        yield Row("A1111's way / ours", case, whole / first, detail={"s": whole})


def timed(work: Callable[[], object]) -> float:
    """Return seconds of processor time."""
    began = time.process_time()
    work()
    return time.process_time() - began


def all_processes() -> float:
    """Return seconds of processor time of this process and of those that it started and that ended."""
    return sum(os.times()[:4])


def timed_anew(library: Library, work: Callable[[], object]) -> float:
    """Return seconds of processor time of a question that was not asked before."""
    library.forget_answers()
    return timed(work)


def forget(path: Path) -> None:
    """Let the system forget what it has of a file in memory."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def raw_header(path: Path) -> int:
    """Read the bytes of a header."""
    with path.open("rb", buffering=0) as file:
        (length,) = struct.unpack("<Q", file.read(8))
        return len(file.read(length))


def look(folder: Path) -> int:
    """List every folder and ask for size and time of every file: what no rescan can do without."""
    count, waiting = 0, [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    waiting.append(entry.path)
                else:
                    count += entry.stat().st_mtime_ns > 0
    return count


def json_header(path: Path) -> object:
    """Read a whole header as JSON."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        return json.loads(file.read(length))


if __name__ == "__main__":
    for row in rows(int(sys.argv[1]) if sys.argv[1:] else COUNT):
        print(row.line(), flush=True)
