"""Opening files that the system refuses, and noticing that one changed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from lib_lora.errors import UnreadableFileError
from lib_lora.files.disk import Identity, check_unchanged, open_regular, reasons
from tests.files.samples import write


@pytest.mark.parametrize(
    ("number", "message"),
    [
        pytest.param(errno.EACCES, "may not be read. Give the WebUI's user permission", id="no permission"),
        pytest.param(errno.EPERM, "may not be read", id="not permitted"),
        pytest.param(errno.ENOENT, "is not there any more", id="gone"),
        pytest.param(errno.ELOOP, "is a link that leads in a circle", id="link in a circle"),
        pytest.param(errno.EIO, "cannot be read: ", id="broken disk"),
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
