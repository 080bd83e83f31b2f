"""Spoil good files at random and use them: `python -m tests.fuzz --cases 1000000 --seed 7`.

`--seed 7 --case 123` runs one case in this process with its whole traceback; `--save FILE` keeps its bytes.
Exit code 0: everything worked or raised a readable error of ours; 1: there are faults, told with their cases.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

from tests.fuzz.campaign import campaign
from tests.fuzz.cases import kind_of, make_case


def main() -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args()
    if options.case is not None:
        return _one(options.seed, options.case, options.save)
    start = time.monotonic()
    result = campaign(options.seed, options.first, options.cases)
    for outcome, count in sorted(result.outcomes.items()):
        print(f"{count:9,}  {outcome}")
    for fault in result.faults.values():
        print(f"FAULT  {fault}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{options.cases:,} cases of seed {options.seed}: {used.ru_utime + used.ru_stime:.1f} s of "
        f"the processor, {time.monotonic() - start:.1f} s on the clock, at most {used.ru_maxrss >> 10:,} MiB"
    )
    return 1 if result.faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000, help="how many cases")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, help="run this one only, in this process")
    parser.add_argument("--save", type=Path, help="with --case: write its file here")
    return parser


def _one(seed: int, number: int, save: Path | None) -> int:
    from tests.fuzz.runs import bench, run_case

    content = make_case(seed, number)
    if save:
        save.write_bytes(content)
    print(f"{kind_of(number)}, {len(content)} bytes: {content[:1500]!r}")
    with bench() as folder:
        print(run_case(kind_of(number), folder, content, number))
    return 0


if __name__ == "__main__":
    sys.exit(main())
