"""The loaded checkpoint as something to compare with, without loading one."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from lib_lora.errors import ModelUnavailableError
from lib_lora.hosts import checkpoint as module
from lib_lora.hosts.checkpoint import LoadedCheckpoint

SHAPES = {"unet.input_blocks.0.0": (32, 4, 3, 3), "unet.out.2": (4, 32, 1, 1)}


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The host's memory of models; `model` stands for one, `looked` counts how often it was described."""
    state = SimpleNamespace(model_data=SimpleNamespace(sd_model=None), looked=0)
    modules, sd_models = ModuleType("modules"), ModuleType("sd_models")
    sd_models.model_data = state.model_data  # type: ignore[attr-defined]
    modules.sd_models = sd_models  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "modules", modules)
    monkeypatch.setitem(sys.modules, "modules.sd_models", sd_models)

    def view(model: Any, generation: int) -> Any:
        state.looked += 1
        if model == "flux":
            raise ModelUnavailableError("another kind")
        return SimpleNamespace(architecture="sd1", shapes=SHAPES)

    def key(model: Any, generation: int) -> Any:
        if model == "stand-in":
            raise AttributeError("forge_objects")
        return model, generation

    monkeypatch.setattr(module.models, "view_of_model", view)
    monkeypatch.setattr(module.models, "model_key", key)
    return state


@pytest.mark.parametrize("model", [None, "flux", "stand-in"])
def test_without_a_checkpoint_we_know_there_is_nothing_to_compare_with(
    host: SimpleNamespace, model: str | None
) -> None:
    host.model_data.sd_model = model
    assert LoadedCheckpoint().target(0) is None


def test_a_checkpoint_s_own_sizes(host: SimpleNamespace) -> None:
    host.model_data.sd_model = "a"
    target = LoadedCheckpoint().target(0)
    assert target is not None
    assert (target.name, target.architecture.name) == ("sd1", "sd1")
    assert target.shapes == {"unet.input_blocks.0.0": (32, 4, 3, 3), "unet.out.2": (4, 32)}


def test_it_is_looked_at_once_until_another_is_loaded(host: SimpleNamespace) -> None:
    host.model_data.sd_model = "a"
    loaded = LoadedCheckpoint()
    first = loaded.target(0)
    assert loaded.target(0) is first
    assert host.looked == 1
    assert loaded.target(1) is not first, "the same object with other weights"
    host.model_data.sd_model = "b"
    loaded.target(1)
    assert host.looked == 3
