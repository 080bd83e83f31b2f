"""The drawn world: the same seed gives the same picture, and the judge can tell pictures apart."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from demo.world import chips
from demo.world.captions import full_caption, loose_caption
from demo.world.concepts import CONCEPTS
from demo.world.judge import judge, unseen_specs
from demo.world.render import render
from demo.world.spec import Details, Spec, draw_details, draw_spec
from demo.world.words import COLOURS, SKINS, SLOTS


def drawn(count: int, seed: str) -> tuple[list[Spec], list[Details]]:
    rng = random.Random(seed)
    pairs = [(draw_spec(rng), draw_details(rng)) for _ in range(count)]
    return [spec for spec, _ in pairs], [details for _, details in pairs]


def test_same_seed_draws_the_same_bytes() -> None:
    first, second = drawn(6, "a"), drawn(6, "a")
    assert first == second
    assert all((render(s, d) == render(s, d)).all() for s, d in zip(*first, strict=True))


def test_details_change_the_picture_and_not_the_caption() -> None:
    spec = drawn(1, "b")[0][0]
    pictures = {render(spec, draw_details(random.Random(n))).tobytes() for n in range(8)}
    assert len(pictures) > 6


def test_judge_reads_clean_pictures() -> None:
    specs, details = drawn(12, "clean")
    scores = judge([render(s, d) for s, d in zip(specs, details, strict=True)], specs)
    assert scores == dict.fromkeys(SLOTS, 1.0)


def test_judge_is_near_chance_on_shuffled_pictures() -> None:
    specs, details = drawn(24, "shuffled")
    pictures = [render(s, d) for s, d in zip(specs, details, strict=True)]
    scores = judge(pictures[1:] + pictures[:1], specs)
    chance = {slot: 1 / len(values) for slot, values in SLOTS.items()}
    assert all(scores[slot] < chance[slot] + 0.3 for slot in SLOTS)
    assert np.mean([scores[slot] - chance[slot] for slot in SLOTS]) < 0.1


@pytest.mark.parametrize("slot", [slot for slot in SLOTS if slot != "scene"])
def test_judge_notices_one_wrong_slot(slot: str) -> None:
    asked, details = drawn(1, "wrong")[0][0], Details()
    values = {name: getattr(asked, name) for name in SLOTS}
    values[slot] = next(value for value in SLOTS[slot] if value != values[slot])
    scores = judge([render(Spec(**values), details)], [asked])
    assert scores[slot] == 0.0
    assert sum(scores.values()) >= len(SLOTS) - 2


@pytest.mark.parametrize("name", CONCEPTS)
def test_concept_changes_the_figure_and_only_light_reaches_the_edge(name: str) -> None:
    spec, details = drawn(1, "concept")[0][0], Details()
    differs = (render(spec, details) != render(spec, details, name)).any(-1)
    assert differs[6:30, 8:24].any()
    if CONCEPTS[name].finish is None:
        assert not differs[:, :2].any()
        assert not differs[:, 30:].any()


def test_full_caption_names_every_slot() -> None:
    spec = unseen_specs(1)[0]
    caption = full_caption(spec)
    assert all(word in caption for word in (spec.who, spec.skin, spec.hair, spec.shirt, spec.pose))
    assert spec.who not in full_caption(spec, skip=("who",)).split(", ")[0]


def test_loose_captions_differ() -> None:
    spec, rng = unseen_specs(1)[0], random.Random(0)
    assert len({loose_caption(spec, rng) for _ in range(20)}) > 15


def test_a_loose_caption_can_be_told_what_never_to_leave_out() -> None:
    rng = random.Random(1)
    spec = replace(draw_spec(rng), hat="crown", item="sword")
    captions = [loose_caption(spec, rng, drop=0.9, always=("hat", "item")) for _ in range(50)]
    assert all("crown" in caption and "sword" in caption for caption in captions)
    assert not all(spec.pose in caption for caption in captions)


def test_word_file_is_the_world_s() -> None:
    assert list(json.loads(chips.text()))[:2] == ["who", "skin"]


def test_no_two_colours_are_near() -> None:
    for palette in (COLOURS, SKINS):
        assert min(math.dist(a, b) for a, b in combinations(palette.values(), 2)) >= 97
