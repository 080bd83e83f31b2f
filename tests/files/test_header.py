"""Every way a safetensors header can lie has its smallest file and its own error."""

from __future__ import annotations

import json
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from lib_lora.errors import (
    DuplicateKeyError,
    FileError,
    HeaderEncodingError,
    HeaderJsonError,
    HeaderLengthError,
    HeaderTooLargeError,
    HeaderTooSmallError,
    MetadataError,
    NoTensorsError,
    NotSafetensorsError,
    TensorInfoError,
    TensorOffsetError,
    UnknownDtypeError,
    UnreadableFileError,
)
from lib_lora.files.disk import HEADER_LIMIT
from lib_lora.files.header import FIRST_READ, TensorInfo, read_header, read_metadata
from tests.files.samples import GOOD, one, raw, write

A = b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'
B = b'"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}'


def two(first: str, second: str, payload: bytes) -> bytes:
    """Two tensors of bytes at the given offsets."""
    info = '"{}":{{"dtype":"U8","shape":[{}],"data_offsets":{}}}'
    sizes = [json.loads(place)[1] - json.loads(place)[0] for place in (first, second)]
    header = "{" + info.format("a", sizes[0], first) + "," + info.format("b", sizes[1], second) + "}"
    return raw(header.encode(), payload)


BAD = [
    pytest.param(b"", HeaderTooSmallError, "is empty", id="empty file"),
    pytest.param(b"\0\0\0\0", HeaderTooSmallError, "holds 4 bytes", id="four bytes"),
    pytest.param(raw(b""), HeaderTooSmallError, "no header", id="header of no length"),
    pytest.param(raw(b"{"), HeaderTooSmallError, "no header", id="header of one byte"),
    pytest.param(raw(b"{}", length=3), HeaderLengthError, "not complete", id="header longer than the file"),
    pytest.param(
        raw(b"{}", length=HEADER_LIMIT), HeaderLengthError, "not complete", id="header at the limit"
    ),
    pytest.param(
        raw(b"{}", length=HEADER_LIMIT + 1), HeaderTooLargeError, "100000001", id="header beyond the limit"
    ),
    pytest.param(raw(b"{}", length=2**63), HeaderTooLargeError, "limit is 100000000", id="header of 2^63"),
    pytest.param(raw(b"{}", length=2**64 - 1), HeaderTooLargeError, "limit is", id="header of 2^64 - 1"),
    pytest.param(raw(b'{"\xff":1}'), HeaderEncodingError, "not UTF-8 text at byte 10", id="not UTF-8"),
    pytest.param(raw(b"\xef\xbb\xbf{" + A + b"}", b"x"), HeaderJsonError, "not JSON", id="byte order mark"),
    pytest.param(raw(b'{"\\ud800":1}'), HeaderEncodingError, "does not exist", id="half a surrogate pair"),
    pytest.param(raw(b"hello!"), HeaderJsonError, "not JSON", id="prose"),
    pytest.param(raw(b"[]"), HeaderJsonError, "a list, not an object", id="a list"),
    pytest.param(raw(b"12"), HeaderJsonError, "a int, not an object", id="a number"),
    pytest.param(raw(b"{" + A + b"}\0\0", b"x"), HeaderJsonError, "not JSON", id="zeros after the object"),
    pytest.param(raw(b"{" + A), HeaderJsonError, "not JSON", id="object not closed"),
    pytest.param(raw(b"[" * 200_000), HeaderJsonError, "beyond reason", id="nested 200000 deep"),
    pytest.param(
        raw(b'{"__metadata__":' + b"[" * 200_000), HeaderJsonError, "beyond reason", id="metadata bomb"
    ),
    pytest.param(raw(b'{"a":' + b"9" * 5000 + b"}"), HeaderJsonError, "not JSON", id="number of 5000 digits"),
    pytest.param(raw(b"{" + A + b"," + A + b"}", b"x"), DuplicateKeyError, "'a' twice", id="tensor twice"),
    pytest.param(
        raw(b'{"__metadata__":{},"__metadata__":{},' + A + b"}", b"x"),
        DuplicateKeyError,
        "'__metadata__' twice",
        id="metadata twice",
    ),
    pytest.param(
        raw(b'{"__metadata__":{"k":"1","k":"2"},' + A + b"}", b"x"),
        DuplicateKeyError,
        "'k' twice",
        id="key twice",
    ),
    pytest.param(
        one('{"dtype":"F16","dtype":"F16","shape":[1],"data_offsets":[0,2]}'),
        DuplicateKeyError,
        "'dtype' twice",
        id="dtype twice",
    ),
    pytest.param(
        raw(b'{"__metadata__":5,' + A + b"}", b"x"), MetadataError, "a int", id="metadata is a number"
    ),
    pytest.param(
        raw(b'{"__metadata__":[],' + A + b"}", b"x"), MetadataError, "a list", id="metadata is a list"
    ),
    pytest.param(
        raw(b'{"__metadata__":{"rank":4},' + A + b"}", b"x"),
        MetadataError,
        "'rank' is a int",
        id="value is a number",
    ),
    pytest.param(
        raw(b'{"__metadata__":{"k":null},' + A + b"}", b"x"), MetadataError, "a NoneType", id="value is null"
    ),
    pytest.param(raw(b"{}"), NoTensorsError, "no tensors", id="empty object"),
    pytest.param(raw(b'{"__metadata__":{"k":"v"}}'), NoTensorsError, "no tensors", id="only metadata"),
    pytest.param(one("1"), TensorInfoError, "'a' is not described", id="tensor is a number"),
    pytest.param(one('["F16",[1],[0,2]]'), TensorInfoError, "'a' is not described", id="tensor is a list"),
    pytest.param(one('{"dtype":"F16","shape":[1]}'), TensorInfoError, "not described", id="no offsets"),
    pytest.param(one('{"shape":[1],"data_offsets":[0,2]}'), TensorInfoError, "not described", id="no dtype"),
    pytest.param(
        one('{"dtype":"F16","shape":[1],"data_offsets":[0,2],"x":0}'),
        TensorInfoError,
        "not described",
        id="one more",
    ),
    pytest.param(
        one('{"dtype":16,"shape":[1],"data_offsets":[0,2]}'), TensorInfoError, "no text", id="dtype number"
    ),
    pytest.param(
        one('{"dtype":"F15","shape":[1],"data_offsets":[0,2]}'),
        UnknownDtypeError,
        "'F15'",
        id="unknown dtype",
    ),
    pytest.param(
        one('{"dtype":"f16","shape":[1],"data_offsets":[0,2]}'),
        UnknownDtypeError,
        "'f16'",
        id="dtype in lower case",
    ),
    pytest.param(
        one('{"dtype":"F16","shape":1,"data_offsets":[0,2]}'), TensorInfoError, "whole", id="shape a number"
    ),
    pytest.param(
        one('{"dtype":"F16","shape":[-1],"data_offsets":[0,2]}'),
        TensorInfoError,
        "whole",
        id="negative dimension",
    ),
    pytest.param(
        one('{"dtype":"F16","shape":[1.0],"data_offsets":[0,2]}'),
        TensorInfoError,
        "whole",
        id="fractional dimension",
    ),
    pytest.param(
        one('{"dtype":"F16","shape":[true],"data_offsets":[0,2]}'),
        TensorInfoError,
        "whole",
        id="dimension true",
    ),
    pytest.param(
        one('{"dtype":"F16","shape":[1],"data_offsets":[-0,2]}'),
        TensorInfoError,
        "whole",
        id="offset minus zero",
    ),
    pytest.param(
        one('{"dtype":"F16","shape":[1],"data_offsets":[2]}'), TensorInfoError, "whole", id="one offset"
    ),
    pytest.param(
        one('{"dtype":"F16","shape":[1],"data_offsets":[0,2,4]}'),
        TensorInfoError,
        "whole",
        id="three offsets",
    ),
    pytest.param(
        one('{"dtype":"F16","shape":[18446744073709551616],"data_offsets":[0,0]}'),
        TensorInfoError,
        "whole",
        id="dimension beyond 64 bits",
    ),
    pytest.param(
        one('{"dtype":"F16","shape":[1],"data_offsets":[2,0]}'),
        TensorOffsetError,
        "ends (0) before",
        id="end first",
    ),
    pytest.param(
        one('{"dtype":"F16","shape":[2],"data_offsets":[0,2]}'),
        TensorOffsetError,
        "needs 4 bytes",
        id="shape too large",
    ),
    pytest.param(
        one('{"dtype":"F16","shape":[0],"data_offsets":[0,2]}'),
        TensorOffsetError,
        "needs 0 bytes",
        id="shape too small",
    ),
    pytest.param(
        one('{"dtype":"F32","shape":[1],"data_offsets":[0,2]}'),
        TensorOffsetError,
        "in F32 needs 4",
        id="dtype too wide",
    ),
    pytest.param(
        one('{"dtype":"F4","shape":[3],"data_offsets":[0,2]}'),
        TensorOffsetError,
        "needs 1.5 bytes",
        id="half a byte",
    ),
    pytest.param(
        one('{"dtype":"F16","shape":[4611686018427387904,4,0],"data_offsets":[0,0]}', b""),
        TensorOffsetError,
        "larger than any file",
        id="elements beyond 64 bits",
    ),
    pytest.param(
        one('{"dtype":"F64","shape":[1152921504606846976],"data_offsets":[0,0]}', b""),
        TensorOffsetError,
        "larger than any file",
        id="bits beyond 64 bits",
    ),
    pytest.param(two("[0,2]", "[1,3]", b"xxx"), TensorOffsetError, "'b' overlaps", id="overlap"),
    pytest.param(two("[0,1]", "[0,1]", b"x"), TensorOffsetError, "overlaps", id="same place twice"),
    pytest.param(two("[0,1]", "[2,3]", b"xxx"), TensorOffsetError, "'b' leaves a hole", id="hole"),
    pytest.param(
        two("[1,2]", "[2,3]", b"xxx"), TensorOffsetError, "'a' leaves a hole", id="hole at the beginning"
    ),
    pytest.param(GOOD[:-1], TensorOffsetError, "cut off: 1 bytes are missing", id="truncated payload"),
    pytest.param(GOOD + b"x", TensorOffsetError, "1 bytes after its last tensor", id="trailing byte"),
    pytest.param(b"PK\x03\x04" + b"\x14\0" * 30, NotSafetensorsError, "zip archive", id="zip magic"),
    pytest.param(pickle.dumps({"a": [1.0]}, 4), NotSafetensorsError, "Python pickle", id="pickle"),
    pytest.param(b"\x80\x02.", NotSafetensorsError, "Python pickle", id="smallest pickle"),
    pytest.param(b"<!DOCTYPE html><html></html>", NotSafetensorsError, "web page", id="log-in page"),
    pytest.param(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00",
        NotSafetensorsError,
        "git lfs pull",
        id="LFS pointer",
    ),
]


