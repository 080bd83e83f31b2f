"""The page on performance names real commands, and its verdicts follow from its figures."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| (.+?) \| ([\d.]+)(?: ms)? \| ([≤≥]) ([\d.]+)(?: ms)? \| (met|not met)", PAGE, re.MULTILINE
)


def test_the_commands_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("bench", "bench-quick"):
        assert f"\n{target}:" in makefile
        assert f"`make {target}`" in PAGE
    assert (ROOT / "tests" / "bench" / "__main__.py").exists()


def test_every_verdict_follows_from_its_figure() -> None:
    assert len(ROWS) >= 9
    for name, measured, sign, goal, verdict in ROWS:
        kept = float(measured) <= float(goal) if sign == "≤" else float(measured) >= float(goal)
        assert (verdict == "met") == kept, name


def test_every_figure_is_one_that_is_measured() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "bench").glob("*.py"))
    for name, *_ in ROWS:
        told = name.split(",")[0]
        assert told in sources or told.split(" / ")[0] in sources, name


def test_the_margins_are_the_engines() -> None:
    from lib_lora.engine.budget import CARD_MARGIN, MARGIN

    assert f"leaves {MARGIN // 1024**2} MB of main memory or {CARD_MARGIN / 1024**3:.1f} GB of the card" in (
        " ".join(PAGE.split())
    )
