"""What there is to measure, in pieces that can be done one by one: `jobs(quick)`.

The quick ones take pieces of the structures, fewer files and smaller latents, so that all of them together
take less than a minute on two cores; the rounds are as many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from tests.bench import control, holding, host, library, masks, merging, schedules, stepping
from tests.bench.merging import Case
from tests.bench.race import Row

ROUNDS = 7
FP32, BF16 = (2.4, 3.5, 2.8), (4.0, 10.0, 4.0)
BLOCK, BLOCKS, SLICE, SD15 = "SD1.5 block", "SD1.5 blocks", "SD1.5 slice", "SD1.5"
SDXL_SLICE, SDXL = "SDXL slice", "SDXL"
GB = 10**9


@dataclass(frozen=True)
class Job:
    """Some rows of the table that are measured together; memory: bytes it takes."""

    part: str
    name: str
    run: Callable[[], Iterable[Row]]
    memory: int = 0


def _merging(case: Case, others: bool = True, memory: int = 0) -> Job:
    return Job("merging", case.told, lambda: merging.merging(case, ROUNDS, others), memory)


def _beside(count: int, goal: float) -> Job:
    return Job("stepping", f"beside, {count}", lambda: stepping.beside(count, goal, ROUNDS))


def quick_jobs() -> list[Job]:
    """Return what shows in a minute where the engine stands."""
    return [
        _merging(Case(BLOCKS, False, 8, 32, goals=FP32, plain_goal=1.05)),
        Job("merging", "independence", lambda: [merging.independence(BLOCKS, ROUNDS)]),
        Job("stepping", "host", lambda: [host.step(ROUNDS, steps=5)]),
        Job("stepping", "merged", lambda: [stepping.merged_step(BLOCK, 16, ROUNDS)]),
        _beside(8, 0.25),
        Job("control", "again", lambda: [control.again(ROUNDS)]),
        Job("control", "text encoder", lambda: [control.text_encoder(SD15, torch.float32, 8, ROUNDS)]),
        Job("holding", "opening", lambda: [holding.opening(ROUNDS)]),
        Job("holding", "memory", lambda: holding.memory(SLICE)),
        Job("masks", "masks", lambda: masks.masked(masks.LAYERS[1:3])),
        Job("library", "library", lambda: library.rows(500, resized=100)),
    ]


def full_jobs() -> list[Job]:
    """Return everything: whole SD 1.5 beside all others, and of SDXL what fits into main memory."""
    return [
        _merging(Case(SD15, False, 8, 32, goals=FP32, plain_goal=1.05), memory=15 * GB),
        _merging(Case(SD15, False, 1, 32), memory=15 * GB),
        _merging(Case(SD15, False, 3, 128), others=False, memory=6 * GB),
        _merging(Case(SLICE, True, 3, 32)),
        _merging(Case(SLICE, True, 3, 32, torch.bfloat16, BF16)),
        _merging(Case(SDXL_SLICE, False, 8, 16), memory=6 * GB),
        _merging(Case(SDXL_SLICE, False, 3, 16, torch.bfloat16), memory=6 * GB),
        _merging(Case(SDXL, False, 3, 16, torch.bfloat16), others=False, memory=16 * GB),
        Job("merging", "independence", lambda: [merging.independence(SD15, ROUNDS)], 5 * GB),
        Job("stepping", "host", lambda: [host.step(2 * ROUNDS + 1, steps=8)]),
        Job("stepping", "merged", lambda: [stepping.merged_step(SD15, 16, 2 * ROUNDS + 1)], 7 * GB),
        Job("stepping", "others", lambda: stepping.others(SLICE, 16, ROUNDS)),
        _beside(3, 0.30),
        _beside(8, 0.25),
        Job("stepping", "schedule", lambda: [schedules.every_step(SLICE, 16, ROUNDS)]),
        Job("stepping", "schedule, larger", lambda: [schedules.every_step(BLOCK, 32, ROUNDS)]),
        Job("control", "again", lambda: [control.again(2 * ROUNDS + 1)]),
        Job(
            "control",
            "text encoder",
            lambda: [control.text_encoder(SD15, torch.float32, 32, ROUNDS)],
            5 * GB,
        ),
        Job(
            "control",
            "two text encoders",
            lambda: [control.text_encoder(SDXL, torch.bfloat16, 16, ROUNDS)],
            15 * GB,
        ),
        Job("holding", "opening", lambda: [holding.opening(2 * ROUNDS + 1)]),
        Job("holding", "memory", lambda: holding.memory(SD15), 5 * GB),
        Job("masks", "masks", lambda: masks.masked(masks.LAYERS)),
        Job("library", "library", lambda: library.rows(library.COUNT)),
    ]


PARTS = tuple(dict.fromkeys(job.part for job in quick_jobs()))