@pytest.mark.parametrize(("content", "error", "message"), BAD)
def test_bad_file(tmp_path: Path, content: bytes, error: type[FileError], message: str) -> None:
    path = write(tmp_path / "bad.safetensors", content)
    with pytest.raises(FileError) as caught:
        read_header(path)
    assert type(caught.value) is error
    assert message in str(caught.value)
    assert "bad.safetensors" in str(caught.value)


# What the library lets pass and we refuse, on purpose.
STRICTER = {"tensor twice", "key twice", "empty object", "only metadata", "one more", "tensor is a list"}


@pytest.mark.parametrize(("content", "error", "message"), BAD)
def test_the_library_agrees(
    request: pytest.FixtureRequest, tmp_path: Path, content: bytes, error: type[FileError], message: str
) -> None:
    path = write(tmp_path / "bad.safetensors", content)
    if request.node.callspec.id in STRICTER:
        with safe_open(path, "np"):
            return
    with pytest.raises((SafetensorError, OSError)), safe_open(path, "np"):
        pass


@pytest.mark.parametrize("name", ["x.pt", "x.ckpt", "x.PTH", "x.bin"])
def test_pickles_are_refused_by_their_suffix_and_the_way_out_is_told(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, GOOD)
    for read in (read_header, read_metadata):
        with pytest.raises(NotSafetensorsError, match=r"can run code.*convert"):
            read(path)


