"""JSON read with orjson is what Python's own reader makes of it, and without orjson all goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from types import ModuleType
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_lora.files import quick_json
from lib_lora.files.text import parse_json

NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters())  # halves of letters too
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.booleans(), st.sampled_from(("", " ", "\n\t")))
def test_the_same_values(value: object, ascii_only: bool, space: str) -> None:
    text = space + json.dumps(value, ensure_ascii=ascii_only) + space
    assert quick_json.loads(text) == json.loads(text)


def whole(digits: str) -> int | float:
    """A number as orjson reads it: beyond 64 bits it is a float, and one digit more makes many so long."""
    return int(digits) if -(2**63) <= int(digits) < 2**64 else float(digits)


@given(VALUES, st.data())
def test_the_same_is_refused(value: object, data: st.DataObject) -> None:
    text = json.dumps(value)
    place = data.draw(st.integers(0, len(text)))
    text = (
        text[:place]
        + data.draw(st.sampled_from(("", '"', "}", ",", "0", "\\", "\x01", "NaN")))
        + text[place:]
    )
    try:
        expected = json.loads(text, parse_int=whole)
    except ValueError:
        with pytest.raises(ValueError):
            quick_json.loads(text)
    else:
        assert repr(quick_json.loads(text)) == repr(expected)  # NaN is not equal to itself


def test_whole_numbers_beyond_64_bits_where_they_matter() -> None:
    text = '{"seed": 123456789012345678901234567890}'
    assert parse_json(text, 100, exact=True) == {"seed": 123456789012345678901234567890}
    assert parse_json(text, 100) == {"seed": pytest.approx(123456789012345678901234567890)}


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_nesting_bomb_is_nothing(opening: str) -> None:
    assert parse_json(opening * 200_000, 10**7) is None


class Named(NamedTuple):
    """As what is written with it."""

    text: str
    pairs: tuple[tuple[str, int], ...]
    number: float | None


@pytest.mark.parametrize("with_orjson", [True, False])
@given(TEXTS, st.lists(st.tuples(TEXTS, st.integers()), max_size=4), st.none() | FINITE)
def test_what_is_written_is_read_as_it_was(
    with_orjson: bool, text: str, pairs: list[tuple[str, int]], number: float | None
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if not with_orjson:
            patch.setattr(quick_json, "_quick_dumps", None)
        written = quick_json.dumps(Named(text, tuple(pairs), number))
    assert json.loads(written) == [text, [list(pair) for pair in pairs], number]


def pretend(patch: pytest.MonkeyPatch, version: str | None) -> ModuleType:
    """Let orjson be of a version, or be something that has none."""
    found = ModuleType("orjson")
    if version is not None:
        found.__version__ = version  # type: ignore[attr-defined]
    patch.setitem(sys.modules, "orjson", found)
    return found


@pytest.mark.parametrize("version", ["3.9.14", "2.0", "unknown", None])
def test_one_that_may_crash_is_left_alone(version: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, version)
    assert quick_json._orjson() is None


@pytest.mark.parametrize("version", ["3.9.15", "3.10.0", "4.0.0"])
def test_one_that_is_safe_is_taken(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = pretend(monkeypatch, version)
    assert quick_json._orjson() is found


def test_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "orjson", None)
    assert quick_json._orjson() is None
    assert quick_json.search_path() == []


def test_another_interpreter_finds_it() -> None:
    (folder,) = quick_json.search_path()
    program = f"import sys; sys.path.append({folder!r}); import orjson; print(orjson.__version__)"
    told = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == sys.modules["orjson"].__version__
