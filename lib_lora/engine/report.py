"""What was applied, what was not, and why: values for the page, the API and the line under the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

ACTS = "acts in "
"""How a note begins that says where or when a row acts: these are told in the one line too."""


@dataclass(frozen=True)
class EntryReport:
    """One active row. `unmatched` quotes a few of the weights that found no place in the checkpoint.

    share: the part of the picture it acts in, for a row with a region.
    """

    row: int
    network: str
    te: float
    unet: float
    matched: int
    total: int
    applied: bool
    unmatched: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    share: float | None = None


@dataclass(frozen=True)
class Report:
    """State of a session.

    Layers are counted once however many rows change them. *_layers are those of the plan, *_calls how often
    ours ran since attaching, merged and bypassed how each is applied. `seconds` is the time merging took for
    this plan so far, `reused` tells that nothing had to be merged for it; `bytes` is the memory we hold.
    """

    entries: tuple[EntryReport, ...] = ()
    unet_layers: int = 0
    te_layers: int = 0
    unet_calls: int = 0
    te_calls: int = 0
    merged: int = 0
    bypassed: int = 0
    seconds: float = 0.0
    bytes: int = 0
    reused: bool = False
    notes: tuple[str, ...] = ()

    @property
    def mode(self) -> str:
        """`merged`, `bypass`, `mixed`, or `none` as long as nothing was prepared."""
        if self.merged and self.bypassed:
            return "mixed"
        return "merged" if self.merged else "bypass" if self.bypassed else "none"

    def to_json(self) -> dict[str, Any]:
        """Return plain values for the API and the page."""
        return {**asdict(self), "mode": self.mode}

    def one_line(self) -> str:
        """Return the line under the rows, for people who make pictures."""
        if not self.entries:
            return " · ".join(("No LoRA applied", *self.notes))
        applied = sum(entry.applied for entry in self.entries)
        matched = sum(entry.matched for entry in self.entries)
        total = sum(entry.total for entry in self.entries)
        parts = [f"{applied} of {len(self.entries)} applied", f"{matched}/{total} weights"]
        if self.merged:
            parts.append("merged before" if self.reused else f"merged in {_time(self.seconds)}")
        if self.bypassed:
            parts.append(f"{self.bypassed} changed while sampling")
        elif self.merged:
            parts.append("fits in memory")
        return " · ".join((*parts, *self._remarks()))

    def _remarks(self) -> tuple[str, ...]:
        resting = [entry for entry in self.entries if not entry.applied]
        zero = [f"row {entry.row} has weight 0" for entry in resting if entry.te == entry.unet == 0]
        partial = [
            f"row {entry.row}: {entry.total - entry.matched} weights found no place"
            for entry in self.entries
            if entry.matched < entry.total
        ]
        aimed = [
            f"row {entry.row} {ACTS}{', in '.join(acts)}"
            for entry in self.entries
            if (acts := [note.removeprefix(ACTS) for note in entry.notes if note.startswith(ACTS)])
        ]
        return (*zero, *partial, *aimed, *self.notes)


def combined(passes: Sequence[tuple[str, Report]]) -> Report:
    """Return one report of a picture's passes, each with its name; what sampled counts, if anything did.

    A row is told as it was in the first pass that it acted in, with its other weights as notes.
    """
    told: dict[str, Report] = {}
    for name, report in [item for item in passes if item[1].unet_calls] or passes[-1:]:
        calls = told[name].unet_calls if name in told else 0
        told[name] = replace(report, unet_calls=report.unet_calls + calls)
    if not told:
        return Report()
    first, *others = told.items()
    # The tags of another prompt stand in rows of the same numbers.
    entries = {(entry.row, entry.network): entry for entry in first[1].entries}
    for name, report in others:
        for entry in report.entries:
            key = entry.row, entry.network
            known = entries.setdefault(key, entry)
            if (known.te, known.unet) != (entry.te, entry.unet):
                note = f"{name} pass: weight {entry.unet:g}, text encoder {entry.te:g}"
                entries[key] = replace(known, notes=(*known.notes, note))
    reports = list(told.values())
    return Report(
        entries=tuple(sorted(entries.values(), key=lambda entry: entry.row)),
        unet_layers=max(report.unet_layers for report in reports),
        te_layers=max(report.te_layers for report in reports),
        unet_calls=sum(report.unet_calls for report in reports),
        te_calls=sum(report.te_calls for report in reports),
        merged=max(report.merged for report in reports),
        bypassed=max(report.bypassed for report in reports),
        seconds=sum(report.seconds for report in reports),
        bytes=max(report.bytes for report in reports),
        reused=all(report.reused for report in reports),
        notes=tuple(dict.fromkeys(note for report in reports for note in report.notes)),
    )


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def told_share(share: float) -> str:
    """Return a part of the picture in per cent; a little is never told as nothing, nor nearly all as all."""
    percent = min(max(round(share * 100), 1 if share > 0 else 0), 100 if share == 1 else 99)
    return f"{percent} %"
