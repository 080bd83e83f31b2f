"""Every way a safetensors header can lie: its smallest file in full, its error, a part of the message."""

from __future__ import annotations

import json
import pickle

import pytest

from lib_lora.errors import (
    DuplicateKeyError,
    HeaderEncodingError,
    HeaderJsonError,
    HeaderLengthError,
    HeaderTooLargeError,
    HeaderTooSmallError,
    HeaderVolumeError,
    MetadataError,
    NoTensorsError,
    NotSafetensorsError,
    TensorInfoError,
    TensorNameError,
    TensorOffsetError,
    UnknownDtypeError,
)
from lib_lora.files.disk import HEADER_LIMIT
from lib_lora.files.header import ENTRY_LIMIT, NAME_LIMIT, TENSOR_LIMIT
from tests.files.samples import GOOD, one, raw

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
    pytest.param(raw(b'{"\xc0\x80":1}'), HeaderEncodingError, "at byte 10", id="overlong UTF-8"),
    pytest.param(raw(b'{"\xed\xa0\x80":1}'), HeaderEncodingError, "at byte 10", id="surrogate in UTF-8"),
    pytest.param(raw('{"a":1}'.encode("utf-16")), HeaderEncodingError, "at byte 8", id="UTF-16"),
    pytest.param(raw(b"  "), HeaderJsonError, "not JSON", id="only spaces"),
    pytest.param(raw(b"\0\0"), HeaderJsonError, "not JSON", id="only zeros"),
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
    pytest.param(
        raw(b'{"a":[' + b"1," * ENTRY_LIMIT + b"1]}"), HeaderVolumeError, "the limit is 2000000", id="entries"
    ),
    pytest.param(
        raw(b"{" + b",".join(b'"%d":0' % n for n in range(TENSOR_LIMIT + 1)) + b"}"),
        HeaderVolumeError,
        "200001 tensors; the limit is 200000",
        id="tensors",
    ),
    pytest.param(
        raw(b"{" + b",".join(b'"%d":0' % n for n in range(TENSOR_LIMIT)) + b',"7":0}'),
        DuplicateKeyError,
        "'7' twice",
        id="one of many tensors twice",
    ),
    pytest.param(
        raw(b'{"' + b"a" * (NAME_LIMIT + 1) + b'":0}'),
        TensorNameError,
        "a name of 1001 characters",
        id="name",
    ),
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
        one('{"dtype":"F16","shape":[NaN],"data_offsets":[0,2]}'),
        TensorInfoError,
        "whole",
        id="dimension NaN",
    ),
    pytest.param(
        one('{"dtype":"F16","shape":[[1]],"data_offsets":[0,2]}'),
        TensorInfoError,
        "whole",
        id="dimension a list",
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
    pytest.param(
        b'{"error":"Unauthorized"}', NotSafetensorsError, "a site's answer in JSON", id="a site's JSON"
    ),
    pytest.param(
        b"Entry not found", NotSafetensorsError, "a text ('Entry not found')", id="a site's message"
    ),
    pytest.param(b"\x1f\x8b\x08\0\0\0\0\0\0", NotSafetensorsError, "a gzip archive", id="gzip"),
    pytest.param(
        b"\x1f\x8b\x08\0\0\0\0\0" + b"\xff" * 0x088B1F,
        NotSafetensorsError,
        "a gzip archive",
        id="gzip as long as its first bytes say",
    ),
    pytest.param(b"7z\xbc\xaf\x27\x1c\0\4", NotSafetensorsError, "a 7z archive", id="7z"),
    pytest.param(b"Rar!\x1a\x07\x01\0", NotSafetensorsError, "a RAR archive", id="RAR"),
    pytest.param(b"GGUF\3\0\0\0", NotSafetensorsError, "a GGUF file", id="GGUF"),
    pytest.param(b"\x89PNG\r\n\x1a\n", NotSafetensorsError, "a picture", id="PNG"),
    pytest.param(b"\xff\xd8\xff\xe0\0\x10JF", NotSafetensorsError, "a picture", id="JPEG"),
]
