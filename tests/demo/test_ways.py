"""A row in the panel and the same file by the host's own Lora, in every way the host calls its model.

Rows in one call or in chunks, prompts of unequal lengths, negative prompts left out: what the two draw is the
same, and what comes after is as if nothing had been.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.demo.conftest import PROMPT, Host
from tests.demo.test_stack import HIRES, with_stack

pytestmark = pytest.mark.demo
TAG = "<lora:mecha_suit:1>"
LONG = PROMPT + ", flowers and a small pond" * 20


def drawn(host: Host, **request: Any) -> list[np.ndarray]:
    return [np.asarray(image, float) for image in host.draw(**request).images]


@pytest.mark.parametrize(
    ("settings", "request_"),
    [
        pytest.param({"batch_cond_uncond": False}, {"batch_size": 2}, id="in chunks"),
        pytest.param({}, {"prompt": LONG}, id="unequal lengths"),
        pytest.param({"pad_cond_uncond": True}, {"prompt": LONG}, id="padded"),
        pytest.param({"s_min_uncond_all": True}, {"s_min_uncond": 100.0}, id="negative guidance minimum"),
        pytest.param({"skip_early_cond": 0.7}, {}, id="negative prompt left out early"),
        pytest.param({}, {"prompt": f"{PROMPT} AND a boy :0.5"}, id="AND"),
        pytest.param({}, {"prompt": "a girl BREAK in a meadow"}, id="BREAK"),
        pytest.param({}, {"prompt": "a [girl:boy:0.5], [red|blue] hair"}, id="prompt editing"),
        pytest.param({}, {"cfg_scale": 1.0}, id="CFG 1"),
        pytest.param({"CLIP_stop_at_last_layers": 2}, {}, id="clip skip"),
        pytest.param({"persistent_cond_cache": False}, {}, id="prompts not kept"),
        pytest.param({}, HIRES, id="hires"),
        pytest.param({"hires_fix_use_firstpass_conds": True}, HIRES, id="hires prompts encoded early"),
        pytest.param({}, {"batch_size": 2, "n_iter": 2}, id="two batches of two"),
    ],
)
def test_ours_is_the_host_s_own(host: Host, settings: dict[str, Any], request_: dict[str, Any]) -> None:
    from modules import shared

    shared.opts.data.update(settings, lora_stack_takeover=False)
    base = {"prompt": PROMPT, **request_}
    plain = drawn(host, **base)
    theirs = drawn(host, **{**base, "prompt": base["prompt"] + TAG})
    ours = drawn(host, args=with_stack(), **base)
    for one, other in zip(theirs, ours, strict=True):
        assert np.abs(one - other).max() <= 1
    for one, other in zip(plain, ours, strict=True):
        assert np.abs(one - other).mean() > 1
    assert all(map(np.array_equal, plain, drawn(host, **base)))


@pytest.mark.parametrize("last", ["", "<lora:zorp:0.8>"], ids=["fewer", "others"])
def test_the_host_s_own_changes_under_a_row_for_the_second_pass(host: Host, last: str) -> None:
    """The hires prompt brings other tags in the middle of one sampling; the host settles its layers late."""
    from modules import shared

    shared.opts.data["lora_stack_takeover"] = False
    first = f"{PROMPT}<lora:neon:0.8>"
    (theirs,) = drawn(host, prompt=first + TAG, hr_prompt=PROMPT + last + TAG, **HIRES)
    ours = {"args": with_stack(), "prompt": first, "hr_prompt": PROMPT + last, **HIRES}
    (mixed,), (again,) = drawn(host, **ours), drawn(host, **ours)
    assert np.abs(mixed - theirs).mean() <= 1
    assert np.array_equal(again, mixed)
    (same,) = drawn(host, **{**ours, "hr_prompt": first})
    assert np.abs(mixed - same).mean() > 2
