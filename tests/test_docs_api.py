"""The examples of docs/api.md draw pictures."""

from __future__ import annotations

import inspect
import itertools
import json
import re
import shlex
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from lib_lora.hosts.options import TAKEOVER_LABEL
from lib_lora.hosts.xyz import AXES
from lib_lora.ui.library_routes import PAGE_LIMIT, question
from tests.integration.server import Server

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:7860"
COMMANDS = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
CURL = [command for command in COMMANDS if "/sdapi/" in command]
QUESTIONS = [command for command in COMMANDS if "/lora-stack/" in command]
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def body_of(command: str) -> dict[str, Any]:
    assert command.startswith(f"curl -s {ADDRESS}/sdapi/v1/txt2img ")
    return json.loads(command.split("-d '", 1)[1].rsplit("'", 1)[0])


def test_every_axis_is_in_the_table() -> None:
    table = " ".join(line for line in TEXT.splitlines() if line.startswith("| "))
    for label, _, target in AXES:
        assert ("Network of row" if target else label) in table, label


def test_the_setting_is_named_as_it_is_shown() -> None:
    assert TAKEOVER_LABEL in " ".join(TEXT.split())


@pytest.mark.demo
@pytest.mark.parametrize("command", CURL, ids=range(len(CURL)))
def test_requests_draw_with_the_stack(server: Server, command: str) -> None:
    answer = server.call("/sdapi/v1/txt2img", {**body_of(command), "steps": 1})
    assert answer.status == 200, answer.body
    assert "mecha_suit" in json.dumps(answer.info["extra_generation_params"]["LoRA Stack report"])


def test_every_filter_is_in_the_table() -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith("| `GET networks`"))
    assert set(re.findall(r"`(\w+)`", row)) == {*inspect.signature(question).parameters, "offset", "limit"}
    assert f"({PAGE_LIMIT} at most)" in row


@pytest.mark.demo
def test_questions_are_answered(server: Server) -> None:
    answers = []
    for command in QUESTIONS:
        words = shlex.split(command)
        (url,) = (word for word in words if word.startswith(ADDRESS))
        pairs = list(itertools.pairwise(words))
        headers = dict(word.split(": ") for option, word in pairs if option == "-H")
        (data,) = [word.encode() for option, word in pairs if option == "-d"] or [None]
        request = urllib.request.Request(url.replace(ADDRESS, server.url), data, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            answers.append(json.load(answer))
    found, checked = answers
    told = re.search(r"Each of the `items` tells(.*?)\n\n", TEXT, re.DOTALL)
    assert told is not None
    assert set(re.findall(r"`(\w+)`", told[1])) - {"network"} <= set(found["items"][0])
    assert found["items"][0]["label"] == "style/neon"
    assert "Nearest: 'style/neon'" in checked["rows"][0]["problem"]


@pytest.mark.demo
@pytest.mark.parametrize("program", PYTHON, ids=range(len(PYTHON)))
def test_programs_run(server: Server, program: str) -> None:
    program = program.replace(ADDRESS, server.url).replace('"seed": 5,', '"seed": 5, "steps": 1,')
    names: dict[str, Any] = {}
    exec(compile(program, "docs/api.md", "exec"), names)
    if "report" in names:
        assert names["report"]["entries"][0]["applied"] is True
    else:
        assert names["grid"]
