"""What a first glance and the whole header say of a file, to be compared."""

from __future__ import annotations

from pathlib import Path

from lib_lora.errors import FileError
from lib_lora.files.glance import Glancer
from lib_lora.files.header import read_header
from lib_lora.files.structure import read_structure


def told(glancer: Glancer, path: Path) -> object:
    """Metadata and structure by a glance, or the error's class and words."""
    try:
        metadata, structure, _ = glancer.read(str(path))
    except FileError as error:
        return type(error), str(error)
    return metadata, structure


def thorough(path: Path) -> object:
    """The same by parsing the whole header."""
    try:
        header = read_header(path)
    except FileError as error:
        return type(error), str(error)
    return dict(header.metadata), read_structure(header.tensors)
