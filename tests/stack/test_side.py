"""The side of the prompt that a row acts for."""

from __future__ import annotations

import pytest

from lib_lora.errors import EntryValueError
from lib_lora.stack.side import NEGATIVE, POSITIVE, read_side


@pytest.mark.parametrize(
    ("text", "side"), [("", ""), ("both", ""), ("positive", POSITIVE), (" Negative ", NEGATIVE)]
)
def test_a_side_is_read(text: str, side: str) -> None:
    assert read_side(text) == side


def test_an_unknown_side_is_refused() -> None:
    with pytest.raises(
        EntryValueError, match=r"side \"positiv\" is no side of the prompt. Nearest: 'positive'"
    ):
        read_side("positiv")
