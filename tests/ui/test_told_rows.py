"""Rows as people spoil them, and what is said of each; javascript translates it (fixtures/told_rows.json)."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lib_lora.errors import StackError
from lib_lora.stack.reading import read_text
from lib_lora.ui.checks import check_stack

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "told_rows.json"
BOX = "box:0,0,0.5,1"
ROWS: tuple[dict[str, Any], ...] = (
    *({"region": text} for text in ("not:1", "not:2", "not:3", "not:x", "mask:hat", "circle", "inpaint:3")),
    *(
        {"region": text}
        for text in ("box:1,2", "box:0,0,2,1", "box:0,0,512,512", "box:0,0,0,1", "box:nan,0,1,1")
    ),
    *({"region": BOX, "feather": number} for number in (9, -1)),
    {"region": "not:2", "feather": 0.1},
    *({"start": text} for text in ("abc", "-1", "2.5", "150%", "sigma:x")),
    *({"stop": text} for text in ("abc", "-1")),
    {"start": "0.8", "stop": "0.2"},
    *({"schedule": text} for text in ("abc", "1@-1", "9999@0", "0.5,1@0.5", ",".join(["1@0"] * 220))),
    *({"te_schedule": text} for text in ("abc", "1@5,0@2")),
    *({"blocks": text} for text in ("abc", "1,2", "x:y", "OUTD;IN99:attn:0", ",".join(["999"] * 17))),
    {"blocks": ",".join(["x"] * 17)},
    *({"passes": text} for text in ("foo", "base,base", "base:x", "base:1000")),
    {"side": "left"},
    *({"weight": value} for value in ("a", 1e9)),
    *({"te": "x"}, {"on": "yes"}, {"role": 5}, {"network": ""}),
)


PASTED = ("", '{"nodes":[]}', "[" * 5000, '"abc', "<lora:a:b>", "<lora:=:>", '{"a":', "hello")


class AnyFile:
    """A library in which every name is a good file for SD1."""

    def find(self, network: str, hash: str = "") -> Any:
        return SimpleNamespace(problem="")

    def summary(self, file: Any) -> dict[str, object]:
        return {"architecture": "sd1"}


def said() -> list[str]:
    found = []
    for row in ROWS:
        text = json.dumps({"version": 1, "entries": [{"network": "a", **row}, {"network": "b"}]})
        answer = check_stack(text, AnyFile())
        found.append(answer["problem"] or answer["rows"][0]["problem"])
    for text in PASTED:
        with pytest.raises(StackError) as refused:
            read_text(text)
        found.append(str(refused.value))
    return found


def test_what_is_said_of_spoiled_rows_is_what_javascript_translates() -> None:
    told = said()
    assert all(told), "every one of them is wrong"
    assert json.loads(FIXTURE.read_text(encoding="utf-8")) == told
