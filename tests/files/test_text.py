"""Hostile text becomes harmless text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_lora.files.text import clean, clean_lines, parse_json


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("  a \t b\n\nc ", "a b c", id="white space"),
        pytest.param("a\x00b\x1b[0m\x7f", "ab[0m", id="control characters"),
        pytest.param("a\u202eb\u2069", "ab", id="marks that turn the writing"),
        pytest.param("a\ud800b", "ab", id="half a surrogate pair"),
        pytest.param("a\u2028b", "ab", id="line separator"),
        pytest.param("ネオン 👩‍🎤", "ネオン 👩‍🎤", id="joined emoji stay"),
        pytest.param("<b>&amp;", "<b>&amp;", id="markup is the page's business"),
        pytest.param(5, "", id="a number"),
        pytest.param(None, "", id="nothing"),
        pytest.param(["a"], "", id="a list"),
    ],
)
def test_clean(text: object, cleaned: str) -> None:
    assert clean(text, 100) == cleaned


def test_lines_are_kept_where_they_matter() -> None:
    assert clean_lines(" a\r\nb\rc\n\x00d ", 100) == "a\nb\nc\nd"
    assert clean_lines(7, 100) == ""


@given(st.text(st.characters()), st.integers(1, 20))
def test_never_longer_than_the_limit(text: str, limit: int) -> None:
    for cleaned in (clean(text, limit), clean_lines(text, limit)):
        assert len(cleaned) <= limit
        cleaned.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param('{"a": [1]}', {"a": [1]}, id="JSON"),
        pytest.param("{", None, id="malformed"),
        pytest.param("[" * 100_000, None, id="nesting bomb"),
        pytest.param('"' + "x" * 2000 + '"', None, id="too long"),
        pytest.param("9" * 900_0, None, id="too many digits"),
    ],
)
def test_parse_json(text: str, value: object) -> None:
    assert parse_json(text, 1000 if "x" in text else 1_000_000) == value
