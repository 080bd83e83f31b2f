"""The bench keeps what it has measured, goes on where it was interrupted, and leaves out no goal."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench.jobs import Job, full_jobs, quick_jobs
from tests.bench.race import Row, Times, noise_of

PLAIN = Row("one", "case", 0.4, 0.3, floor=0.39)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "build" / "bench.json"
    monkeypatch.setattr(bench, "OUTPUT", path)
    return path


def run(monkeypatch: pytest.MonkeyPatch, jobs: list[Job], *asked: str) -> None:
    monkeypatch.setattr(bench, "full_jobs", lambda: jobs)
    monkeypatch.setattr(sys, "argv", ["bench", *asked])
    bench.main()


def test_what_was_interrupted_goes_on(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def fail() -> list[Row]:
        raise KeyboardInterrupt

    def work(name: str) -> list[Row]:
        done.append(name)
        return [PLAIN]

    first, second = Job("a", "first", lambda: work("first")), Job("a", "second", lambda: work("second"))
    with pytest.raises(KeyboardInterrupt):
        run(monkeypatch, [first, Job("a", "second", fail)])
    assert list(json.loads(written.read_text(encoding="utf-8"))["pieces"]) == ["a: first"]
    run(monkeypatch, [first, second], "resume")
    assert done == ["first", "second"]
    pieces = json.loads(written.read_text(encoding="utf-8"))["pieces"]
    rows = [row for piece in pieces.values() for row in piece["rows"]]
    assert [(row["value"], row["goal"], row["floor"], row["met"]) for row in rows] == [
        (0.4, 0.3, 0.39, False)
    ] * 2
    run(monkeypatch, [first, second])
    assert done == ["first", "second"] * 2


def test_what_does_not_fit_into_memory_is_left_out_and_told(
    written: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, [Job("a", "large", lambda: [PLAIN], memory=1 << 60)])
    assert "left out: a, large" in capsys.readouterr().out
    assert json.loads(written.read_text(encoding="utf-8"))["pieces"]["a: large"]["rows"] == []


def test_a_line_tells_goal_floor_and_noise() -> None:
    assert PLAIN.line().split()[-5:] == ["0.3×", "NOT", "MET", "floor", "0.39×"]
    assert "1.01" in Row("step", "", 1.01, 1.0, noise=0.02).line()
    assert Row("step", "", 1.01, 1.0, noise=0.02).met
    assert not Row("step", "", 1.03, 1.0, noise=0.02).met


def test_noise_is_that_of_the_middle() -> None:
    assert noise_of([1.0, 1.0, 1.0, 9.0, 1.0]) == 0
    assert 0.01 < noise_of([0.98, 1.0, 1.02, 0.99, 1.01, 0.97, 1.03]) < 0.05
    times = Times({"ours": [1.0, 2.0, 4.0], "own": [1.0, 2.0, 2.0]})
    assert times.ratio("ours", "own") == 1.0
    assert times.noise("ours", "own") == 0


def test_the_full_bench_has_every_part_of_the_quick_one() -> None:
    full = {(job.part, job.name) for job in full_jobs()}
    assert {job.part for job in quick_jobs()} == {part for part, _ in full}
    assert len(full) == len(full_jobs())
    assert {(job.part, job.name) for job in quick_jobs() if job.part != "merging"} <= full
