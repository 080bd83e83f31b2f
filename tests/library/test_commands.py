"""The library on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from lib_lora.__main__ import main
from tests.files.samples import write
from tests.library.shelves import put


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path / "lora", "styles/neon, bright", 1)
    put(tmp_path / "lora", "zorp", 2)
    write(tmp_path / "lora" / "half.safetensors", b"half")
    return tmp_path / "lora"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    return main([str(argument) for argument in arguments]), capsys.readouterr().out


def test_index_tells_files_seconds_and_what_was_skipped(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = run(capsys, "index", root, "--json")
    table = json.loads(out)
    assert (code, table["files"], table["added"], table["hashed"]) == (0, 3, 3, 0)
    assert table["seconds"] > 0
    assert [Path(row["file"]).name for row in table["skipped"]] == ["half.safetensors"]
    assert table["skipped"][0]["why"]
    assert "half.safetensors" in run(capsys, "index", root)[1]


def test_a_kept_index_knows_what_changed(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "index", root, "--data", tmp_path / "data")
    put(root, "new", 3)
    (root / "zorp.safetensors").unlink()
    table = json.loads(run(capsys, "index", root, "--data", tmp_path / "data", "--json")[1])
    assert (table["files"], table["added"], table["removed"]) == (3, 2, 1), "what was broken counts as new"


def test_search_prints_the_hits(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "search", "BRIGHT", "neo", "--in", root, "--json")
    table = json.loads(out)
    assert (code, table["total"], table["hits"][0]["label"]) == (0, 1, "styles/neon, bright")
    assert "styles/neon, bright" in run(capsys, "search", "neon", "--in", root)[1]
    assert run(capsys, "search", "nothing", "--in", root)[0] == 1


def test_a_folder_that_is_not_there_is_told(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "index", root / "gone")
    assert code == 2
    assert "does not exist" in out


@pytest.mark.parametrize("command", [("index", "."), ("search", "neon", "--in", ".")])
def test_names_that_a_terminal_cannot_show_or_would_obey_are_told(
    root: Path, command: tuple[str, ...]
) -> None:
    """As on Windows, where what goes into a file or a pipe may have 256 signs."""
    write(root / "neon 光🙂.safetensors", b"half")
    write(root / "neon\x1b[2J.safetensors", b"half")
    with suppress(OSError):  # some file systems take no such name
        write(Path(os.fsdecode(os.fsencode(root) + b"/neon\xff.safetensors")), b"half")
    ended = subprocess.run(
        [sys.executable, "-m", "lib_lora", *command],
        capture_output=True,
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            "PYTHONIOENCODING": "cp1252",
        },
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"neon ??" in ended.stdout
    assert b"\x1b" not in ended.stdout


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
@pytest.mark.parametrize(
    "command", [("inspect", "zorp.safetensors"), ("index", "."), ("search", "neon", "--in", "."), ("--help",)]
)
def test_a_reader_that_has_had_enough_ends_the_command_without_a_word(
    root: Path, command: tuple[str, ...], form: tuple[str, ...]
) -> None:
    """As `| head` does; every command ends so, and its help."""
    reads, writes = os.pipe()
    os.close(reads)
    arguments = [sys.executable, "-m", "lib_lora", *command, *form]
    package = str(Path(__file__).resolve().parents[2])
    try:
        ended = subprocess.run(
            arguments,
            stdout=writes,
            stderr=subprocess.PIPE,
            cwd=root,
            env={**os.environ, "PYTHONPATH": package},
            timeout=120,
            check=False,
        )
    finally:
        os.close(writes)
    # Where output is not buffered, argparse itself passes over it.
    assert ended.returncode in ((141, 0) if command == ("--help",) else (141,))
    assert ended.stderr.decode() == ""
