"""Headers as the library writes them, read without parsing: the same answers, no way around a check."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_lora.errors import FileTooLargeError, HeaderVolumeError
from lib_lora.files import glance, plain
from lib_lora.files.disk import FILE_LIMIT
from lib_lora.files.glance import Glance, Glancer
from lib_lora.files.header import BITS
from tests.files.glances import thorough, told
from tests.files.samples import lora, network, raw, write

MODULES = (
    "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k",
    "lora_unet_up_blocks_3_attentions_2_transformer_blocks_0_attn2_to_v",
    "lora_te_text_model_encoder_layers_0_mlp_fc1",
)
Tensors = dict[str, tuple[str, tuple[int, ...]]]


def shapes(rank: int) -> dict[str, tuple[int, ...]]:
    return {
        name: shape for module in MODULES for name, shape in lora(module, 320, 768 + rank % 2, rank).items()
    }


class Unused(Glancer):
    """A glancer that fails where the whole header would have to be parsed."""

    def _thorough(self, path: Path) -> Glance:
        raise AssertionError(f"{path.name} was parsed")


def test_files_that_differ_in_ranks_types_and_metadata_are_not_parsed(tmp_path: Path) -> None:
    glancer, seen = Unused(), set()
    for rank in range(1, 20):
        for metadata in (None, {}, {"a": "é"}):
            path = write(tmp_path / f"{rank}.safetensors", network(shapes(rank), metadata, "F32"))
            assert told(glancer, path) == thorough(path)
            seen.add(glancer.read(str(path)).structure)
    assert len(seen) == 19


def test_names_are_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []

    class Counting(plain.Names):
        def __init__(self, names: list[str]) -> None:
            looked.append(len(names))
            super().__init__(names)

    monkeypatch.setattr(plain, "Names", Counting)
    glancer = Glancer()
    for rank in range(1, 20):
        glancer.read(str(write(tmp_path / "x.safetensors", network(shapes(rank)))))
    assert looked == [9]


def test_tensors_in_no_order_as_old_writers_put_them(tmp_path: Path) -> None:
    glancer, draw = Unused(), random.Random(3)
    content = network(shapes(4), {"a": "b"})
    length = struct.unpack("<Q", content[:8])[0]
    document = json.loads(content[8 : 8 + length])
    entries = [entry for entry in document.items() if entry[0] != "__metadata__"]
    entries.append(("nothing", {"dtype": "F16", "shape": [0, 4], "data_offsets": [0, 0]}))
    for _ in range(20):
        draw.shuffle(entries)
        header = json.dumps({"__metadata__": {"a": "b"}, **dict(entries)}, separators=(",", ":")).encode()
        path = write(tmp_path / "x.safetensors", raw(header, content[8 + length :]))
        assert told(glancer, path) == thorough(path)
        assert isinstance(thorough(path)[0], dict)  # type: ignore[index]
        for before, after in ((b"[0,0]", b"[00,0]"), (b"[0,0]", b"[2,2]"), (b"[0,0]", b"[0,\xd9\xa0]")):
            bad = write(
                tmp_path / "bad.safetensors", raw(header.replace(before, after), content[8 + length :])
            )
            assert told(Glancer(), bad) == thorough(bad)


@pytest.mark.parametrize("seed", range(12))
def test_a_header_changed_anywhere_tells_what_the_whole_header_tells(tmp_path: Path, seed: int) -> None:
    """One glancer that knows the good file, a new one for every change, and one that saw all changes."""
    draw = random.Random(seed)
    content = network(shapes(4), {"a": "b"} if seed % 3 else None)
    length = struct.unpack("<Q", content[:8])[0]
    header, payload = content[8 : 8 + length], content[8 + length :]
    good = write(tmp_path / "good.safetensors", content)
    old = Glancer()
    pieces = [
        *(
            b"[",
            b"]",
            b"{",
            b"}",
            b",",
            b'"',
            b":",
            b"0",
            b"1",
            b" ",
            b"\\",
            b"\\u0061",
            b"\xff",
            b"\0",
            b"-",
        ),
        *(b"1e0", b"true", b"F16", b"F4", b"I9", b"[]", b',"a":1', b'"__metadata__":{},', b"\xc3\xa9", b"[["),
        *(b'"lora_unet_x.alpha":{"dtype":"F16","shape":[],"data_offsets":[0,2]},', b"18446744073709551616"),
    ]
    for _ in range(60):
        changed = bytearray(header)
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            place, piece = draw.randrange(len(changed)), draw.choice(pieces)
            kind = draw.randrange(4)
            if kind == 0:
                changed[place : place + len(piece)] = piece
            elif kind == 1:
                changed[place:place] = piece
            elif kind == 2:
                del changed[place : place + draw.choice((1, 1, 2, 9))]
            else:
                other = draw.randrange(len(changed))
                changed[place], changed[other] = changed[other], changed[place]
        rest = draw.choice((payload, payload, payload[:-1], payload + b"\0"))
        path = write(tmp_path / "changed.safetensors", raw(bytes(changed), rest))
        known = Glancer()
        known.read(str(good))
        expected = thorough(path)
        assert told(known, path) == told(Glancer(), path) == told(old, path) == expected, bytes(changed)


@pytest.mark.parametrize("dtype", sorted(BITS))
@pytest.mark.parametrize(
    "shape", [(), (0,), (1,), (3, 5), (2, 3, 1, 1), (2**62,), (2**40, 2**40, 0)], ids=str
)
def test_every_number_type(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    bits = BITS[dtype]
    for size in shape:
        bits *= size
    end = min(-(-bits // 8), 1000)
    header = {"a.lora_down.weight": {"dtype": dtype, "shape": list(shape), "data_offsets": [0, end]}}
    content = raw(json.dumps(header, separators=(",", ":")).encode(), b"\0" * end)
    path = write(tmp_path / "x.safetensors", content)
    assert told(Glancer(), path) == thorough(path)


def test_what_is_no_text_behind_the_first_tensor_is_told(tmp_path: Path) -> None:
    content = network(shapes(4), {"a": "b"})
    place = content.index(MODULES[1].encode())
    path = write(tmp_path / "x.safetensors", content[:place] + b"\xff" + content[place + 1 :])
    assert "not UTF-8" in str(told(Glancer(), path))
    assert told(Glancer(), path) == thorough(path)


def test_a_claim_of_more_than_any_network_holds(tmp_path: Path) -> None:
    size = FILE_LIMIT + 1
    header = f'{{"a.lora_down.weight":{{"dtype":"U8","shape":[{size}],"data_offsets":[0,{size}]}}}}'.encode()
    path = write(tmp_path / "x.safetensors", raw(header))
    with path.open("r+b") as file:
        file.truncate(8 + len(header) + size)
    with pytest.raises(FileTooLargeError):
        Glancer().read(str(path))


def test_a_shape_of_more_entries_than_memory_should_hold(tmp_path: Path) -> None:
    ones = ",".join("1" * 2_000_001)
    header = f'{{"a.lora_down.weight":{{"dtype":"U8","shape":[{ones}],"data_offsets":[0,1]}}}}'.encode()
    path = write(tmp_path / "x.safetensors", raw(header, b"\0"))
    with pytest.raises(HeaderVolumeError):
        Glancer().read(str(path))


def test_what_is_remembered_has_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glance, "MEMORY", 3_000)
    monkeypatch.setattr(plain, "REMEMBERED", 20)
    glancer = Glancer()
    for number in range(12):
        named = {f"lora_unet_{number % 4}{name}": shape for name, shape in shapes(number + 1).items()}
        path = write(tmp_path / "x.safetensors", network(named, {"a": "b"}))
        assert told(glancer, path) == thorough(path)
        assert sum(len(seen.tail) for seen in glancer._seen.values()) == glancer._remembered <= 3_000
        tensors = sum(len(called.dtypes) for called in glancer._plain._called.values())
        assert tensors == glancer._plain._tensors <= 20


LETTERS = st.one_of(
    st.sampled_from(
        [b"", b'"', b"}", b"{", b"]", b",", b":", b" ", b"0", b"-1", b"\\", b"\xff", b'"F32"', b"[]"]
    ),
    st.binary(max_size=3),
)
CHANGES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 4), LETTERS), max_size=2)
METADATA = st.none() | st.dictionaries(st.text(max_size=6), st.text(max_size=12), max_size=3)


@settings(deadline=None, max_examples=300)
@given(st.integers(1, 40), st.sampled_from(("F16", "BF16", "F32")), METADATA, METADATA, CHANGES)
def test_a_glance_tells_what_the_whole_header_tells_of_good_and_broken_ones(
    tmp_path_factory: pytest.TempPathFactory,
    rank: int,
    dtype: str,
    first: dict[str, str] | None,
    second: dict[str, str] | None,
    changes: list[tuple[float, int, bytes]],
) -> None:
    """A file after another of its kind, whole or with letters taken out, put in and replaced anywhere."""
    folder, shapes = tmp_path_factory.mktemp("x"), lora("lora_unet_mid_block_attentions_0_proj_in", 8, 8, 4)
    others = lora("lora_unet_mid_block_attentions_0_proj_in", 8, 8, rank)
    glancer, good = Glancer(), write(folder / "good.safetensors", network(shapes, first, dtype))
    assert told(glancer, good) == thorough(good)
    content = network(others, second, dtype)
    length = int.from_bytes(content[:8], "little")
    header, payload = content[8 : 8 + length], content[8 + length :]
    for where, cut, letters in changes:
        place = int(where * len(header))
        header = header[:place] + letters + header[place + cut :]
    path = write(folder / "other.safetensors", raw(header, payload))
    assert told(glancer, path) == thorough(path)
