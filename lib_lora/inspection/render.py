"""The table of one file as lines a person reads; every text from the file is one harmless line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lib_lora.files.text import clean
from lib_lora.inspection.inspect import Table

SAMPLE = 10
"""Names shown of a long list."""
LINE = 200


def render(table: Table) -> str:
    """Return a paragraph for one file, without a line break at the end."""
    if "error" in table:
        return (
            f"{_one(table['file'])}\n  cannot be used: {table['error']['message']} ({table['error']['name']})"
        )
    rows = [*_identity(table), *_training(table), *_hashes(table["hashes"])]
    if "fit" in table:
        rows += _fit(table["fit"])
    if "values" in table:
        rows += _values(table["values"])
    width = max(len(label) for label, _ in rows)
    lines = [f"  {label:<{width}}  {text}" for label, text in rows if text]
    return "\n".join((_one(table["file"]), *lines))


def _identity(table: Table) -> Iterable[tuple[str, str]]:
    yield "problem", table["problem"] or table["refused"]
    yield "title", table["title"]
    yield "family", " + ".join(table["families"])
    yield "made for", table["made_for"] or "unknown"
    yield "note", table["note"]
    yield from (("note", remark) for remark in table["remarks"])
    yield "changes", ", ".join(table["parts"])
    yield "rank", _numbers(table["ranks"])
    yield "alpha", _numbers(table["alphas"])
    if table["odd_alphas"]:
        yield "warning", f"{table['odd_alphas']} alphas are not finite numbers"
    stored = ", ".join(f"{count} × {dtype}" for dtype, count in table["dtypes"].items())
    yield "stored as", f"{stored}, {table['size']:,} bytes"


def _training(table: Table) -> Iterable[tuple[str, str]]:
    yield "trigger words", ", ".join(table["trigger_words"])
    yield "tags", ", ".join(f"{tag} ({count})" for tag, count in list(table["tags"].items())[:SAMPLE])
    yield from ((label.lower(), text) for label, text in table["trained"].items())
    yield "description", _one(table["description"])


def _hashes(hashes: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    yield "AutoV3", hashes["autov3"]
    yield "AutoV2", hashes["autov2"]
    yield "AutoV1", hashes["legacy"] or "none, the file is too small"
    yield "declared AutoV1", hashes["declared_legacy"]
    yield "sha256", hashes["sha256"]
    if not hashes["declared_is_right"]:
        yield "warning", f"its metadata declares another hash, {hashes['declared'][:12]}"


def _fit(fit: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    parts = ", ".join(
        f"{count['matched']} of {count['of']} in {part}" for part, count in fit["parts"].items()
    )
    verdict = "fits" if fit["fits"] else "does not fit"
    counted = f"{fit['matched']} of {fit['total']} weights ({parts})"
    yield fit["label"], " ".join(text for text in (f"{verdict}, {counted}.", fit["reason"]) if text)
    yield from (("another size", misfit) for misfit in fit["misfits"][:SAMPLE])
    if len(fit["misfits"]) > SAMPLE:
        yield "another size", f"and {len(fit['misfits']) - SAMPLE} more"
    if fit["unmatched"] or fit["absent"]:
        yield "no such weight", _names([*fit["unmatched"], *fit["absent"]])
    if fit["duplicates"]:
        yield "named twice", _names([" and ".join(pair) for pair in fit["duplicates"]])


def _values(values: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    yield "not finite", _names(values["not_finite"]) or "none"
    yield "all zero", _names(values["all_zero"]) or "none"
    if values["faults"]:
        yield "faults", _names(values["faults"])
    for block, norm in values["norms"].items():
        yield f"norm {block}", "depends on the checkpoint" if norm is None else f"{norm:.4g}"


def _numbers(numbers: list[float]) -> str:
    """All of a few numbers, the ends of many."""
    shown = [f"{number:g}" for number in numbers]
    return ", ".join(shown) if len(shown) <= SAMPLE else f"{shown[0]}–{shown[-1]}, {len(shown)} different"


def _names(names: list[str]) -> str:
    more = f" and {len(names) - SAMPLE} more" if len(names) > SAMPLE else ""
    return ", ".join(_one(name) for name in names[:SAMPLE]) + more


def _one(text: str) -> str:
    return clean(text, LINE)
