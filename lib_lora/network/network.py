"""One file opened for one architecture: a change for every weight it names, and what found no place."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from lib_lora.adapters import Adapter
from lib_lora.files.header import NAME_SHOWN
from lib_lora.files.text import clean
from lib_lora.keys.spellings import split_suffix

Vectors = Mapping[str, Tensor]
"""One embedding: `[n, width]` by what it is for, see `files/embeddings.py`."""


@dataclass(frozen=True)
class Network:
    """An opened file.

    key: identity of the file's content as far as its date and size tell. made_for: what the file looks like,
    for people: `SDXL`, or empty. embeddings: those packed into it, by the name prompts use.
    """

    path: Path
    key: Hashable
    architecture: str
    adapters: Mapping[str, Adapter]
    unmatched: tuple[str, ...]
    notes: tuple[str, ...]
    made_for: str = ""
    embeddings: Mapping[str, Vectors] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's name without suffix."""
        return self.path.stem

    @property
    def total(self) -> int:
        """How many weights the file wants to change, known or not."""
        return len(self.adapters) + len(modules_of(self.unmatched))

    @property
    def nbytes(self) -> int:
        """Memory its tensors take."""
        held = sum(adapter.nbytes for adapter in self.adapters.values())
        vectors = [tensor for found in self.embeddings.values() for tensor in found.values()]
        return held + sum(tensor.nelement() * tensor.element_size() for tensor in vectors)


def shown(name: str) -> str:
    """Return a tensor's name as it is told in a message."""
    return clean(name, NAME_SHOWN)


def modules_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return the modules tensor names speak of, each once."""
    splits = ((name, split_suffix(name)) for name in names)
    return tuple(dict.fromkeys(name if split is None else split[0] for name, split in splits))
