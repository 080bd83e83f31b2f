"""After any sequence of stacks the host is what it was: latents, parameters, hooks, to the last bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
STACKS = 200

pytestmark = pytest.mark.demo


def run(seed: int, count: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.host_run", str(seed), str(count)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_200_random_stacks_leave_the_host_as_a_fresh_one() -> None:
    fresh, after = run(0, 0), run(7, STACKS)
    assert after["networks"] >= 3
    assert after["refused"] > 0, "the sequence holds failures too"
    assert after["latents"] == fresh["latents"]
    assert after["parameters_same"]
    assert after["looked_during"] == 1
    assert after["traces"] == 0
