"""After an update Reload UI stands on the new files alone; without one it keeps what is loaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIRST = """
from lib_lora.hosts.renewal import renew
print("renewed", renew())
from lib_lora.hosts import webui
from lib_lora.hosts.workshop import Workshop
from lib_lora.stack import names
print(names.TITLE, webui.TITLE)
"""
CHANGE = """
import pathlib
file = pathlib.Path("lib_lora/stack/names.py")
file.write_text(file.read_text().replace('"LoRA Stack"', '"LoRA Stack, new"'))
pathlib.Path("lib_lora/stack/later.py").write_text("ANSWER = 42")
"""
LATER = """
from lib_lora.stack.later import ANSWER
print(ANSWER)
"""


def run(folder: Path, *parts: str) -> list[str]:
    """What a program says that runs in `folder`, line by line."""
    return subprocess.run(
        [sys.executable, "-c", "".join(parts)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


def test_an_update_is_taken_whole_and_nothing_else_is(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "lib_lora", tmp_path / "lib_lora", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "lib_lora" / ".#names.py").symlink_to("somebody@computer.1234")
    assert run(tmp_path, FIRST, FIRST, CHANGE, FIRST, LATER, FIRST) == [
        *("renewed False", "LoRA Stack LoRA Stack"),
        *("renewed False", "LoRA Stack LoRA Stack"),
        *("renewed True", "LoRA Stack, new LoRA Stack, new", "42"),
        *("renewed False", "LoRA Stack, new LoRA Stack, new"),
    ]


def test_the_door_asks_before_it_opens() -> None:
    """Whatever the script imports before it asks would be old."""
    lines = (ROOT / "scripts" / "lora_stack.py").read_text(encoding="utf-8").splitlines()
    ours = [line for line in lines if "lib_lora" in line and "import" in line]
    assert ours[0] == "from lib_lora.hosts.renewal import renew"
    assert lines.index("renew()") < lines.index(ours[1])
