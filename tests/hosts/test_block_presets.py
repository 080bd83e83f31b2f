"""The user's own presets of blocks, from LoRA Block Weight's folder in the host."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lib_lora.errors import EntryValueError
from lib_lora.hosts import options
from lib_lora.stack.block_files import written_out
from lib_lora.stack.blocks import SD1_BLOCKS, read_blocks


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    paths = SimpleNamespace(extensions_dir=str(tmp_path))
    monkeypatch.setitem(sys.modules, "modules", SimpleNamespace(paths_internal=paths))
    monkeypatch.setitem(sys.modules, "modules.paths_internal", paths)
    found = tmp_path / "sd-webui-lora-block-weight" / "scripts"
    found.mkdir(parents=True)
    return found


def test_without_files_there_are_none(folder: Path) -> None:
    assert (options.block_presets(), options.block_preset_problems()) == ({}, ())


def test_both_files_are_read_with_or_without_a_mark_of_their_encoding(folder: Path) -> None:
    (folder / "lbwpresets.txt").write_text(f"FACE:{','.join('1' * 17)}\n", encoding="utf-8-sig")
    (folder / "elempresets.txt").write_text("HANDS:IN05-OUT05:attn:0.5\n", encoding="utf-8")
    assert set(options.block_presets()) == {"FACE", "HANDS"}
    assert options.block_preset_problems() == ()


def test_a_file_that_cannot_be_read_is_told_of(folder: Path) -> None:
    (folder / "lbwpresets.txt").mkdir()
    (folder / "elempresets.txt").write_bytes(b"PK\x03\x04\0\0HANDS:IN05::1")
    assert options.block_presets() == {}
    other, weights = options.block_preset_problems()
    assert other.startswith("elempresets.txt is not a text file")
    assert weights.startswith("lbwpresets.txt cannot be read: ")


def test_a_broken_line_stops_the_row_that_uses_it(folder: Path) -> None:
    (folder / "lbwpresets.txt").write_text("SHORT:1,1,1\n", encoding="utf-8")
    with pytest.raises(EntryValueError, match="blocks has 3 numbers; this checkpoint takes 17 or 26"):
        read_blocks(written_out("short", options.block_presets()), SD1_BLOCKS)
