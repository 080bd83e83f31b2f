"""Measure and compare: `python -m tests.bench [quick] [merging|stepping|control|holding|library …]`.

Prints one table and writes `build/bench.json`. Processor time of one thread, all ways of a row in turns, the
median of the ratios of at least seven rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import torch

from tests.bench import control, holding, host, library, masks, merging, schedules, stepping
from tests.bench.merging import Case
from tests.bench.race import Row

OUTPUT = Path("build/bench.json")
WARM = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "4294967296"}
"""glibc keeps what it has, as a graphics card's allocator does; else the others pay for fresh memory."""

ROUNDS = 7
FP32, BF16 = (2.4, 3.5, 2.8), (4.0, 10.0, 4.0)
QUICK_CASES = (Case("SD1.5 slice", False, 8, 32, goals=FP32, plain_goal=1.05),)
FULL_CASES = (
    Case("SD1.5", False, 1, 32),
    Case("SD1.5", False, 3, 128),
    Case("SD1.5", False, 8, 32, goals=FP32, plain_goal=1.05),
    Case("SD1.5 slice", True, 3, 32, goals=(None, None, None)),
    Case("SD1.5 slice", True, 3, 16, torch.bfloat16, BF16),
    Case("SDXL slice", False, 8, 16),
    Case("SDXL slice", False, 3, 16, torch.bfloat16),
)


def _merging(quick: bool) -> Iterator[Row]:
    for case in QUICK_CASES if quick else FULL_CASES:
        yield from merging.merging(case, ROUNDS)
    yield merging.independence("SD1.5 slice" if quick else "SD1.5", ROUNDS)


def _stepping(quick: bool) -> Iterator[Row]:
    rounds = ROUNDS if quick else 15
    yield host.step(rounds)
    yield stepping.merged_step("SD1.5 slice" if quick else "SD1.5", 16, rounds)
    for count, goal in ((3, 0.30), (8, 0.25)):
        yield from stepping.beside(count, goal, ROUNDS)
    yield schedules.every_step("SD1.5 slice", 16 if quick else 32, 3 if quick else ROUNDS)


def _control(quick: bool) -> Iterator[Row]:
    yield control.again(ROUNDS)
    yield control.text_encoder("SD1.5 slice" if quick else "SD1.5", ROUNDS)


def _holding(quick: bool) -> Iterator[Row]:
    yield holding.opening(ROUNDS)
    yield from holding.memory("SD1.5 slice" if quick else "SD1.5")


PARTS: tuple[tuple[str, Callable[[bool], Iterator[Row]]], ...] = (
    ("merging", _merging),
    ("stepping", _stepping),
    ("control", _control),
    ("holding", _holding),
    ("masks", masks.masked),
    ("library", library.rows),
)


def machine() -> dict[str, str]:
    """Where it was measured."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": name or platform.processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }


def main() -> None:
    """Measure what was asked for."""
    names = [name for name, _ in PARTS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", help=f"quick, {', '.join(names)}; nothing means all of them")
    asked = parser.parse_args().what
    if unknown := set(asked) - {"quick", *names}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    quick, start = "quick" in asked, time.perf_counter()
    chosen = [item for item in PARTS if item[0] in asked] or PARTS
    print(", ".join(machine().values()), flush=True)
    rows = []
    for _, part in chosen:
        for row in part(quick):
            print(row.line(), flush=True)
            rows.append({**asdict(row), "met": row.met})
    OUTPUT.parent.mkdir(exist_ok=True)
    document = {**machine(), "quick": quick, "seconds": time.perf_counter() - start, "rows": rows}
    OUTPUT.write_text(json.dumps(document, indent=1), encoding="utf-8")
    print(f"{len(rows)} figures in {document['seconds']:.0f} s, written to {OUTPUT}")


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in WARM.items()):
        sys.exit(
            subprocess.call([sys.executable, "-m", "tests.bench", *sys.argv[1:]], env={**os.environ, **WARM})
        )
    torch.set_num_threads(1)
    with torch.no_grad():
        main()
