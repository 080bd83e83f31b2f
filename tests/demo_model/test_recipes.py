"""The five recipes of docs/recipes.md and the two figures of docs/aiming.md: each does what its text says.

Thresholds leave room for a model that is trained anew; the documented figures are those of demo.pictures.
`MODELS=build/train/models pytest tests/demo_model/test_recipes.py` asks the same of newly trained ones.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.programs import told_by

pytestmark = pytest.mark.demo


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program measured."""
    models = ["--models", os.environ["MODELS"]] if os.environ.get("MODELS") else []
    return told_by("tests.demo_model.recipes_run", "--data-dir", tmp_path_factory.mktemp("data"), *models)


@pytest.fixture(scope="module")
def recipes(told: dict[str, Any]) -> dict[str, dict[str, float]]:
    return told["recipes"]


def test_a_character_comes_with_its_weight(recipes: dict[str, dict[str, float]]) -> None:
    far = recipes["character"]
    assert far["distance at 0"] > far["distance at 0.4"] > far["distance at 0.7"]
    assert far["distance at 0.7"] < 0.75 * far["distance at 0"]


def test_a_style_under_a_character_leaves_it_visible(recipes: dict[str, dict[str, float]]) -> None:
    way = recipes["style"]
    alone, usual, strong = ("zorp 0.7", "+ neon 0.5", "+ neon 1.2")
    assert way[f"way to neon, {usual}"] > way[f"way to neon, {alone}"] + 0.15, "the style is seen"
    assert way[f"way to zorp, {usual}"] > 0.6 * way[f"way to zorp, {alone}"], "and so is the character"
    assert way[f"way to neon, {strong}"] > way[f"way to neon, {usual}"]
    assert way[f"way to zorp, {strong}"] < 0.9 * way[f"way to zorp, {alone}"], "a strong style takes from it"


def test_a_concept_with_its_words(recipes: dict[str, dict[str, float]]) -> None:
    far = recipes["concept"]
    assert far["distance, haunted 0.8 and words"] < 0.8 * far["distance, without"]
    assert far["distance, haunted 0.8 and words"] < 1.1 * far["distance, haunted 0.8, no words"]
    assert far["distance, only the words"] > 0.9 * far["distance, without"], "words alone do nothing here"


def test_clothes_too_high_take_from_the_person(recipes: dict[str, dict[str, float]]) -> None:
    """Above the band the clothes hardly gain, and more is lost of what is not clothes."""
    seen = recipes["clothing"]
    assert seen["distance at 0.6"] < 0.8 * seen["distance at 0"]
    assert seen["outside at 1.6"] > 1.3 * seen["outside at 0.6"]


def test_an_object_appears_inside_its_mask_and_nothing_changes_outside(
    recipes: dict[str, dict[str, float]],
) -> None:
    seen = recipes["object"]
    assert seen["largest change outside the mask"] == 0
    assert seen["distance with"] < 0.5 * seen["distance without"]
    assert seen["distance without"] > 0.7 * seen["distance before"], "inpainting alone does not draw it"


def test_the_object_s_row_changes_no_layer_outside_its_mask(told: dict[str, Any]) -> None:
    seen = told["deltas"]
    assert seen["layers"] > 30 and seen["inside"] > 0
    assert seen["outside"] == 0


def test_two_loras_left_and_right_in_one_picture(told: dict[str, Any]) -> None:
    """Everywhere both are in both halves; each in its half, the other half has as good as none of it."""
    shares = told["regions"]
    plain, both = shares["without"], shares["both everywhere"]
    halves, apart = shares["each in its half"], shares["each in its half, text encoder 0"]
    assert min(both["alien"]) > 2 * max(plain["alien"]) and min(both["suit"]) > 2 * max(plain["suit"])
    for way in (halves, apart):
        left, right = way["alien"]
        assert left > 0.25 * both["alien"][0] and right < 0.25 * left
        assert way["suit"][1] > 1.3 * way["suit"][0]
