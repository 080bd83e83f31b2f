"""Opening files that the system refuses, and noticing that one changed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from lib_lora.errors import FileTooLargeError, UnreadableFileError
from lib_lora.files import disk
from lib_lora.files.disk import Identity, check_unchanged, open_regular, reasons
from tests.files.samples import write


@pytest.mark.parametrize(
    ("number", "message"),
    [
        pytest.param(errno.EACCES, "may not be read. Give the WebUI's user permission", id="no permission"),
        pytest.param(errno.EPERM, "may not be read", id="not permitted"),
        pytest.param(errno.ENOENT, "is not there any more", id="gone"),
        pytest.param(errno.ELOOP, "is a link that leads in a circle", id="link in a circle"),
        pytest.param(errno.EIO, "cannot be read: Input/output error. Look whether", id="broken disk"),
    ],
)
def test_the_systems_errors_in_words(number: int, message: str) -> None:
    with pytest.raises(UnreadableFileError) as caught, reasons(Path("folder/x.safetensors")):
        raise OSError(number, os.strerror(number))
    assert str(caught.value).startswith(f"x.safetensors {message}")


def test_errors_of_the_reader_are_not_the_files(tmp_path: Path) -> None:
    path = write(tmp_path / "x", b"abc")
    with pytest.raises(ValueError, match="mine"), open_regular(path):
        raise ValueError("mine")


def test_the_identity_is_of_the_open_file(tmp_path: Path) -> None:
    path = write(tmp_path / "x", b"abc")
    with open_regular(path) as (file, identity):
        assert file.read() == b"abc"
    assert identity == Identity.of(path.stat())
    assert identity.size == 3
    check_unchanged(path, identity)


@pytest.mark.parametrize("change", ["longer", "newer", "another", "gone"])
def test_a_change_while_reading_is_noticed(tmp_path: Path, change: str) -> None:
    path = write(tmp_path / "x", b"abc")
    identity = Identity.of(path.stat())
    if change == "longer":
        path.write_bytes(b"abcd")
        os.utime(path, ns=(identity.mtime_ns, identity.mtime_ns))
    elif change == "newer":
        os.utime(path, ns=(identity.mtime_ns, identity.mtime_ns + 1))
    elif change == "another":
        os.utime(write(tmp_path / "y", b"abd"), ns=(identity.mtime_ns, identity.mtime_ns))
        (tmp_path / "y").replace(path)
    else:
        path.unlink()
    with pytest.raises(UnreadableFileError, match=r"changed while|not there"):
        check_unchanged(path, identity)


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_a_device_is_no_file(device: str) -> None:
    if not os.path.exists(device):  # noqa: PTH110
        pytest.skip("this system has no such device")
    with pytest.raises(UnreadableFileError, match="not a regular file"), open_regular(Path(device)):
        pass


@pytest.mark.timeout(20)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_file_replaced_by_a_pipe_just_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = write(tmp_path / "x", b"abc").stat()
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(Path, "stat", lambda path: status)
    with pytest.raises(UnreadableFileError, match="not a regular file"), open_regular(tmp_path / "pipe"):
        pass


def test_a_file_that_vanishes_just_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = write(tmp_path / "x", b"abc").stat()
    monkeypatch.setattr(Path, "stat", lambda path: status)
    with pytest.raises(UnreadableFileError, match="not there any more"), open_regular(tmp_path / "gone"):
        pass


def test_a_file_with_holes_that_claims_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "FILE_LIMIT", 1_000_000)
    path = write(tmp_path / "x", b"abc")
    os.truncate(path, 1_000_000)
    with open_regular(path) as (_, identity):
        assert identity.size == 1_000_000
    os.truncate(path, 1_000_001)
    told = "claims 1000001 bytes; the limit is 1000000"
    with pytest.raises(FileTooLargeError, match=told), open_regular(path):
        pass
