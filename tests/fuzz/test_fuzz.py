"""A hundred thousand spoiled files in every run of the suite, and the machinery that would tell a fault."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from lib_lora import errors
from lib_lora.keys.spellings import SUFFIXES
from tests.adapters.table import CASES
from tests.fuzz import campaign as watched
from tests.fuzz.campaign import campaign
from tests.fuzz.cases import HEADER, LIBRARY, ROUND, TENSORS, kind_of, make_case
from tests.fuzz.limits import TooSlowError, bounded
from tests.fuzz.runs import WORKS, bench, run_case
from tests.fuzz.seeds import GROUPS, SPELLED, samples

ROOT = Path(__file__).resolve().parents[2]
SEED = 1
PARTS = 4
CASES_OF_A_PART = 25_000


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_spoiled_file_does_anything_but_work_or_raise_a_readable_error_of_ours(part: int) -> None:
    """The same cases in every run; another seed and a million of them: `python -m tests.fuzz --help`."""
    command = ["--cases", str(CASES_OF_A_PART), "--first", str(part * CASES_OF_A_PART), "--seed", str(SEED)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    reached = {line.split()[-1] for line in done.stdout.splitlines() if ":" in line}
    unreached = {name for name in MUST_BE_REACHED if name not in reached}
    assert not unreached, f"never reached: {unreached}\n{done.stdout}"


MUST_BE_REACHED = (
    WORKS,
    *(
        kind.__name__
        for kind in (*errors.HeaderError.__subclasses__(), *errors.AdapterError.__subclasses__())
        # A volume takes a header of megabytes, and no file holds numbers for an infinite change.
        if kind not in (errors.HeaderVolumeError, errors.NonFiniteChangeError)
    ),
)


def test_a_case_is_made_of_its_seed_and_number() -> None:
    numbers = range(0, 2 * len(ROUND), 7)
    assert [make_case(3, number) for number in numbers] == [make_case(3, number) for number in numbers]
    assert make_case(3, 0) != make_case(4, 0) != make_case(4, 1)


def test_shares() -> None:
    shares = Counter(kind_of(number) for number in range(1000))
    assert shares == {HEADER: 820, LIBRARY: 40, TENSORS: 140}


def test_every_family_and_every_suffix_is_a_seed() -> None:
    assert {sample.case for sample in samples()} == {case.name for case in CASES}
    assert set(SPELLED) == set(SUFFIXES.values())
    assert {role for group in GROUPS for role in group} <= set(SPELLED)


FAULTS = {
    "an error of Python": (KeyError("x"), "KeyError in"),
    "a message of two lines": (errors.FileError("case a\nb."), "no way out"),
    "too much memory": (MemoryError(), "MemoryError in"),
}


@pytest.mark.parametrize(("error", "told"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_the_case_that_repeats_it(
    error: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(path: object) -> None:
        raise error

    monkeypatch.setattr("tests.fuzz.runs.read_header", faulty)
    result = campaign(SEED, 10, 3)
    (fault,) = result.faults.values()
    assert told in fault
    assert "python -m tests.fuzz --seed 1 --case 10" in fault


def test_a_crash_of_the_process_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.runs.read_header", lambda path: os.kill(os.getpid(), 11))
    (fault,) = campaign(SEED, 20, 3).faults.values()
    assert "case 20 of seed 1" in fault
    assert "signal 11" in fault


def test_a_loop_without_end_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(path: object) -> None:
        while True:
            pass

    monkeypatch.setattr(watched, "SECONDS", 0.2)
    monkeypatch.setattr("tests.fuzz.runs.read_header", endless)
    (fault,) = campaign(SEED, 30, 1).faults.values()
    assert "TooSlowError" in fault


def test_waiting_for_ever_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "STALLED", 0.5)
    monkeypatch.setattr("tests.fuzz.runs.read_header", lambda path: time.sleep(1000))
    (fault,) = campaign(SEED, 30, 1).faults.values()
    assert "died or hung" in fault
    assert "signal 9" in fault


def test_what_is_accepted_against_the_library_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader is as strict as safetensors: a hole that were let pass would be noticed."""
    monkeypatch.setattr("lib_lora.files.header._check_offsets", lambda *_: None)
    assert campaign(SEED, 0, 400).faults


def test_the_bounds_hold() -> None:
    with pytest.raises(MemoryError), bounded(memory=64 * 1024**2):
        bytearray(256 * 1024**2)
    with pytest.raises(TooSlowError), bounded(seconds=0.1):
        while True:
            pass
    assert len(bytearray(64 * 1024**2)) == 64 * 1024**2


def test_one_case_alone() -> None:
    with bench() as folder:
        assert run_case(HEADER, folder, make_case(SEED, 0), 0)
