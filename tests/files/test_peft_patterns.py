"""PEFT's patterns for modules mean what its regular expressions do, and never take long."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from lib_lora.files.peft import Wild
from tests.fuzz.limits import bounded

pieces = st.lists(st.text("ab.", max_size=3), min_size=2, max_size=4).map(tuple)


@given(st.text("ab.", max_size=12), pieces, st.booleans())
def test_a_pattern_is_the_expression_it_stands_for(
    path: str, pieces: tuple[str, ...], anchored: bool
) -> None:
    start = "" if anchored else r"(?:.*\.)?"
    expression = re.compile(start + ".*".join(map(re.escape, pieces)))
    assert Wild(pieces, anchored).matches(path) == bool(expression.fullmatch(path))


def test_a_pattern_made_to_take_for_ever_does_not() -> None:
    """As an expression this one takes minutes."""
    with bounded(seconds=1.0):
        assert not Wild(("a", "a", "a", "b"), anchored=False).matches("a." * 500)
