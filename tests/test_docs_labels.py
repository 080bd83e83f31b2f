"""What the pages print in italics or bold as a name of something to see is written so in the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WHERE = ("javascript/strings*.js", "demo/modules/*.py", "lib_lora/hosts/*.py", "lib_lora/ui/*.py")
NOT_OURS = {
    "Additional Networks",  # another extension
    "Apply and restart UI",  # the WebUI's
    "Install from URL",
}
SENTENCES = {
    "Drop a picture or a file on the panel",
    "0 of 2 trigger words",
    "2 of 2 applied · 408/408 weights · merged in 12 ms · fits in memory",
}


@pytest.fixture(scope="module")
def written() -> str:
    """Everything that the page can show, in small letters."""
    files = [path for pattern in WHERE for path in sorted(ROOT.glob(pattern))]
    return "\n".join(path.read_text(encoding="utf-8") for path in files).lower()


@pytest.mark.parametrize("page", ["README.md", "docs/panel.md", "docs/library.md", "docs/recipes.md"])
def test_names_are_those_of_the_page(page: str, written: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"^\*\s", "", text, flags=re.MULTILINE)  # a list's own stars
    stars = r"\*{1,2}" if page == "docs/panel.md" else r"\*"
    names = re.findall(rf"(?<![\w*]){stars}([^\s*][^*\n]*?){stars}(?![\w*])", text)
    assert names
    for name in names:
        last = name.rpartition(" → ")[2].removeprefix("[LoRA Stack] ").rstrip(".")
        assert last in NOT_OURS | SENTENCES or last.lower() in written, name
