"""After any sequence of stacks the host is what it was: latents, parameters, hooks, to the last bit."""

from __future__ import annotations

from typing import Any

import pytest

from tests.programs import told_by

STACKS = 200

pytestmark = pytest.mark.demo


def run(seed: int, count: int) -> dict[str, Any]:
    return told_by("tests.integration.host_run", seed, count)


def test_200_random_stacks_leave_the_host_as_a_fresh_one() -> None:
    fresh, after = run(0, 0), run(7, STACKS)
    assert after["networks"] >= 3
    assert after["refused"] > 0, "the sequence holds failures too"
    assert after["latents"] == fresh["latents"]
    assert after["parameters_same"]
    assert after["looked_during"] == 1
    assert after["traces"] == 0
