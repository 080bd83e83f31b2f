"""Metadata written into a file: the payload stays, and whatever fails leaves the old file."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lib_lora.errors import FieldValueError, FileError, NotWrittenError
from lib_lora.files import edit, writing
from lib_lora.files.edit import check_fields, edit_metadata
from lib_lora.files.hashes import payload_sha256
from lib_lora.files.header import read_header
from lib_lora.files.sidecars import read_sidecar, write_sidecar
from tests.files.samples import lora, network, write

SHAPES = lora("lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k", 64, 32, 4)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    content = network(SHAPES, {"ss_session_id": "1", "modelspec.title": "Old", "modelspec.author": "Me"})
    return write(tmp_path / "neon.safetensors", content[:-3] + b"abc")


def test_fields_are_written_and_removed_and_the_payload_stays(path: Path) -> None:
    before, header = payload_sha256(path), read_header(path)
    assert edit_metadata(path, {"modelspec.title": "New ✨ 光", "modelspec.author": None}) == ""
    after = read_header(path)
    assert after.metadata == {"ss_session_id": "1", "modelspec.title": "New ✨ 光"}
    assert after.tensors == header.tensors
    assert payload_sha256(path) == before
    assert after.payload_start % 8 == 0
    assert [other.name for other in path.parent.iterdir()] == ["neon.safetensors"]


def test_a_backup_is_the_first_one(path: Path) -> None:
    first = path.read_bytes()
    for title in ("a", "b"):
        assert edit_metadata(path, {"modelspec.title": title}, backup=True) == "neon.safetensors.backup"
    assert (path.parent / "neon.safetensors.backup").read_bytes() == first


def test_permissions_and_links_stay(path: Path, tmp_path: Path) -> None:
    path.chmod(0o640)
    link = tmp_path / "link.safetensors"
    link.symlink_to(path)
    edit_metadata(link, {"modelspec.title": "New"})
    assert link.is_symlink()
    assert read_header(path).metadata["modelspec.title"] == "New"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_may_be_read_by_whoever_may_list_its_folder(path: Path) -> None:
    for folder, file in ((0o755, 0o644), (0o770, 0o660), (0o700, 0o600)):
        path.parent.chmod(folder)
        write_sidecar(path, {"notes": "at night"})
        sidecar = path.with_suffix(".json")
        assert stat.S_IMODE(sidecar.stat().st_mode) == file
        sidecar.unlink()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks Linux what is open")
def test_the_old_file_is_closed_before_it_is_replaced(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows replaces no file that is open."""
    real = os.replace

    def replacing(new: str, old: Path) -> None:
        opened = {os.path.realpath(handle) for handle in Path("/proc/self/fd").iterdir()}
        assert not {str(new), str(old)} & opened
        real(new, old)

    monkeypatch.setattr(writing.os, "replace", replacing)
    edit_metadata(path, {"modelspec.title": "New"}, backup=True)
    assert read_header(path).metadata["modelspec.title"] == "New"


@pytest.mark.parametrize("fails", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if fails == "write":
        monkeypatch.setattr(edit, "_payload", full)
    else:
        monkeypatch.setattr(writing.os, fails, full)
    with pytest.raises(NotWrittenError, match="No space left"):
        edit_metadata(path, {"modelspec.title": "New"})
    assert path.read_bytes() == before
    assert [other.name for other in path.parent.iterdir()] == ["neon.safetensors"]


@pytest.mark.parametrize("name", ["x" * 243, "あ" * 81, "😀" * 60 + "xyz"], ids=["ascii", "kana", "emoji"])
def test_the_longest_names_can_be_written(path: Path, name: str) -> None:
    """255 bytes, as most systems allow; the half-written file's own name must fit as well."""
    long = path.rename(path.with_name(f"{name}.safetensors"))
    edit_metadata(long, {"modelspec.title": "long"})
    write_sidecar(long, {"notes": "long"})
    assert (read_header(long).metadata["modelspec.title"], read_sidecar(long).notes) == ("long", "long")
    if len(long.name.encode()) + len(edit.BACKUP) > 255:
        with pytest.raises(NotWrittenError, match="shorter name"):
            edit_metadata(long, {"modelspec.title": "other"}, backup=True)
    assert read_header(long).metadata["modelspec.title"] == "long"


def test_a_copy_that_differs_is_thrown_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()
    monkeypatch.setattr(edit, "payload_sha256", lambda path: "0" * 64)
    with pytest.raises(NotWrittenError, match="differs"):
        edit_metadata(path, {"modelspec.title": "New"})
    assert path.read_bytes() == before


def test_killed_in_the_middle_the_old_file_is_there(path: Path) -> None:
    before = path.read_bytes()
    program = f"""
import os, signal, sys
sys.path.insert(0, {str(Path.cwd())!r})
from pathlib import Path
from lib_lora.files import writing
writing.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from lib_lora.files.edit import edit_metadata
edit_metadata(Path({str(path)!r}), {{"modelspec.title": "New"}})
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode != 0
    assert path.read_bytes() == before
    left = [other for other in path.parent.iterdir() if other != path]
    assert [other.name.startswith(".") for other in left] == [True], "a scan passes over what is left"


def test_a_file_replaced_meanwhile_is_not_overwritten(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, other = edit.payload_sha256, network(SHAPES, {"a": "newer"})

    def replacing(new: Path) -> str:
        path.write_bytes(other)
        return real(new)

    monkeypatch.setattr(edit, "payload_sha256", replacing)
    with pytest.raises(FileError, match="changed"):
        edit_metadata(path, {"modelspec.title": "New"})
    assert path.read_bytes() == other


@pytest.mark.parametrize(
    "key", ["ss_network_dim", "format", "__metadata__", "modelspec.\n", "ssmd_" + "x" * 200, ""]
)
def test_what_the_trainer_recorded_is_not_the_users_to_change(key: str) -> None:
    with pytest.raises(FieldValueError):
        check_fields({key: "x"})


@pytest.mark.parametrize("value", [7, ["a"], "x" * 10_000_001], ids=["number", "list", "endless"])
def test_values_are_texts(value: object) -> None:
    with pytest.raises(FieldValueError):
        check_fields({"modelspec.title": value})


def test_the_webuis_sidecar_keeps_foreign_keys(path: Path) -> None:
    write(path.with_suffix(".json"), b'{"foreign": [1], "notes": "old", "preferred weight": 0.5}')
    write_sidecar(path, {"notes": "new 光", "preferred weight": None, "activation text": "neon"})
    told = read_sidecar(path)
    assert (told.notes, told.preferred_weight, told.activation_text) == ("new 光", None, "neon")
    assert b'"foreign"' in path.with_suffix(".json").read_bytes()


def test_something_else_called_like_the_sidecar_is_left(path: Path) -> None:
    write(path.with_suffix(".json"), b"[1, 2]")
    with pytest.raises(FileError, match="left as it is"):
        write_sidecar(path, {"notes": "new"})
    assert path.with_suffix(".json").read_bytes() == b"[1, 2]"
