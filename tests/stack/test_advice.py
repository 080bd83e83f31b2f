"""The five recipes, as the design's table has them."""

from __future__ import annotations

import pytest

from lib_lora.stack.advice import ROLES, Role, find_role


def test_the_kinds_in_the_order_of_the_table() -> None:
    assert [role.name for role in ROLES] == [
        "character",
        "beautifier",
        "style",
        "concept",
        "clothing",
        "object",
    ]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("character", 0.6, 0.8),
        ("beautifier", 0.1, 0.3),
        ("style", 0.4, 0.5),
        ("concept", 0.6, 0.8),
    ],
)
def test_usual_weights(name: str, low: float, high: float) -> None:
    role = find_role(name)
    assert role is not None
    assert (role.low, role.high) == (low, high)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_the_band_is_on_the_slider_and_the_hint_is_a_sentence(role: Role) -> None:
    assert -1 < role.low <= role.default <= role.high <= role.slider_max <= 2
    assert role.label
    assert role.hint.endswith(".")
    assert len(role.hint) <= 120


def test_an_object_starts_at_one_and_asks_for_inpainting() -> None:
    role = find_role("object")
    assert role is not None
    assert role.low >= 1
    assert "inpaint" in role.hint


def test_clothes_go_lower_than_an_object() -> None:
    clothing, thing = find_role("clothing"), find_role("object")
    assert clothing is not None
    assert thing is not None
    assert clothing.high < thing.low


@pytest.mark.parametrize("name", ["", "Style", "weapon"])
def test_no_role(name: str) -> None:
    assert find_role(name) is None