def test_a_real_archive_under_a_wrong_name(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(NotSafetensorsError, match="zip archive"):
        read_header(path)


@pytest.mark.parametrize("read", [read_header, read_metadata], ids=["header", "metadata"])
class TestNoRegularFile:
    def test_missing(self, tmp_path: Path, read) -> None:  # type: ignore[no-untyped-def]
        with pytest.raises(UnreadableFileError, match=r"x\.safetensors is not there"):
            read(tmp_path / "x.safetensors")

    def test_a_folder(self, tmp_path: Path, read) -> None:  # type: ignore[no-untyped-def]
        with pytest.raises(UnreadableFileError, match="is a folder"):
            read(tmp_path)

    @pytest.mark.timeout(5)
    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
    def test_a_pipe_does_not_hang(self, tmp_path: Path, read) -> None:  # type: ignore[no-untyped-def]
        os.mkfifo(tmp_path / "x.safetensors")
        with pytest.raises(UnreadableFileError, match="not a regular file"):
            read(tmp_path / "x.safetensors")

    def test_a_link_in_a_circle(self, tmp_path: Path, read) -> None:  # type: ignore[no-untyped-def]
        (tmp_path / "x.safetensors").symlink_to(tmp_path / "x.safetensors")
        with pytest.raises(UnreadableFileError, match="leads in a circle"):
            read(tmp_path / "x.safetensors")

    def test_a_name_with_a_nul(self, tmp_path: Path, read) -> None:  # type: ignore[no-untyped-def]
        with pytest.raises(UnreadableFileError, match="NUL"):
            read(tmp_path / "a\0b.safetensors")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(GOOD, id="plain"),
        pytest.param(raw(b"  \n\t" + GOOD[8:-2], GOOD[-2:]), id="leading space"),
        pytest.param(raw(GOOD[8:-2] + b"    ", GOOD[-2:]), id="trailing space"),
        pytest.param(raw(b'{"__metadata__":null,' + GOOD[9:-2], GOOD[-2:]), id="metadata null"),
        pytest.param(raw(GOOD[8:-3] + b',"__metadata__":{}}', GOOD[-2:]), id="metadata last"),
    ],
)
def test_accepted_as_the_library_does(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "x.safetensors", content)
    header = read_header(path)
    assert dict(header.tensors) == {"a": TensorInfo("F16", (1,), 0, 2)}
    assert (header.payload_start, header.file_size) == (len(content) - 2, len(content))
    assert read_metadata(path) == dict(header.metadata) == {}
    with safe_open(path, "np") as file:
        assert list(file.keys()) == ["a"]


