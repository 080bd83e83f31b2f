"""Packed embeddings in a host's textual inversion: what goes in, what stays out, and nothing left behind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from lib_lora.hosts.embeddings import Embeddings
from lib_lora.hosts.lifecycle import Lifecycle
from lib_lora.hosts.reports import Reports
from lib_lora.hosts.request import ATTRIBUTE, Request, make_request
from lib_lora.library.library import Library
from tests.builders import TOY_LAYERS, make_lora_file, toy_sd1

WIDTH = 8
DEMO = Path(__file__).parents[2] / "demo" / "modules" / "textual_inversion" / "textual_inversion.py"


class Words:
    """A tokenizer that knows a number for every letter."""

    def tokenize(self, texts: list[str]) -> list[list[int]]:
        return [[ord(letter) for letter in text] for text in texts]


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The demo's database under the host's names, for a text encoder of eight numbers a token."""
    inversion = ModuleType("modules.textual_inversion.textual_inversion")
    exec(compile(DEMO.read_text(encoding="utf-8"), str(DEMO), "exec"), vars(inversion))
    found = inversion.EmbeddingDatabase()
    found.get_expected_shape = lambda: WIDTH
    shared = SimpleNamespace(sd_model=SimpleNamespace(cond_stage_model=Words()))
    parts = {
        "sd_hijack": SimpleNamespace(model_hijack=SimpleNamespace(embedding_db=found)),
        "devices": SimpleNamespace(device=torch.device("cpu")),
        "shared": shared,
        "textual_inversion": ModuleType("modules.textual_inversion"),
    }
    package = ModuleType("modules")
    for name, part in parts.items():
        setattr(package, name, part)
        monkeypatch.setitem(sys.modules, f"modules.{name}", part)
    monkeypatch.setitem(sys.modules, "modules", package)
    monkeypatch.setitem(sys.modules, "modules.textual_inversion.textual_inversion", inversion)
    yield found


def seen(database: Any, text: str) -> Any:
    """The embedding a prompt that begins with a text would find."""
    return database.find_embedding_at_position([ord(letter) for letter in text], 0)[0]


GIRL = {"vectors": torch.arange(16.0).view(2, WIDTH)}


def test_a_prompt_knows_it_exactly_while_it_is_placed(database: Any) -> None:
    embeddings = Embeddings()
    embeddings.place({"girl": GIRL})
    found = seen(database, "girl, meadow")
    assert torch.equal(found.vec, GIRL["vectors"])
    assert (found.name, found.vectors, found.shape) == ("girl", 2, WIDTH)
    embeddings.remove()
    assert seen(database, "girl, meadow") is None
    assert (database.ids_lookup, database.word_embeddings, embeddings.notes) == ({}, {}, ())


def test_placing_others_takes_the_first_away(database: Any) -> None:
    embeddings = Embeddings()
    embeddings.place({"girl": GIRL, "gold": GIRL})
    embeddings.place({"gold": GIRL})
    assert set(database.word_embeddings) == {"gold"}
    assert seen(database, "girl") is None
    embeddings.place({})
    assert database.word_embeddings == {}


def test_the_users_own_of_that_name_wins_and_stays(database: Any) -> None:
    own = SimpleNamespace(name="girl", vec=torch.zeros(1, WIDTH))
    database.register_embedding(own, SimpleNamespace(cond_stage_model=Words()))
    embeddings = Embeddings()
    embeddings.place({"girl": GIRL})
    assert seen(database, "girl") is own
    assert "of your embeddings is used" in embeddings.notes[0]
    embeddings.remove()
    assert seen(database, "girl") is own


@pytest.mark.parametrize(
    "vectors",
    [
        {"vectors": torch.ones(2, WIDTH + 1)},
        {"clip_l": torch.ones(2, 3), "clip_g": torch.ones(2, WIDTH)},
        {"clip_l": torch.ones(1, 3), "clip_g": torch.ones(2, WIDTH - 3)},
    ],
    ids=["another width", "two of another width", "two of other lengths"],
)
def test_another_kind_of_checkpoint_is_told(database: Any, vectors: dict[str, torch.Tensor]) -> None:
    embeddings = Embeddings()
    embeddings.place({"girl": vectors})
    assert database.word_embeddings == {}
    assert "'girl' inside the file is for another kind" in embeddings.notes[0]


def test_two_text_encoders_get_their_own_vectors(database: Any) -> None:
    embeddings = Embeddings()
    vectors = {"clip_l": torch.ones(2, 3), "clip_g": torch.ones(2, WIDTH - 3)}
    embeddings.place({"girl": vectors})
    found = seen(database, "girl")
    assert set(found.vec) == {"clip_l", "clip_g"}
    assert (found.vectors, found.shape) == (2, WIDTH)


def test_a_file_for_both_kinds_gives_the_one_that_suits(database: Any) -> None:
    embeddings = Embeddings()
    embeddings.place({"girl": {"clip_l": torch.ones(2, WIDTH)}, "boy": {**GIRL, "clip_g": torch.ones(2, 3)}})
    assert set(database.word_embeddings) == {"girl", "boy"}
    assert embeddings.notes == ()


def test_a_host_that_emptied_its_database_is_left_alone(database: Any) -> None:
    embeddings = Embeddings()
    embeddings.place({"girl": GIRL})
    database.ids_lookup.clear()
    database.word_embeddings.clear()
    embeddings.remove()
    assert database.word_embeddings == {}


class Processing:
    """Stands for the host's object."""

    def __init__(self, model: Any, request: Request | None) -> None:
        self.model = model
        setattr(self, ATTRIBUTE, request)


def test_a_run_knows_those_of_its_own_rows_and_a_nested_one_does_not(database: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({**make_lora_file(path, TOY_LAYERS), "bundle_emb.girl.emb_params": GIRL["vectors"]}, path)
    library = Library([tmp_path])
    library.scan()
    entries = [{"network": "a", "weight": 0}]
    request = make_request("txt2img", {"version": 1, "entries": entries}, library)
    lifecycle = Lifecycle(lambda p: p.model.view(), lambda: "auto", Reports())
    model = toy_sd1()
    outer, inner = Processing(model, request), Processing(model, None)

    def known() -> bool:
        return "girl" in database.word_embeddings

    def sampling() -> list[bool]:
        return [known(), lifecycle.around(inner, known), known()]

    assert lifecycle.around(outer, sampling) == [True, False, True]
    assert not known()
    for end in (lifecycle.forget_model, lifecycle.detach):
        lifecycle.around(outer, end)
        assert not known()


def test_a_host_without_textual_inversion_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "modules", ModuleType("modules"))
    monkeypatch.delitem(sys.modules, "modules.sd_hijack", raising=False)
    embeddings = Embeddings()
    embeddings.place({"girl": GIRL})
    assert "cannot use the embeddings inside the file: girl" in embeddings.notes[0]
    embeddings.remove()
