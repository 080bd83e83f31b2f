"""The committed files of other kinds: merged as their libraries merge them, and seen in the picture.

`MODELS=build/train/models pytest tests/demo_model/test_trained_kinds.py` asks the same of newly trained ones.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from demo.train.kinds import KINDS, PLAN, Kind
from demo.world.concepts import CONCEPTS
from tests.programs import ROOT, told_by

MODELS = Path(os.environ.get("MODELS") or ROOT / "demo" / "models").resolve()
BY_NAME = pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])


pytestmark = pytest.mark.demo


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What the program found about the trained files, at the model's own size."""
    checkpoint = MODELS / "checkpoint" / "tiny.safetensors"
    judging = ("--checkpoint", checkpoint, "--judge", "--size", 128, "--steps", 12)
    return told_by("tests.demo_model.kinds_run", MODELS / "lora", *judging)


@BY_NAME
def test_the_trained_file_is_merged_as_its_library_merges_it(told: dict[str, Any], kind: Kind) -> None:
    assert told[kind.name]["unmatched"] == []
    assert told[kind.name]["weight_error"] <= 1e-6
    assert told[kind.name]["picture_error"] <= 1


@BY_NAME
def test_the_picture_goes_to_the_concept(told: dict[str, Any], kind: Kind) -> None:
    """Mean colour distance to the concept, in the pixels it changes: nearer at 0.5, clearly nearer at 1."""
    distances = told[kind.name]["distances"]
    assert distances["0.5"] < distances["0"]
    assert distances["1"] < 0.85 * distances["0"]


@BY_NAME
def test_the_file_says_how_it_was_trained(kind: Kind) -> None:
    with safe_open(kind.file(MODELS), "pt") as file:
        facts = file.metadata()
    if kind.name == "dora":
        assert facts == {"format": "pt"}, "PEFT writes no more"
    else:
        assert facts["ss_network_module"] == "lycoris.kohya"
        assert facts["ss_max_train_steps"] == str(PLAN.steps)


@BY_NAME
def test_it_has_a_preview_and_a_sidecar(kind: Kind) -> None:
    path = kind.file(MODELS)
    assert path.with_suffix(".png").stat().st_size < 100_000
    sidecar = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert sidecar["activation text"] == CONCEPTS[kind.concept].trigger


def test_the_six_together_are_small() -> None:
    assert sum(kind.file(MODELS).stat().st_size for kind in KINDS) < 2_500_000
