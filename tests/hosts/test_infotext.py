"""Our part of a picture's parameters, as the host pastes it."""

from __future__ import annotations

import pytest

from lib_lora.hosts.infotext import SENT, merge_hashes, paste_fields
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


def test_send_to_img2img_takes_both_arguments_along() -> None:
    """The host copies the values of the fields whose names a script gives it, and calls those it can call."""
    fields = paste_fields("enabled box", "stack box")
    assert [box for box, name in fields if name in list(SENT)] == ["enabled box", "stack box"]
    assert all(callable(name) for _, name in fields)


def test_an_unreadable_stack_is_shown_not_dropped() -> None:
    enabled, text = read({infotext.KEY: '{"version": 1, "entries": [{"network": 3}]}'})
    assert enabled is True
    assert text is not None and '"network": 3' in text


ADDNET = {
    "AddNet Enabled": "True",
    "AddNet Module 1": "LoRA",
    "AddNet Model 1": "guo1.5(c97665df9b71)",
    "AddNet Weight A 1": "0.3",
    "AddNet Weight B 1": "0.6",
}


def test_a_picture_of_addnet_s_fills_the_panel() -> None:
    enabled, text = read(ADDNET)
    assert enabled is True
    assert text is not None
    assert decode(text) == Stack((Entry("guo1.5", hash="c97665df9b71", weight=0.3, te=0.6),))


def test_addnet_switched_off_brings_rows_and_no_switch() -> None:
    enabled, text = read({**ADDNET, "AddNet Enabled": "False"})
    assert enabled is False
    assert text is not None and "guo1.5" in text


def test_our_own_key_counts_where_both_are_written() -> None:
    """Pictures made through AddNet's arguments carry both: read twice, the LoRAs would act twice."""
    enabled, text = read({**ADDNET, infotext.KEY: infotext.write(STACK)})
    assert enabled is True
    assert text is not None and decode(text) == STACK


def test_an_unreadable_weight_of_addnet_s_is_shown_not_dropped() -> None:
    _, text = read({**ADDNET, "AddNet Weight A 1": "much"})
    assert text is not None and '"weight": "much"' in text


def test_where_addnet_is_installed_its_keys_are_its_own() -> None:
    (_, enabled), (_, stack) = paste_fields("enabled box", "stack box", with_legacy=False)
    assert enabled(ADDNET) is False
    assert stack(ADDNET) is None


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


def test_a_name_that_begins_or_ends_with_a_space_stands_once() -> None:
    """As in a second batch, when it stands there already, without the space."""
    told = merge_hashes(None, [(" mecha ", "0123456789ab")])
    assert told == "mecha: 0123456789ab"
    assert merge_hashes(told, [(" mecha ", "0123456789ab")]) == told
