"""The English sentences that the page knows in other languages are those that the server says."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLES = [ROOT / "javascript" / f"strings_{name}_en.js" for name in ("server", "problems")]


def sentences() -> dict[str, str]:
    text = "\n".join(table.read_text(encoding="utf-8") for table in TABLES)
    lines = re.findall(r'^ +"(told\.\w+)": (".*"),$', text, re.MULTILINE)
    return {key: json.loads(text) for key, text in lines}


def test_every_sentence_is_said_somewhere() -> None:
    known = sentences()
    assert len(known) > 50
    said = "\0".join(
        node.value
        for path in (ROOT / "lib_lora").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ).casefold()
    unsaid = {
        key: piece
        for key, text in known.items()
        for piece in re.split(r"\{\w+\}", text.removesuffix(":"))
        if piece.strip(" .,:;()'").casefold() not in said
    }
    assert unsaid == {}
