"""Our part of a picture's parameters, as the host pastes it."""

from __future__ import annotations

import pytest

from lib_lora.hosts.infotext import merge_hashes, paste_fields
from lib_lora.stack import infotext
from lib_lora.stack.entry import Entry
from lib_lora.stack.serialization import decode
from lib_lora.stack.stack import Stack

STACK = Stack((Entry("styles/ghibli", hash="c97665df9b71", weight=0.8),))


def read(params: dict[str, str]) -> tuple[bool, str | None]:
    (_, enabled), (_, stack) = paste_fields("enabled box", "stack box")
    return enabled(params), stack(params)


def test_a_picture_with_a_stack_brings_it_back() -> None:
    enabled, text = read({infotext.KEY: infotext.write(STACK)})
    assert enabled is True
    assert text is not None
    assert decode(text) == STACK


def test_a_picture_without_a_stack_switches_off_and_keeps_the_rows() -> None:
    assert read({"Steps": "20"}) == (False, None)


def test_an_unreadable_stack_is_shown_not_dropped() -> None:
    enabled, text = read({infotext.KEY: '{"version": 1, "entries": [{"network": 3}]}'})
    assert enabled is True
    assert text is not None and '"network": 3' in text


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        pytest.param(None, "mecha: 0123456789ab", id="nothing there"),
        pytest.param(
            "hat: ffffffffffff", "hat: ffffffffffff, mecha: 0123456789ab", id="the host's own stays first"
        ),
        pytest.param("mecha: ffffffffffff", "mecha: ffffffffffff", id="the host's own hash of a name wins"),
        pytest.param("mecha: 0123456789ab", "mecha: 0123456789ab", id="not doubled"),
    ],
)
def test_hashes_are_merged(present: str | None, expected: str) -> None:
    assert merge_hashes(present, [("mecha", "0123456789ab")]) == expected


def test_signs_the_host_splits_at_leave_a_name() -> None:
    assert merge_hashes(None, [("a:b,c", "0123456789ab")]) == "abc: 0123456789ab"
