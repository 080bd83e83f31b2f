"""Embeddings packed into LoRA files, in the host's textual inversion exactly while their rows are on.

An embedding of the user's own folder wins over a packed one of the same name, as in A1111; none has a
strength. A host that keeps its embeddings elsewhere is told in the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lib_lora.files.embeddings import CLIP_G, CLIP_L, VECTORS

Vectors = Mapping[str, Tensor]


class Embeddings:
    """What we put into the host's database; `notes` says what could not be put there."""

    def __init__(self) -> None:
        self.notes: tuple[str, ...] = ()
        self._placed: list[Any] = []

    def place(self, found: Mapping[str, Vectors]) -> None:
        """Make prompts know these embeddings and no others of ours."""
        self.remove()
        if not found:
            return
        database = _database()
        if database is None:
            self.notes = (f"this WebUI cannot use the embeddings inside the file: {', '.join(found)}",)
            return
        from modules import shared
        from modules.textual_inversion.textual_inversion import Embedding

        notes = []
        width = database.get_expected_shape()
        for name, vectors in found.items():
            suiting = _suiting(vectors, width)
            if name in database.word_embeddings:
                notes.append(f"'{name}' of your embeddings is used, not the one inside the file")
            elif suiting is None:
                notes.append(f"the embedding '{name}' inside the file is for another kind of checkpoint")
            else:
                embedding = Embedding(suiting, name)
                embedding.shape, embedding.vectors = width, _count(suiting)
                database.register_embedding(embedding, shared.sd_model)
                self._placed.append(embedding)
        self.notes = tuple(notes)

    def remove(self) -> None:
        """Take ours out again, whatever the host did to its database meanwhile."""
        placed, self._placed, self.notes = self._placed, [], ()
        database = _database() if placed else None
        if database is None:
            return
        ours = set(map(id, placed))
        for token, entries in list(database.ids_lookup.items()):
            left = [entry for entry in entries if id(entry[1]) not in ours]
            if left:
                database.ids_lookup[token] = left
            else:
                del database.ids_lookup[token]
        for name, embedding in list(database.word_embeddings.items()):
            if id(embedding) in ours:
                del database.word_embeddings[name]


def _suiting(vectors: Vectors, width: int) -> Tensor | dict[str, Tensor] | None:
    """Return vectors of that width in the host's form: one tensor, or one for each of two text encoders."""
    from modules import devices

    ready = {holds: tensor.to(devices.device, torch.float32) for holds, tensor in vectors.items()}
    if len(ready) == 1:
        (tensor,) = ready.values()
        return tensor if tensor.shape[1] == width else None
    if ready.keys() != {CLIP_L, CLIP_G} or len({tensor.shape[0] for tensor in ready.values()}) > 1:
        one = ready.get(VECTORS)
        return one if one is not None and one.shape[1] == width else None
    return ready if sum(tensor.shape[1] for tensor in ready.values()) == width else None


def _count(vectors: Tensor | dict[str, Tensor]) -> int:
    """Return how many tokens an embedding stands for."""
    tensor = vectors if isinstance(vectors, Tensor) else vectors[CLIP_G]
    return int(tensor.shape[0])


def _database() -> Any:
    try:
        from modules import sd_hijack
    except ImportError:
        return None
    return getattr(getattr(sd_hijack, "model_hijack", None), "embedding_db", None)
