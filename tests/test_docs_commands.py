"""Whatever a page tells to type or to open is there: links, files, commands as a shell reads them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from lib_lora import __main__ as tools
from tests.demo.conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "demo" / "models" / "MODEL.md"]


def commands(page: Path) -> list[list[str]]:
    """The words of all commands that begin with Python, in the text and in blocks, as a shell reads them."""
    outside, *fenced = page.read_text(encoding="utf-8").split("```")
    lines = []
    for place, part in enumerate(fenced):
        if place % 2 == 0:
            lines += part.partition("\n")[2].replace("\\\n", " ").splitlines()
        else:
            outside += part
    lines += re.findall(r"`([^`\n]+(?:\n[^`\n]+)?)`", outside)
    found = []
    for line in lines:
        if re.match(r"(\.venv/bin/)?python -m ", line):
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            found.append(list(lexer))
    return found


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!http)([^)]+)\)", page.read_text(encoding="utf-8")):
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_of_the_project_are_there(page: Path) -> None:
    for name in re.findall(
        r"`((?:tests|lib_lora|demo|docs|scripts|javascript)/[\w./*-]+)`", page.read_text(encoding="utf-8")
    ):
        assert list(ROOT.glob(name)), name


def test_commands_are_found() -> None:
    readme, aiming = commands(ROOT / "README.md"), commands(ROOT / "docs" / "aiming.md")
    assert {words[3] for words in readme if words[2] == "lib_lora"} == {"inspect", "index", "search"}
    assert "--out" in next(words for words in aiming if words[2:4] == ["demo", "generate"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_shell_takes_commands_whole(page: Path) -> None:
    """Half a command draws another picture, without a word."""
    for words in commands(page):
        assert not [word for word in words if set(word) <= set(";|&<>()")], words
        module = words[words.index("-m") + 1].replace(".", "/")
        assert (ROOT / module).is_dir() or (ROOT / f"{module}.py").is_file(), words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_understood(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "demo")
    from demo.app import generate

    for words in commands(page):
        if words[1:3] == ["-m", "lib_lora"]:
            tools._parser().parse_args(words[3:])
        elif words[1:4] == ["-m", "demo", "generate"]:
            rows = generate.parser().parse_args(words[4:]).lora
            assert all(generate.read_lora(row) for row in rows), words
