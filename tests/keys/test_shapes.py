"""The shapes told without torch are those that the adapters tell."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lib_lora.adapters import find_family, fits_widened
from lib_lora.adapters import fits as adapters_fits
from lib_lora.keys.shapes import fits, made_for
from lib_lora.keys.spellings import SUFFIXES
from tests.adapters.table import CASES, SHAPES, Case

PAIRS = [(case, host) for case in CASES for host in case.hosts]


@pytest.mark.parametrize(("case", "host"), PAIRS, ids=[f"{case.name}, {host}" for case, host in PAIRS])
def test_every_family_in_every_spelling(case: Case, host: str) -> None:
    torch.manual_seed(3)
    tensors = case.draw(SHAPES[host])
    family = find_family(tensors)
    assert family is not None
    adapter = family.read(tensors)
    told = made_for({role: tuple(tensor.shape) for role, tensor in tensors.items()})
    assert told is not None
    assert told == adapter.shape or fits(told, SHAPES[host]) == adapter.fits(SHAPES[host])
    for other in (SHAPES["linear"], SHAPES["conv3x3"], SHAPES["text encoder"], (5, 7)):
        if adapter.fits(other):
            assert fits(told, other)


@pytest.mark.parametrize(
    "shapes",
    [
        {"lora_up": (8, 2)},
        {"lora_up": (8, 2), "lora_down": (3, 8)},
        {"hada_w1_a": (8, 2), "hada_w1_b": (2, 8)},
        {"lokr_w1": (2, 2)},
        {"lokr_w1": (2,), "lokr_w2": (4, 4)},
        {"a1": (8, 2), "a2": (2, 8), "b1": (8, 2)},
        {"oft_blocks": (4,)},
        {"alpha": ()},
        {},
    ],
    ids=str,
)
def test_what_makes_no_change_has_no_shape(shapes: dict[str, tuple[int, ...]]) -> None:
    assert made_for(shapes) is None


@given(
    st.dictionaries(
        st.sampled_from(sorted({*SUFFIXES.values(), "ia3", "kohya_oft_blocks"})),
        st.lists(st.sampled_from((0, 1, 2, 3, 8, 2**31)), max_size=5).map(tuple),
    )
)
def test_any_shapes_at_all_are_told_or_not_told(shapes: dict[str, tuple[int, ...]]) -> None:
    made = made_for(shapes)
    for host in ((8, 8), (8, 4, 3, 3), (8,), ()):
        assert made is None or fits(made, host, may_be_wider=True) in (True, False)


MADE = ((8, 4), (8, 4, 3, 3), (8, 36), (8, -1), (-1, 4, -1), (8,), (6, 4), (8, 5, 3, 3))
HOSTS = ((8, 4), (8, 4, 1, 1), (8, 4, 3, 3), (8, 9, 3, 3), (8,))


@pytest.mark.parametrize("host", HOSTS, ids=str)
@pytest.mark.parametrize("made", MADE, ids=str)
def test_fitting_is_the_adapters_fitting(made: tuple[int, ...], host: tuple[int, ...]) -> None:
    assert fits(made, host) == adapters_fits(made, host)
    assert fits(made, host, may_be_wider=True) == (adapters_fits(made, host) or fits_widened(made, host))
