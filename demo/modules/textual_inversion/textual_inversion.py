"""Embeddings by name: vectors that stand in a prompt where the name's tokens would."""

from __future__ import annotations


class Embedding:
    """A name and its vectors `[n, width]`, for two text encoders a table of them."""

    def __init__(self, vec, name: str, step=None) -> None:
        self.vec = vec
        self.name = name
        self.step = step
        self.shape = None
        self.vectors = 0
        self.filename = None
        self.hash = None
        self.shorthash = None


class EmbeddingDatabase:
    """All embeddings prompts may name, found by the first token of their names, longest name first."""

    def __init__(self) -> None:
        self.ids_lookup: dict[int, list[tuple[list[int], Embedding]]] = {}
        self.word_embeddings: dict[str, Embedding] = {}
        self.skipped_embeddings: dict[str, Embedding] = {}
        self.expected_shape = -1

    def register_embedding(self, embedding: Embedding, model) -> Embedding:
        return self.register_embedding_by_name(embedding, model, embedding.name)

    def register_embedding_by_name(self, embedding: Embedding | None, model, name: str) -> Embedding | None:
        """Put an embedding in the place of the one of that name; None only takes that one away."""
        ids = model.cond_stage_model.tokenize([name])[0]
        found = [entry for entry in self.ids_lookup.pop(ids[0], []) if entry[1].name != name]
        self.word_embeddings.pop(name, None)
        if embedding is not None:
            found.append((ids, embedding))
            self.word_embeddings[name] = embedding
        if found:
            self.ids_lookup[ids[0]] = sorted(found, key=lambda entry: len(entry[0]), reverse=True)
        return embedding

    def get_expected_shape(self) -> int:
        """Width of the loaded text encoder's vectors."""
        from modules import shared

        embeddings = shared.sd_model.cond_stage_model.wrapped.transformer.text_model.embeddings
        return embeddings.token_embedding.weight.shape[1]

    def find_embedding_at_position(self, tokens: list[int], offset: int):
        """The embedding whose name stands there and how many tokens that takes, or (None, None)."""
        for ids, embedding in self.ids_lookup.get(tokens[offset], ()):
            if tokens[offset : offset + len(ids)] == ids:
                return embedding, len(ids)
        return None, None