def test_a_header_is_a_value(tmp_path: Path) -> None:
    header = read_header(write(tmp_path / "x.safetensors", GOOD))
    with pytest.raises(TypeError):
        header.tensors["b"] = header.tensors["a"]  # type: ignore[index]
    with pytest.raises(TypeError):
        header.metadata["k"] = "v"  # type: ignore[index]


def test_names_in_messages_are_harmless(tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", raw(b'{"a\\u0007\\u202e' + b"z" * 500 + b'":1}'))
    with pytest.raises(TensorInfoError) as caught:
        read_header(path)
    assert "'azzz" in str(caught.value)
    assert len(str(caught.value)) < 250


plain_text = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
arrays = st.builds(
    lambda dtype, shape: numpy.zeros(shape, dtype),
    st.sampled_from(("float16", "float32", "float64", "int8", "int64", "bool")),
    st.lists(st.integers(0, 5), max_size=4).map(tuple),
)


@settings(deadline=None)
@given(
    st.dictionaries(plain_text.filter(lambda name: name != "__metadata__"), arrays, min_size=1, max_size=5),
    st.none() | st.dictionaries(plain_text, plain_text, max_size=4),
)
def test_good_headers_read_as_the_library_reads_them(
    tmp_path_factory: pytest.TempPathFactory,
    tensors: dict[str, numpy.ndarray],
    metadata: dict[str, str] | None,
) -> None:
    path = write(tmp_path_factory.mktemp("good") / "x.safetensors", save(tensors, metadata))
    header = read_header(path)
    with safe_open(path, "np") as file:
        assert set(header.tensors) == set(file.keys())
        assert dict(header.metadata) == (file.metadata() or {})
        for name, info in header.tensors.items():
            assert list(info.shape) == file.get_slice(name).get_shape()
            assert info.dtype == file.get_slice(name).get_dtype()
            assert info.end - info.start == tensors[name].nbytes
    assert read_metadata(path) == dict(header.metadata)


SEED = raw(b'{"__metadata__":{"k":"v"},' + A + b"," + B + b"}", b"xy")


@settings(deadline=None, max_examples=400)
@given(st.integers(8, len(SEED) - 1), st.binary(min_size=0, max_size=3), st.integers(0, 3))
def test_what_is_accepted_the_library_accepts(
    tmp_path_factory: pytest.TempPathFactory, position: int, change: bytes, cut: int
) -> None:
    header = SEED[8:position] + change + SEED[position + cut : -2]
    path = write(tmp_path_factory.mktemp("changed") / "x.safetensors", raw(header, b"xy"))
    try:
        names = set(read_header(path).tensors)
    except FileError:
        return
    with safe_open(path, "np") as file:
        assert set(file.keys()) == names


def test_metadata_is_read_without_the_tensors(tmp_path: Path) -> None:
    broken_after = raw(b'{"__metadata__":{"ss_output_name":"neon"},"a":nonsense}')
    assert read_metadata(write(tmp_path / "x.safetensors", broken_after)) == {"ss_output_name": "neon"}


@pytest.mark.parametrize(
    "size", [FIRST_READ - 40, FIRST_READ, FIRST_READ * 3], ids=["just", "over", "far over"]
)
def test_metadata_longer_than_the_first_read(tmp_path: Path, size: int) -> None:
    value = "ネ" * (size // 3)
    text = json.dumps({"__metadata__": {"tags": value}, "a": json.loads(GOOD[8:-2])["a"]}, ensure_ascii=False)
    path = write(tmp_path / "x.safetensors", raw(text.encode(), b"\0\0"))
    assert read_metadata(path) == dict(read_header(path).metadata) == {"tags": value}


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(b"", HeaderTooSmallError, id="empty"),
        pytest.param(raw(b"{}", length=10), HeaderLengthError, id="header longer than the file"),
        pytest.param(struct.pack("<Q", 2**63), HeaderTooLargeError, id="header of 2^63"),
        pytest.param(
            raw(b'{"__metadata__":{"k":1},' + A + b"}", b"x"), MetadataError, id="value is a number"
        ),
        pytest.param(raw(b'{"__metadata__":{"k":"1","k":"2"}}'), DuplicateKeyError, id="key twice"),
        pytest.param(raw(b'{"__metadata__":{"\xff":"1"}}'), HeaderEncodingError, id="not UTF-8"),
        pytest.param(raw(b'{"__metadata__":{"k":"1"'), HeaderJsonError, id="cut inside the metadata"),
        pytest.param(raw(b"[" * 200_000), HeaderJsonError, id="nested 200000 deep"),
        pytest.param(b"\x80\x04" + b"x" * 30, NotSafetensorsError, id="pickle"),
    ],
)
def test_metadata_alone_is_checked_too(tmp_path: Path, content: bytes, error: type[FileError]) -> None:
    with pytest.raises(FileError) as caught:
        read_metadata(write(tmp_path / "x.safetensors", content))
    assert type(caught.value) is error


TRAINED = sorted((Path(__file__).parents[2] / "demo" / "models" / "lora").rglob("*.safetensors"))


def test_there_are_trained_networks() -> None:
    assert TRAINED


@pytest.mark.parametrize("path", TRAINED, ids=lambda path: path.stem)
def test_the_trained_networks(path: Path) -> None:
    header = read_header(path)
    with safe_open(path, "np") as file:
        assert set(header.tensors) == set(file.keys())
        assert dict(header.metadata) == (file.metadata() or {}) == read_metadata(path)
