"""What people read under the rows."""

from __future__ import annotations

import json
from dataclasses import replace

from lib_lora.engine.report import EntryReport, Report, combined


def entry(row: int = 1, matched: int = 264, te: float = 1.0, unet: float = 1.0) -> EntryReport:
    return EntryReport(row, "ghibli", te, unet, matched, 264, applied=bool(te or unet))


def test_all_well() -> None:
    report = Report(entries=(entry(1), entry(2)), merged=264, seconds=0.0381)
    assert report.one_line() == "2 of 2 applied · 528/528 weights · merged in 38 ms · fits in memory"
    assert report.mode == "merged"


def test_long_merges_and_those_kept_from_before() -> None:
    assert "merged in 1.3 s" in Report(entries=(entry(),), merged=1, seconds=1.26).one_line()
    assert "merged before" in Report(entries=(entry(),), merged=1, seconds=1.26, reused=True).one_line()


def test_what_is_missing_is_told() -> None:
    report = Report(entries=(entry(1, matched=200), entry(2, te=0, unet=0)), merged=200, notes=("one note",))
    line = report.one_line()
    assert line.startswith("1 of 2 applied · 464/528 weights")
    assert line.endswith("row 2 has weight 0 · row 1: 64 weights found no place · one note")


def test_bypass_is_told_and_does_not_claim_to_fit() -> None:
    line = Report(entries=(entry(),), bypassed=264).one_line()
    assert "264 changed while sampling" in line
    assert "fits" not in line
    assert Report(entries=(entry(),), merged=3, bypassed=2).mode == "mixed"


def test_nothing() -> None:
    assert Report().one_line() == "No LoRA applied"
    assert Report().mode == "none"


def test_plain_values_for_the_api() -> None:
    sent = json.loads(json.dumps(Report(entries=(entry(),), merged=264).to_json()))
    assert sent["mode"] == "merged"
    assert sent["entries"][0]["network"] == "ghibli"


def pass_report(*entries: EntryReport, calls: int = 4, **more: object) -> Report:
    return Report(entries, unet_layers=2, unet_calls=calls, **more)  # type: ignore[arg-type]


def told_row(number: int, unet: float = 1.0) -> EntryReport:
    return EntryReport(number, "n", unet, unet, 3, 3, True)


def test_a_picture_of_several_passes_has_one_report() -> None:
    base = pass_report(told_row(1), told_row(2), merged=3, seconds=0.5, notes=("a",))
    hires = pass_report(told_row(1, 0.5), told_row(3), merged=2, bypassed=1, seconds=0.25, notes=("a", "b"))
    found = combined([("base", base), ("hires", hires), ("base", replace(base, unet_calls=0))])
    assert [entry.row for entry in found.entries] == [1, 2, 3]
    assert found.entries[0].unet == 1
    assert found.entries[0].notes == ("hires pass: weight 0.5, text encoder 0.5",)
    assert (found.unet_calls, found.merged, found.bypassed, found.seconds) == (8, 3, 1, 0.75)
    assert found.notes == ("a", "b")


def test_where_nothing_sampled_the_last_pass_is_told() -> None:
    silent = pass_report(told_row(1), calls=0)
    assert combined([("base", silent)]) == silent
    assert combined([]) == Report()
