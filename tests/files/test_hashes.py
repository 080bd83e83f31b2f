"""The five hashes, against their definitions and against known numbers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from lib_lora.errors import FileError, HeaderLengthError, UnreadableFileError
from lib_lora.files.hashes import (
    BLOCK,
    autov2,
    declared,
    declared_legacy,
    file_sha256,
    is_junk,
    legacy,
    payload_sha256,
    short,
)
from tests.files.samples import GOOD, network, raw, write


def test_payload_and_whole_file(tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", GOOD)
    assert payload_sha256(path) == hashlib.sha256(b"\0\0").hexdigest()
    assert file_sha256(path) == hashlib.sha256(GOOD).hexdigest()
    assert autov2(path) == hashlib.sha256(GOOD).hexdigest()[:10]
    assert short(payload_sha256(path)) == hashlib.sha256(b"\0\0").hexdigest()[:12]


@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_blocks_join_without_seam(tmp_path: Path, size: int) -> None:
    payload = bytes(range(256)) * (size // 256 + 1)
    path = write(tmp_path / "x.safetensors", raw(b"{}", payload[:size]))
    assert payload_sha256(path) == hashlib.sha256(payload[:size]).hexdigest()


def test_editing_the_metadata_keeps_the_payload_hash_only(tmp_path: Path) -> None:
    old = write(tmp_path / "old.safetensors", network({"b": (2, 3), "a": (4,)}, {"title": "old"}))
    new = tmp_path / "new.safetensors"
    save_file(load_file(old), new, {"title": "a new and longer title"})
    assert payload_sha256(old) == payload_sha256(new)
    assert file_sha256(old) != file_sha256(new)


def test_legacy_is_the_slice_at_one_mebibyte(tmp_path: Path) -> None:
    content = bytes(0x100000) + b"x" * 0x10000 + b"rest"
    assert legacy(write(tmp_path / "x", content)) == hashlib.sha256(b"x" * 0x10000).hexdigest()[:8]
    assert legacy(write(tmp_path / "y", content[:0x100001])) == hashlib.sha256(b"x").hexdigest()[:8]


@pytest.mark.parametrize("size", [0, 1000, 0x100000], ids=["empty", "small", "exactly one mebibyte"])
def test_small_files_have_no_legacy_hash(tmp_path: Path, size: int) -> None:
    assert legacy(write(tmp_path / "x", b"x" * size)) == ""


@pytest.mark.parametrize(
    ("text", "junk"),
    [
        pytest.param("", True, id="empty"),
        pytest.param("c97665d", True, id="seven digits"),
        pytest.param("c97665df", False, id="legacy"),
        pytest.param("c97665df9b", False, id="AutoV2"),
        pytest.param(" C97665DF9B71 ", False, id="capitals and spaces"),
        pytest.param("a" * 63 + "b", False, id="whole sha256"),
        pytest.param("ab" * 33, True, id="66 digits"),
        pytest.param("e3b0c442", True, id="legacy of nothing"),
        pytest.param("e3b0c44298fc", True, id="AutoV3 of nothing"),
        pytest.param(hashlib.sha256(b"").hexdigest(), True, id="sha256 of nothing"),
        pytest.param("e3b0c44298fd", False, id="begins like nothing"),
        pytest.param("0xc97665df9b", True, id="0x form"),
        pytest.param("000000000000", True, id="zeros"),
        pytest.param("None", True, id="None"),
        pytest.param("ghijklmnopqr", True, id="no hex"),
    ],
)
def test_junk(text: str, junk: bool) -> None:
    assert is_junk(text) is junk
    assert (short(text) == "") is junk


def test_short_is_twelve_lower_digits() -> None:
    assert short(" C97665DF9B71AAAA ") == "c97665df9b71"


def test_declared_hashes_are_read_but_not_junk() -> None:
    good = "ab" * 32
    assert declared({"sshs_model_hash": good.upper()}) == good
    assert declared({}) == ""
    assert declared({"sshs_model_hash": hashlib.sha256(b"").hexdigest()}) == ""
    assert declared({"sshs_model_hash": "0x" + "ab" * 31}) == ""
    assert declared({"sshs_model_hash": good[:12]}) == ""
    assert declared_legacy({"sshs_legacy_hash": "AB12CD34"}) == "ab12cd34"
    assert declared_legacy({"sshs_legacy_hash": "e3b0c442"}) == ""
    assert declared_legacy({"sshs_legacy_hash": good}) == ""


@pytest.mark.timeout(60)
def test_a_file_that_grows_as_fast_as_it_is_read_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "x.safetensors", bytes(2 * BLOCK))

    class Growing:
        def update(self, part: bytes) -> None:
            with path.open("ab") as file:
                file.write(part)

    monkeypatch.setattr(hashlib, "sha256", Growing)
    with pytest.raises(UnreadableFileError, match="changed while it was read"):
        file_sha256(path)
    assert path.stat().st_size == 4 * BLOCK


def test_a_file_that_lies_about_its_header_has_no_payload_hash(tmp_path: Path) -> None:
    with pytest.raises(HeaderLengthError):
        payload_sha256(write(tmp_path / "x.safetensors", raw(b"{}", length=99)))


@pytest.mark.parametrize(
    "make", [payload_sha256, file_sha256, autov2, legacy], ids=lambda make: make.__name__
)
def test_a_missing_file_is_an_error_in_words(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UnreadableFileError, match="not there"):
        make(tmp_path / "x.safetensors")
    with pytest.raises(FileError, match="folder"):
        make(tmp_path)
