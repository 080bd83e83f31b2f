"""What the user notes belongs to the file: it goes where the file goes, and nowhere else."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from lib_lora.files.edit import edit_metadata
from lib_lora.library.catalogue import Catalogue
from lib_lora.library.library import Library
from tests.library.noting import ALL, card, is_whole, noted, opened
from tests.library.shelves import put


@pytest.mark.parametrize("where", ["styles/renamed", "elsewhere/neon", "elsewhere/renamed"])
def test_notes_follow_a_file_that_moves(root: Path, data: Path, where: str) -> None:
    noted(root, data)
    target = root / f"{where}.safetensors"
    target.parent.mkdir(exist_ok=True)
    (root / "styles" / "neon.safetensors").rename(target)
    assert is_whole(card(opened(root, data), where))


def test_notes_follow_a_file_that_was_written_into_and_then_moved(root: Path, data: Path) -> None:
    noted(root, data)
    path = root / "styles" / "neon.safetensors"
    edit_metadata(path, {"modelspec.title": "Neon, by night and by day"})
    opened(root, data).close()
    path.rename(root / "renamed.safetensors")
    assert is_whole(card(opened(root, data), "renamed"))


def test_notes_do_not_follow_to_one_of_two_equal_files(root: Path, data: Path) -> None:
    noted(root, data)
    content = (root / "styles" / "neon.safetensors").read_bytes()
    (root / "styles" / "neon.safetensors").unlink()
    for name in ("a", "b"):
        (root / f"{name}.safetensors").write_bytes(content)
    library = opened(root, data)
    assert not any(card(library, name)["favourite"] for name in ("a", "b"))
    (root / "a.safetensors").unlink()
    library.scan()
    assert is_whole(card(library, "b")), "they wait until it is clear"


def test_notes_wait_for_a_folder_that_is_away(root: Path, data: Path, tmp_path: Path) -> None:
    noted(root, data)
    root.rename(tmp_path / "unplugged")
    assert opened(root, data).files() == ()
    (tmp_path / "unplugged").rename(root)
    assert is_whole(card(opened(root, data), "styles/neon"))


def test_notes_of_a_drive_that_is_away_do_not_go_over_to_a_copy(
    root: Path, data: Path, tmp_path: Path
) -> None:
    noted(root, data)
    other = tmp_path / "other"
    put(other, "neon", 1, ss_session_id="1")
    root.rename(tmp_path / "unplugged")
    both = Library([root, other], data=data)
    both.scan()
    assert [file.label for file in both.files()] == ["neon"]
    (tmp_path / "unplugged").rename(root)
    both.scan()
    assert is_whole(card(both, "styles/neon"))


def test_notes_do_not_go_over_to_a_copy_where_the_folder_that_is_away_is_not_asked_for(
    root: Path, data: Path, tmp_path: Path
) -> None:
    """A WebUI leaves folders out that are not there."""
    noted(root, data)
    other = tmp_path / "other"
    put(other, "neon", 1, ss_session_id="1")
    for folders in ([root, other], [other]):
        library = Library(folders, data=data)
        library.scan()
        library.close()
        if other in folders and root in folders:
            root.rename(tmp_path / "unplugged")
    (tmp_path / "unplugged").rename(root)
    assert is_whole(card(opened(root, data), "styles/neon"))


@pytest.mark.parametrize("linked", ["folder", "file"])
def test_notes_wait_where_a_link_leads_to_a_drive_that_is_away(
    root: Path, data: Path, tmp_path: Path, linked: str
) -> None:
    noted(root, data)
    drive = tmp_path / "drive"
    place = root / "styles" if linked == "folder" else root / "styles" / "neon.safetensors"
    place.rename(drive)
    place.symlink_to(drive)
    opened(root, data).close()
    drive.rename(tmp_path / "unplugged")
    put(root, "copies/neon", 1, ss_session_id="1")
    assert not card(opened(root, data), "copies/neon")["favourite"]
    (tmp_path / "unplugged").rename(drive)
    assert is_whole(card(opened(root, data), "styles/neon"))


def test_notes_follow_where_a_link_was_left_behind(root: Path, data: Path, tmp_path: Path) -> None:
    noted(root, data)
    root.rename(tmp_path / "big disk")
    root.symlink_to(tmp_path / "big disk")
    assert is_whole(card(opened(root.resolve(), data), "styles/neon"))


@pytest.mark.parametrize("also", [False, True], ids=["instead", "as well"])
def test_notes_are_of_the_same_file_reached_through_a_link(
    root: Path, data: Path, tmp_path: Path, also: bool
) -> None:
    """A folder named in the settings is linked into the WebUI's own; the old path still leads to the file."""
    noted(root, data)
    models = tmp_path / "models"
    models.mkdir()
    (models / "mine").symlink_to(root)
    library = Library([models, *([root] if also else [])], data=data)
    library.scan()
    assert is_whole(card(library, "mine/styles/neon"))
    assert [use["weight"] for use in library.notes.history(library.find("neon").place)] == [0.7]
    library.close()
    assert is_whole(card(opened(root, data), "styles/neon")), "who asks for the old folder finds it there"


def test_notes_do_not_go_over_to_another_name_of_equal_right(root: Path, data: Path, tmp_path: Path) -> None:
    noted(root, data)
    other = tmp_path / "other"
    other.mkdir()
    os.link(root / "styles" / "neon.safetensors", other / "neon.safetensors")
    assert not card(opened(other, data), "neon")["favourite"]


def test_notes_follow_where_only_capitals_or_accents_were_written_anew(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the disks of Windows and macOS the old name still leads to the file."""
    root = tmp_path / "lora"
    put(root, "styles/ne\u0301on", 1, ss_session_id="1")
    first = opened(root, data)
    Catalogue(first).note(first.files()[0], ALL)
    first.close()
    (root / "styles" / "ne\u0301on.safetensors").rename(root / "styles" / "N\u00e9on.safetensors")
    real = os.stat

    def insensitive(path: object, **options: bool) -> object:
        name = str(path).replace("ne\u0301on.safetensors", "N\u00e9on.safetensors")
        return real(name, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "stat", insensitive)
    assert card(opened(root, data), "styles/N\u00e9on")["favourite"]


def test_notes_follow_where_everything_was_moved_to_another_folder(
    root: Path, data: Path, tmp_path: Path
) -> None:
    noted(root, data)
    root.rename(tmp_path / "moved")
    assert is_whole(card(opened(tmp_path / "moved", data), "styles/neon"))


def test_a_drive_that_does_not_answer_stops_no_scan(
    root: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted(root, data)
    (root / "styles").rename(root / "moved")
    real = os.stat

    def hanging(path: object, **options: bool) -> object:
        if str(path).endswith("styles/neon.safetensors"):
            raise OSError(errno.ESTALE, "Stale file handle")
        return real(path, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "stat", hanging)
    library = opened(root, data)
    assert not card(library, "moved/neon")["favourite"], "it may come back"
    monkeypatch.undo()
    (root / "moved").rename(root / "moved again")
    library.scan()
    assert is_whole(card(library, "moved again/neon"))


def test_notes_stay_when_a_file_is_trained_further(root: Path, data: Path) -> None:
    noted(root, data)
    put(root, "styles/neon", 99, ss_session_id="another")
    assert is_whole(card(opened(root, data), "styles/neon"))
