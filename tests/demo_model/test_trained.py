"""The committed checkpoint and LoRAs: they fit the public classes, draw what is asked and tell the truth.

`MODELS=build/train/models pytest tests/demo_model/test_trained.py` asks the same of newly trained ones.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from demo.train.lora_net import layers_of
from demo.train.models import Painter
from demo.train.recipes import RECIPES, Recipe
from demo.train.sampler import load_model, paint
from demo.world.captions import full_caption
from demo.world.judge import judge, unseen_specs

MODELS = Path(os.environ.get("MODELS") or Path(__file__).parents[2] / "demo" / "models")
CHECKPOINT = MODELS / "checkpoint" / "tiny.safetensors"


def file_of(recipe: Recipe) -> Path:
    return MODELS / "lora" / recipe.folder / f"{recipe.name}.safetensors"


def test_checkpoint_fits_the_public_classes_and_draws_what_is_asked() -> None:
    torch.set_num_threads(1)
    specs = unseen_specs(4)
    pictures = paint(load_model(CHECKPOINT), [full_caption(s) for s in specs], range(4), steps=12)
    scores = judge(pictures, specs)
    assert sum(scores.values()) / len(scores) > 0.9


@pytest.mark.parametrize("recipe", RECIPES, ids=[recipe.name for recipe in RECIPES])
def test_lora_fits_the_model_and_tells_the_truth(recipe: Recipe) -> None:
    path = file_of(recipe)
    assert path.stat().st_size <= 750_000
    with safe_open(path, "pt") as file:
        facts, names = file.metadata(), set(file.keys())
    layers = layers_of(Painter(), recipe.conv_rank > 0)
    assert names == {f"{n}.{s}" for n in layers for s in ("alpha", "lora_down.weight", "lora_up.weight")}
    whole = path.read_bytes()
    payload = whole[8 + int.from_bytes(whole[:8], "little") :]
    assert facts["sshs_model_hash"] == hashlib.sha256(payload).hexdigest()
    assert facts["ss_base_model_version"] == "sd_v1"
    assert facts["ss_output_name"] == path.stem == recipe.name
    assert facts["ss_network_dim"] == str(recipe.rank)
    assert facts["ss_network_alpha"] == str(recipe.alpha * recipe.rank)
    tensors = load_file(path)
    for layer in layers:
        rank = tensors[f"{layer}.lora_down.weight"].shape[0]
        assert float(tensors[f"{layer}.alpha"]) == pytest.approx(recipe.alpha * rank, rel=1e-3), layer
    assert facts["modelspec.trigger_phrase"] in json.loads(facts["ss_tag_frequency"])[recipe.name]


@pytest.mark.parametrize("recipe", RECIPES, ids=[recipe.name for recipe in RECIPES])
def test_lora_has_preview_and_sidecar(recipe: Recipe) -> None:
    assert file_of(recipe).with_suffix(".png").stat().st_size < 100_000
    facts = json.loads(file_of(recipe).with_suffix(".json").read_text(encoding="utf-8"))
    assert facts["activation text"] == recipe.trigger
    assert facts["preferred weight"] == recipe.weight
