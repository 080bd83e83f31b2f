"""The stand-in's textual inversion: a name in a prompt stands for vectors, only while it is registered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from tests.demo.conftest import Host

NAME = "zorblax"


@pytest.fixture
def model(host: Host) -> Any:
    from modules import shared

    return shared.sd_model


@pytest.fixture
def vectors(model: Any) -> Iterator[torch.Tensor]:
    """Two vectors under a name, registered for one test."""
    from modules.sd_hijack import model_hijack
    from modules.textual_inversion.textual_inversion import Embedding

    database = model_hijack.embedding_db
    seeded = torch.Generator().manual_seed(1)
    found = torch.randn(2, database.get_expected_shape(), generator=seeded)
    embedding = Embedding(found, NAME)
    embedding.vectors = 2
    database.register_embedding(embedding, model)
    yield found
    database.register_embedding_by_name(None, model, NAME)


def encoded(model: Any, *prompts: str) -> torch.Tensor:
    with torch.no_grad():
        return model.cond_stage_model(list(prompts))


def test_a_name_changes_its_prompt_and_no_other(model: Any, vectors: torch.Tensor) -> None:
    from modules.sd_hijack import model_hijack

    named, plain = f"a girl, {NAME}, in a meadow", "a girl, in a meadow"
    with_vectors = encoded(model, named, plain)
    model_hijack.embedding_db.register_embedding_by_name(None, model, NAME)
    without = encoded(model, named, plain)
    assert not torch.equal(with_vectors[0], without[0])
    assert torch.equal(with_vectors[1], without[1])


def test_the_vectors_take_the_place_of_the_names_tokens(model: Any, vectors: torch.Tensor) -> None:
    chunks, count = model.cond_stage_model.tokenize_line(f"girl {NAME}")
    (ids, _, fixes) = chunks[0]
    assert count == 1 + 2
    assert [place for place, _ in fixes] == [2, 3]
    assert torch.equal(torch.stack([vector for _, vector in fixes]), vectors)
    assert ids[2:4] == [0, 0]


def test_no_hook_stays_on_the_text_encoder(model: Any, vectors: torch.Tensor) -> None:
    encoded(model, NAME)
    embeddings = model.cond_stage_model.wrapped.transformer.text_model.embeddings
    assert not embeddings.token_embedding._forward_hooks
