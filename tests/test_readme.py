"""The README states facts; this holds them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lib_lora.adapters import FAMILIES
from lib_lora.stack.advice import ROLES
from lib_lora.stack.entry import FIELDS
from lib_lora.stack.serialization import decode
from tests.integration.server import Server

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def table_rows(first_header: str) -> list[list[str]]:
    """Cells of the table whose first header is given."""
    lines = README.split(f"| {first_header} |", 1)[1].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_linked_files_are_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_make_targets_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake (\w+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_recipes_are_the_advice_of_the_panel() -> None:
    rows = table_rows("kind")
    assert [row[0] for row in rows] == [role.name for role in ROLES]
    for row, role in zip(rows, ROLES, strict=True):
        expected = "1 and above" if role.name == "object" else f"{role.low:g}–{role.high:g}"
        assert row[2] == expected


def test_fields_are_those_of_a_row() -> None:
    documented = {name for row in table_rows("field") for name in re.findall(r"`(\w+)`", row[0])}
    assert documented == {field.name for field in FIELDS}


def test_kinds_of_files_are_registered() -> None:
    row = next(line for line in README.splitlines() if line.startswith("| kinds of files |"))
    for family in FAMILIES:
        assert family.name.split()[0] in row, family.name


def test_json_is_json() -> None:
    for text in blocks("json"):
        json.loads(text)


def curl_body() -> dict[str, object]:
    (command,) = blocks("bash")
    return json.loads(command.split("-d '", 1)[1].rsplit("'", 1)[0])


def test_the_stack_of_the_curl_example_can_be_read() -> None:
    enabled, stack = curl_body()["alwayson_scripts"]["LoRA Stack"]["args"]  # type: ignore[index,call-overload]
    assert enabled is True
    assert len(decode(stack).entries) == 2


@pytest.mark.demo
def test_the_curl_example_draws(server: Server) -> None:
    answer = server.call("/sdapi/v1/txt2img", {**curl_body(), "steps": 2})
    assert answer.status == 200, answer.body
    assert "LoRA Stack" in answer.info["infotexts"][0]


@pytest.mark.demo
def test_the_python_example_draws(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (program,) = blocks("python")
    assert "http://127.0.0.1:7860" in program
    monkeypatch.chdir(tmp_path)
    exec(compile(program.replace("http://127.0.0.1:7860", server.url), "README.md", "exec"), {})
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.demo
def test_the_error_is_the_one_shown(server: Server) -> None:
    shown = json.loads(blocks("json")[-1])
    stack = {"entries": [{"network": "clothing/mecha_sut"}]}
    answer = server.draw(stack)
    assert answer.status == 422
    assert {key: answer.body[key] for key in shown} == shown
