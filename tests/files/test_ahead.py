"""Headers are asked for before they are read, no more than the headers, and no file stays open."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from pathlib import Path

import pytest

from lib_lora.errors import FileError
from lib_lora.files import ahead
from lib_lora.files.ahead import LARGEST, Ahead
from lib_lora.files.glance import Glancer
from lib_lora.library.reading import announce
from tests.files.bad_headers import BAD
from tests.files.glances import thorough, told
from tests.files.samples import lora, network, write

pytestmark = pytest.mark.skipif(not ahead._POSSIBLE, reason="a system without such hints")
SHAPES = lora("lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k", 640, 768, 8)
LONG = network(SHAPES, {"notes": "x" * 50_000})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """What the system was asked to bring, by file name, from where and how much; nothing is in memory."""
    hints: list[tuple[str, int, int]] = []

    def advise(file: int, begin: int, length: int, what: int) -> None:
        if what == os.POSIX_FADV_WILLNEED:
            hints.append((Path(f"/proc/self/fd/{file}").readlink().name, begin, begin + length))

    monkeypatch.setattr(os, "posix_fadvise", advise)
    monkeypatch.setattr(ahead, "_is_in_memory", lambda file: False)
    return hints


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(sys.platform != "linux", reason="what is open is asked of Linux")
def test_the_header_is_asked_for_and_nothing_behind_it(
    tmp_path: Path, asked: list[tuple[str, int, int]]
) -> None:
    write(tmp_path / "long.safetensors", LONG)
    write(tmp_path / "short.safetensors", network(SHAPES, {"a": "b"}))
    write(tmp_path / "forged.safetensors", struct.pack("<Q", LARGEST + 1) + b"{")
    before, files = open_files(), Ahead()
    files.begin(sorted(str(path) for path in tmp_path.iterdir()))
    first = [("forged.safetensors", 0, 4096), ("long.safetensors", 0, 4096), ("short.safetensors", 0, 4096)]
    (length,) = struct.unpack("<Q", LONG[:8])
    assert asked == [*first, ("long.safetensors", 4096, 8 + length)]
    files.begin([str(tmp_path / "long.safetensors")])
    assert len(asked) == 4, "asked for once"
    taken = files.take(str(tmp_path / "long.safetensors"))
    assert os.pread(taken, 8, 0) == LONG[:8]
    os.close(taken)
    files.close()
    assert open_files() == before


def test_texts_beside_are_asked_for_only_where_headers_are(
    tmp_path: Path, asked: list[tuple[str, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "long.safetensors", LONG)
    beside = ["long.json", "long.png", "long.civitai.info", "missing.txt"]
    for name in beside[:3]:
        write(tmp_path / name, b"{}")
    before, files = open_files(), Ahead()
    announce(files, [(str(path), beside)])
    assert [name for name, _, _ in asked[2:]] == ["long.json", "long.civitai.info"]
    monkeypatch.setattr(ahead, "_is_in_memory", lambda file: True)
    files.close()
    announce(files, [(str(path), beside)])
    assert len(asked) == 4
    files.close()
    assert open_files() == before


def test_where_the_first_is_in_memory_nothing_more_is_opened(tmp_path: Path) -> None:
    paths = [str(write(tmp_path / f"{number}.safetensors", LONG)) for number in range(5)]
    files = Ahead()
    files.begin(paths)  # just written
    assert len(files._files) <= 1 or not ahead._is_in_memory(files._files[paths[0]])
    files.close()


def test_what_is_no_file_is_passed_over(tmp_path: Path, asked: list[tuple[str, int, int]]) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    os.mkfifo(tmp_path / "pipe.safetensors")
    (tmp_path / "empty.safetensors").write_bytes(b"")
    files = Ahead()
    names = ("missing", "folder", "pipe", "empty", "with \0 inside")
    files.begin([str(tmp_path / f"{name}.safetensors") for name in names])
    files.close()
    with pytest.raises(OSError):
        files.take(str(tmp_path / "missing.safetensors"))


@pytest.mark.skipif(sys.platform != "linux", reason="what is open is asked of Linux")
@pytest.mark.parametrize("suffix", [".safetensors", ".SAFETENSORS", ".ckpt", ".pt"])
def test_what_was_read_does_not_stay_open(
    tmp_path: Path, asked: list[tuple[str, int, int]], suffix: str
) -> None:
    """A folder of old files, which are listed only to say why they cannot be used, uses up no open files."""
    paths = [str(write(tmp_path / f"{number}{suffix}", LONG)) for number in range(5)]
    before, glancer = open_files(), Glancer()
    glancer.ahead.begin(paths)
    for path in paths:
        with contextlib.suppress(FileError):
            glancer.read(path)
    assert open_files() == before


@pytest.mark.parametrize(("content", "error", "message"), BAD)
def test_what_is_wrong_is_told_as_ever(
    tmp_path: Path,
    asked: list[tuple[str, int, int]],
    content: bytes,
    error: type[FileError],
    message: str,
) -> None:
    path, glancer = write(tmp_path / "x.safetensors", content), Glancer()
    glancer.ahead.begin([str(path)])
    assert told(glancer, path) == thorough(path)
    glancer.ahead.close()
