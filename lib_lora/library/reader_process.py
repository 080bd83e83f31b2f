"""A process that reads files for a scan in another one: it takes a list, and tells of them from the back.

It ends with the list, or when nobody hears it any more: the scan needs no more, or its process is gone. It
only reads, so it may be killed at any time.
"""

from __future__ import annotations

import gc
import marshal
import sys
from pathlib import Path
from typing import Any, BinaryIO

from ..files.glance import Glancer
from .entry import Entry
from .reading import Told, announce, read_file
from .record import Record

BATCH = 32  # files told of at a time
_SIZE = 4  # bytes before a message that tell its length


def signature() -> list[Any]:
    """Return what must be the same on both sides: the code may have been updated in between."""
    names = [sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()]
    return [sys.version, *names, *Record._fields, *Entry._fields, *Told._fields]


def send(stream: BinaryIO, message: Any) -> None:
    """Write one message of texts, numbers, tuples and lists. Raises OSError, ValueError."""
    content = marshal.dumps(message)
    stream.write(len(content).to_bytes(_SIZE, "little"))
    stream.write(content)
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """Return one message. Raises EOFError where there is none any more, OSError, ValueError."""
    size = stream.read(_SIZE)
    content = stream.read(int.from_bytes(size, "little"))
    if len(size) < _SIZE or not content:
        raise EOFError
    return marshal.loads(content)


def main() -> None:
    """Read what the process that started this one asks for."""
    gc.disable()  # nothing here is in a circle
    asking, telling = sys.stdin.buffer, sys.stdout.buffer
    try:
        if receive(asking) != signature():
            return
        roots, files = receive(asking)
        send(telling, [])  # from here on it can be waited for
        paths = [Path(root) for root in roots]
        glancer = Glancer()
        for end in range(len(files), 0, -BATCH):
            told, begin = [], max(0, end - BATCH)
            announce(glancer.ahead, [file[1:] for file in reversed(files[max(0, begin - BATCH) : begin])])
            for root, path, beside in reversed(files[begin:end]):
                read = read_file(glancer, paths[root], path, beside)
                told.append((*read[:-1], tuple(read.entry)))
            send(telling, told)
    except (EOFError, OSError):
        return
