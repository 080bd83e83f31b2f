"""The last report of each tab."""

from __future__ import annotations

import time

import pytest

from lib_lora.hosts.reports import Reports


def test_nothing_before_the_first_run() -> None:
    assert Reports().last("txt2img") is None


def test_the_newest_of_each_tab_with_a_rising_number() -> None:
    reports = Reports()
    reports.put("txt2img", {"line": "first"})
    reports.put("img2img", {"line": "other"})
    reports.put("txt2img", {"line": "second"})
    newest, other = reports.last("txt2img"), reports.last("img2img")
    assert newest is not None and other is not None
    assert newest["line"] == "second"
    assert newest["serial"] > other["serial"]


def test_it_tells_how_old_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    reports, now = Reports(), time.monotonic()
    reports.put("txt2img", {"line": "first"})
    monkeypatch.setattr(time, "monotonic", lambda: now + 7.5)
    newest = reports.last("txt2img")
    assert newest is not None and newest["age"] == pytest.approx(7.5, abs=0.1)
