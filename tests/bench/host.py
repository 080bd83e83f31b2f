"""A step through the whole host: the demo's model sampled as the WebUI samples, with and without a stack."""

from __future__ import annotations

import json
import statistics
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.bench.race import Row, noise_of

DEMO = Path(__file__).resolve().parents[2] / "demo"
STACK = {"character/zorp": 0.8, "style/neon": 0.4, "clothing/mecha_suit": 0.6}
PROMPT = "a girl, red hair, in a meadow"


def step(rounds: int, steps: int) -> Row:
    """Pictures in turns; a step is from one call of the UNet to the next, whatever the host does between."""
    sys.path.insert(0, str(DEMO))
    from app.studio import Studio, request

    studio, calls = Studio([]), list[float]()
    from modules import shared

    root: Any = shared.sd_model.model.diffusion_model
    hook = root.register_forward_pre_hook(lambda *_: calls.append(time.process_time()))
    entries = [{"network": name, "weight": weight} for name, weight in STACK.items()]
    stacks = {"own": "", "ours": json.dumps({"version": 1, "entries": entries})}
    taken: dict[str, list[float]] = {name: [] for name in stacks}
    for number in range(rounds + 1):
        for name, stack in stacks.items():
            calls.clear()
            studio.run(request(prompt=PROMPT, steps=steps), stack)
            if number:  # the first pictures open files and merge
                taken[name].append(statistics.median(b - a for a, b in pairwise(calls[1:])))
    hook.remove()
    ratios = [ours / own for ours, own in zip(taken["ours"], taken["own"], strict=True)]
    detail = {name: round(1000 * statistics.median(times), 3) for name, times in taken.items()}
    return Row(
        "step through the demo's host with a stack / without",
        f"{len(STACK)} LoRAs, {steps} steps",
        statistics.median(ratios),
        1.0,
        detail=detail,
        noise=noise_of(ratios),
    )
