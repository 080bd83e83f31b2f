"""Measure and compare: `python -m tests.bench [quick] [resume] [merging|stepping|control|holding|library …]`.

Prints one table, row by row, and writes `build/bench.json` after each piece; what was interrupted goes on
with `resume`. Processor time of one thread, all ways of a row in turns, the median of the ratios of at least
seven rounds. Beside some goals stands the floor: what the bare copies and products of that work take on the
same machine in the same rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from lib_lora.engine.budget import free_memory
from tests.bench.jobs import GB, PARTS, Job, full_jobs, quick_jobs
from tests.bench.race import Row

OUTPUT = Path("build/bench.json")
WARM = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "4294967296"}
"""glibc keeps what it has, as a graphics card's allocator does; else the others pay for fresh memory."""


def machine() -> dict[str, str]:
    """Where it was measured."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "processor": name or platform.processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }


def kept_of(document: dict[str, Any], quick: bool) -> dict[str, Any]:
    """Return the pieces an interrupted run of the same kind on this machine has written."""
    same = document.get("quick") == quick and all(
        document.get(name) == value for name, value in machine().items()
    )
    return dict(document["pieces"]) if same else {}


def measure(job: Job) -> list[Row]:
    """Measure one piece and print its rows; none where memory is short."""
    free = free_memory(torch.device("cpu"))
    if free is not None and free < job.memory:
        print(
            f"left out: {job.part}, {job.name} takes {job.memory / GB:.0f} GB, {free / GB:.0f} are free",
            flush=True,
        )
        return []
    rows = []
    for row in job.run():
        print(row.line(), flush=True)
        rows.append(row)
    gc.collect()  # models hold themselves in circles
    give_back_memory()
    return rows


def give_back_memory() -> None:
    """Let glibc return what it keeps warm: the next piece asks how much is free."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another system's library
        ctypes.CDLL(None).malloc_trim(0)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", help=f"quick, resume, {', '.join(PARTS)}; no part means all")
    asked = parser.parse_args().what
    if unknown := set(asked) - {"quick", "resume", *PARTS}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    quick = "quick" in asked
    jobs = quick_jobs() if quick else full_jobs()
    chosen = [job for job in jobs if job.part in asked] or jobs
    pieces: dict[str, Any] = {}
    if "resume" in asked and OUTPUT.exists():
        pieces = kept_of(json.loads(OUTPUT.read_text(encoding="utf-8")), quick)
    print(", ".join(machine().values()), flush=True)
    OUTPUT.parent.mkdir(exist_ok=True)
    for job in chosen:
        name = f"{job.part}: {job.name}"
        if name in pieces:
            continue
        began, used = time.perf_counter(), time.process_time()
        rows = [{**asdict(row), "met": row.met} for row in measure(job)]
        seconds, processor = time.perf_counter() - began, time.process_time() - used
        pieces[name] = {
            "date": time.strftime("%Y-%m-%d"),
            "seconds": seconds,
            "processor": processor,
            "rows": rows,
        }
        document = {**machine(), "quick": quick, "pieces": pieces}
        OUTPUT.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
    seconds, processor, count = (
        sum(measure(piece) for piece in pieces.values())
        for measure in (lambda p: p["seconds"], lambda p: p["processor"], lambda p: len(p["rows"]))
    )
    print(f"{count} figures in {seconds:.0f} s ({processor:.0f} s of processor time), written to {OUTPUT}")


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in WARM.items()):
        sys.exit(
            subprocess.call([sys.executable, "-m", "tests.bench", *sys.argv[1:]], env={**os.environ, **WARM})
        )
    torch.set_num_threads(1)
    with torch.no_grad():
        main()
