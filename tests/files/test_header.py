"""Good headers read as the library reads them; what is no file at all is refused without hanging."""

from __future__ import annotations

import contextlib
import json
import os
import struct
import zipfile
from pathlib import Path

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
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
    NotSafetensorsError,
    TensorInfoError,
    TensorOffsetError,
    UnreadableFileError,
)
from lib_lora.files.header import FIRST_READ, TensorInfo, read_header, read_metadata
from tests.files.samples import GOOD, raw, write
from tests.fuzz.limits import bounded

A = b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'
B = b'"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}'


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


def test_names_may_stand_in_another_order_than_their_places(tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", raw(b"{" + B + b"," + A + b"}", b"xy"))
    assert {name: info.start for name, info in read_header(path).tensors.items()} == {"b": 1, "a": 0}
    with safe_open(path, "np") as file:
        assert set(file.keys()) == {"a", "b"}


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


def test_a_shape_of_a_million_dimensions_does_not_fill_the_page(tmp_path: Path) -> None:
    header = b'{"a":{"dtype":"U8","shape":[' + b"1," * 1_000_000 + b'1],"data_offsets":[0,2]}}'
    with pytest.raises(TensorOffsetError) as caught:
        read_header(write(tmp_path / "x.safetensors", raw(header, b"xx")))
    assert len(str(caught.value)) < 150


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


@pytest.mark.parametrize("read", [read_header, read_metadata], ids=["header", "metadata"])
def test_a_large_header_costs_a_multiple_of_its_size(tmp_path: Path, read) -> None:  # type: ignore[no-untyped-def]
    """Its one letter of four bytes makes Python keep four bytes for every other."""
    text = '{"__metadata__":{"tags":"' + "x" * 8_000_000 + '😀"},' + GOOD[9:-2].decode()
    path = write(tmp_path / "x.safetensors", raw(text.encode(), b"\0\0"))
    with bounded(memory=16 * 8_000_000):
        read(path)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"__metadata__":{"a":"' + "{[," * 700_000 + '"}}', id="brackets in a text"),
        pytest.param('{"__metadata__":{"a":"' + "\\u005b" * 1_000_000 + '"}}', id="escapes"),
        pytest.param('{"a":' + '{"a":' * 900 + "0" + "}" * 900 + "}", id="nested below Python's limit"),
        pytest.param('{"' + "." * 1_000_000 + '":0}', id="name of a million dots"),
    ],
)
def test_costly_headers_are_answered_soon(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "x.safetensors", raw(text.encode()))
    for read in (read_header, read_metadata):
        with bounded(), contextlib.suppress(FileError):
            read(path)


class TestTheSameTensorsAgain:
    """Behind other metadata, of files of one recipe: not parsed again, and no less strictly looked at."""

    @staticmethod
    def file(folder: Path, metadata: str, rest: bytes = A + b"," + B + b"}", payload: bytes = b"xy") -> Path:
        header = b'{"__metadata__":' + metadata.encode() + b"," + rest
        return write(folder / "x.safetensors", raw(header, payload))

    def test_are_taken_as_they_were(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = read_header(self.file(tmp_path, '{"name":"one"}'))

        def parse(*_: object) -> None:
            raise AssertionError("parsed again")

        monkeypatch.setattr("lib_lora.files.header._document", parse)
        second = read_header(self.file(tmp_path, '{"name":"another, \\u00fc"}'))
        assert second.tensors == first.tensors
        assert second.metadata == {"name": "another, ü"}
        assert second.payload_start == first.payload_start + len("another, \\u00fc") - len("one")

    @pytest.mark.parametrize(
        ("metadata", "rest", "payload", "error"),
        [
            ("{}", A + b"," + B + b"}", b"x", "cut off"),
            ("{}", A + b"," + B + b"}", b"xyz", "after its last tensor"),
            ("{}", A + b"," + B + b',"__metadata__":{}}', b"xy", "twice"),
            ("{}", A + b"," + B + b',"\\u005f_metadata__":{}}', b"xy", "twice"),
            ('{"a":"\\ud800"}', A + b"," + B + b"}", b"xy", "does not exist"),
            ('{"a":"","a":""}', A + b"," + B + b"}", b"xy", "twice"),
            ('{"a":1}', A + b"," + B + b"}", b"xy", "not text"),
            ("{}", A + b"," + A + b"}", b"xy", "twice"),
            ("{}", A + b"," + B + b"}}", b"xy", "not JSON"),
        ],
    )
    def test_faults_are_found_after_a_sound_file(
        self, tmp_path: Path, metadata: str, rest: bytes, payload: bytes, error: str
    ) -> None:
        read_header(self.file(tmp_path, "{}"))
        for _ in range(2):
            with pytest.raises(FileError, match=error):
                read_header(self.file(tmp_path, metadata, rest, payload))

    def test_without_metadata_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = write(tmp_path / "x.safetensors", raw(b"{" + A + b"," + B + b"}", b"xy"))
        first = read_header(path)
        monkeypatch.setattr("lib_lora.files.header._document", None)
        assert read_header(path) == first
