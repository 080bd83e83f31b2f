"""Every way a safetensors header can lie has its own error, which names the file and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors import SafetensorError, safe_open

from lib_lora.errors import FileError
from lib_lora.files.header import read_header
from tests.files.bad_headers import BAD
from tests.files.samples import write
from tests.fuzz.limits import bounded
from tests.fuzz.readable import check_readable


@pytest.mark.parametrize(("content", "error", "message"), BAD)
def test_bad_file(tmp_path: Path, content: bytes, error: type[FileError], message: str) -> None:
    path = write(tmp_path / "bad.safetensors", content)
    with pytest.raises(FileError) as caught, bounded():
        read_header(path)
    assert type(caught.value) is error
    assert message in str(caught.value)
    assert "bad.safetensors" in str(caught.value)
    check_readable(caught.value)


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
