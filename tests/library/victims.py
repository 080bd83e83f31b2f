"""Processes that a test kills, or lets work beside another: `python -m tests.library.victims WORK ROOT DATA`.

Every line they print is a thing done for good.
"""

from __future__ import annotations

import os
import sys
from itertools import count
from pathlib import Path

from lib_lora.errors import NotWrittenError
from lib_lora.files.edit import edit_metadata
from lib_lora.library.library import Library


def say(*words: object) -> None:
    """Tell the test, at once."""
    print(*words, flush=True)


def scan(library: Library, turns: int = 0) -> None:
    """Read and write every file's row again and again."""
    for turn in range(turns) if turns else count():
        for number, file in enumerate(library.files()):
            os.utime(file.path, ns=(0, 10**18 + turn * 1000 + number))
        library.scan()
        say(turn)


def note(library: Library, turns: int = 0) -> None:
    """Note three things of one file at once, and use it."""
    file = library.files()[0]
    for turn in range(1, turns + 1) if turns else count(1):
        library.note(file, {"title": f"turn {turn}", "notes": f"turn {turn} " * 50, "weight": turn % 100})
        library.use([file], [turn % 100])
        say(turn)


def hash_all(library: Library) -> None:
    """Hash every file, one after the other."""
    library.hashing.start(library.files())
    library.hashing.wait(60.0)
    say("done")


def edit(library: Library) -> None:
    """Write into a file again and again."""
    for turn in count(1):
        edit_metadata(library.files()[0].path, {"modelspec.title": f"turn {turn}"})
        say(turn)


def limit_files(size: int) -> None:
    """Let no file of this process become larger than `size` bytes, as on a full disk; 0 lifts it."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size or most, most))


def starve(library: Library) -> None:
    """Tell what is there although the index found no room."""
    say("found", len(library.search("network")))


def fill(library: Library) -> None:
    """Note until the disk is full, then find room and note once more."""
    file = library.files()[0]
    limit_files(400_000)
    for turn in count(1):
        try:
            library.note(file, {"title": f"turn {turn}", "notes": f"turn {turn} " * 500})
        except NotWrittenError as error:
            say("full", turn, str(error))
            break
        say(turn)
    say("found", len(library.search("network")))
    limit_files(0)
    library.note(file, {"title": "room again"})
    say("room", library.notes.of(str(file.path))["title"])


WORKS = {
    "scan": scan,
    "note": note,
    "hash": hash_all,
    "edit": edit,
    "fill": fill,
    "starve": starve,
    "scan5": lambda library: scan(library, 5),
    "note30": lambda library: note(library, 30),
}


if __name__ == "__main__":
    work, root, data = sys.argv[1:4]
    say("begins")
    if work == "starve":
        limit_files(40_000)
    library = Library([Path(root)], data=Path(data))
    library.scan()
    say("ready", *library.problems())
    WORKS[work](library)
