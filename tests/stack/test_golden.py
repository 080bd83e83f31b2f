"""Python and the page spell a stack alike: both are held to one list of texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_lora.stack.serialization import decode, encode

CASES = json.loads((Path(__file__).parents[1] / "fixtures" / "stacks.json").read_text(encoding="utf-8"))[
    "cases"
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_canonical_text(case: dict[str, str]) -> None:
    assert encode(decode(case["text"])) == case["canonical"]
    assert encode(decode(case["canonical"])) == case["canonical"]
