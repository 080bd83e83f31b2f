"""A first glance tells the same as reading the whole header, and what is wrong is told as there."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from lib_lora.errors import FileError
from lib_lora.files.glance import Glancer
from lib_lora.files.plain import PlainHeaders
from tests.files.bad_headers import BAD
from tests.files.glances import thorough, told
from tests.files.samples import lora, network, raw, write

SHAPES = lora("lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k", 640, 768, 8)


def test_files_of_one_recipe_are_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []
    structure = PlainHeaders.structure

    def counting(plain: PlainHeaders, text: str, payload: int) -> object:
        parsed.append(payload)
        return structure(plain, text, payload)

    monkeypatch.setattr(PlainHeaders, "structure", counting)
    glancer = Glancer()
    for number in range(20):  # the metadata's length changes, and with it the spaces at the end
        content = network(SHAPES, {"ss_output_name": "x" * number, "é": "ü" * number})
        path = write(tmp_path / f"{number}.safetensors", content)
        assert told(glancer, path) == thorough(path)
    assert len(parsed) == 1


def test_spaces_at_the_end_as_writers_put_them(tmp_path: Path) -> None:
    glancer = Glancer()
    for spaces in range(9):
        content = network(SHAPES, {"a": "b"})
        length = struct.unpack("<Q", content[:8])[0]
        header = content[8 : 8 + length] + b" " * spaces
        path = write(tmp_path / f"{spaces}.safetensors", raw(header, content[8 + length :]))
        assert told(glancer, path) == thorough(path)


@pytest.mark.parametrize(("content", "error", "message"), BAD)
def test_what_is_wrong_is_told_as_by_the_whole_header(
    tmp_path: Path, content: bytes, error: type[FileError], message: str
) -> None:
    path = write(tmp_path / "x.safetensors", content)
    assert told(Glancer(), path) == thorough(path)


@pytest.mark.parametrize(
    "change",
    [
        ('"F16"', '"F17"'),
        ('"shape":[8,', '"shape":[08,'),
        ('"shape":[8,', '"shape":[8,,'),
        ('"shape":[8,', '"shape":[9,'),
        ('"data_offsets":[0,', '"data_offsets":[1,'),
        ('.alpha"', '.\\\\u0061lpha"'),
        ('"dtype"', '"dtypo"'),
        ("}}", "},}"),
    ],
    ids=str,
)
def test_a_description_that_differs_in_one_place(tmp_path: Path, change: tuple[str, str]) -> None:
    """After a good file of the same recipe was seen."""
    content = network(SHAPES, {"a": "b"})
    glancer = Glancer()
    assert told(glancer, write(tmp_path / "good.safetensors", content)) == thorough(
        tmp_path / "good.safetensors"
    )
    length = struct.unpack("<Q", content[:8])[0]
    header = content[8 : 8 + length].replace(change[0].encode(), change[1].encode(), 1)
    assert header != content[8 : 8 + length]
    path = write(tmp_path / "bad.safetensors", raw(header, content[8 + length :]))
    assert told(glancer, path) == thorough(path)


def test_a_cut_off_file_of_a_known_recipe(tmp_path: Path) -> None:
    content, glancer = network(SHAPES, {"a": "b"}), Glancer()
    glancer.read(str(write(tmp_path / "good.safetensors", content)))
    path = write(tmp_path / "bad.safetensors", content[:-1])
    assert "cut off" in str(told(glancer, path))


def test_large_metadata_and_a_large_header(tmp_path: Path) -> None:
    glancer = Glancer()
    for size in (60_000, 70_000, 300_000, 5_000_000):
        path = write(tmp_path / f"{size}.safetensors", network(SHAPES, {"a": "ü" * (size // 2)}))
        assert told(glancer, path) == thorough(path)


def test_metadata_behind_the_tensors(tmp_path: Path) -> None:
    header = (
        b'{"a.lora_down.weight":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"__metadata__":{"a":"b"}}'
    )
    path = write(tmp_path / "x.safetensors", raw(header, b"\0\0"))
    assert told(Glancer(), path) == thorough(path)


def test_a_fingerprint_tells_trainings_apart_and_outlives_a_move(tmp_path: Path) -> None:
    prints = {}
    for name, session in (("a", "1"), ("b", "2")):
        path = write(tmp_path / f"{name}.safetensors", network(SHAPES, {"ss_session_id": session}))
        prints[name] = Glancer().read(str(path)).fingerprint
    assert prints["a"] != prints["b"]
    moved = (tmp_path / "a.safetensors").rename(tmp_path / "c.safetensors")
    assert Glancer().read(str(moved)).fingerprint == prints["a"]


def test_json_of_another_writer(tmp_path: Path) -> None:
    """Spaces after colons, as Python writes: valid, and read thoroughly."""
    content = network(SHAPES, {"a": "b"})
    length = struct.unpack("<Q", content[:8])[0]
    spaced = json.dumps(json.loads(content[8 : 8 + length])).encode()
    path = write(tmp_path / "x.safetensors", raw(spaced, content[8 + length :]))
    assert told(Glancer(), path) == thorough(path)
