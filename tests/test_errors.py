"""The error tree: as it is drawn, every message one line that can be shown anywhere."""

from __future__ import annotations

import re

import pytest

from lib_lora import errors
from lib_lora.errors import AdapterError, FileError, LoraStackError


def _tree(kind: type[LoraStackError]) -> list[type[LoraStackError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _tree(child))]


def test_the_tree_is_drawn_as_it_is() -> None:
    """Every class stands in the drawing, one step further in than its parent."""
    drawn = {
        name: len(branch) // 4
        for branch, name in re.findall(r"^([│├└─ ]*)(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    }
    ours = [kind for kind in _tree(LoraStackError) if kind.__module__ == errors.__name__]
    assert drawn == {kind.__name__: kind.__mro__.index(LoraStackError) for kind in ours}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("a\nb\r\n\u2028c", "a b   c", id="line breaks"),
        pytest.param("a\0b\x1b[0m\x9f", "a b [0m ", id="control characters"),
        pytest.param("a\u202eb\u2066c", "abc", id="marks that turn the writing"),
        pytest.param("a\udcffb", "a\N{REPLACEMENT CHARACTER}b", id="a file name that is no text"),
        pytest.param("ネオン 👩\u200d🎤", "ネオン 👩\u200d🎤", id="everything else stays"),
    ],
)
def test_a_message_is_one_line_whatever_a_file_is_called(name: str, shown: str) -> None:
    for kind in (FileError, AdapterError):
        error = kind(f"{name} is gone.")
        assert str(error) == error.detail == f"{shown} is gone."
