"""How far the files of a stack pull the same way, from the stack's text."""

from __future__ import annotations

import math
from typing import Any

from lib_lora.interference import measure_interference
from lib_lora.keys import ARCHITECTURES
from lib_lora.library.library import Library
from lib_lora.library.network_file import NetworkFile
from lib_lora.network import open_network
from lib_lora.stack.serialization import decode

MOST = 24  # files compared at once: each is read whole


def interference_of(text: str, library: Library) -> dict[str, Any]:
    """Return `rows`, `matrix`, `left_out` of the rows that are on; a negative weight turns its signs.

    Of more than `MOST` rows the first are compared, `rows` tells which. Raises
    StackError, NetworkNotFoundError, FileError, AdapterError.
    """
    entries = decode(text).active()[:MOST]
    files = [library.find(entry.network, entry.hash) for entry in entries]
    networks = [open_network(file.path, _architecture(file)) for file in files]
    told = measure_interference(networks)
    signs = [math.copysign(1.0, entry.weight) for entry in entries]
    matrix = [
        [None if value is None else value * signs[row] * signs[column] for column, value in enumerate(line)]
        for row, line in enumerate(told.matrix)
    ]
    return {"rows": [file.label for file in files], "matrix": matrix, "left_out": list(told.left_out)}


def _architecture(file: NetworkFile) -> str:
    """Return what the file was made for; a kind we do not know has no weights to compare in the first one."""
    known = [architecture.name for architecture in ARCHITECTURES]
    made_for = file.facts.architecture if file.facts else ""
    return made_for if made_for in known else known[0]
