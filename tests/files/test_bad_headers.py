"""Every way a safetensors header can lie has its smallest file and its own error."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from safetensors import SafetensorError, safe_open

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
)
from lib_lora.files.disk import HEADER_LIMIT
from lib_lora.files.header import read_header
from tests.files.samples import GOOD, one, raw, write

A = b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'


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
