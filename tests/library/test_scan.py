"""A scan lists everything below the roots once, raises nothing, and reads again only what changed."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from lib_lora.errors import UnreadableFileError
from lib_lora.files.glance import Glance, Glancer
from lib_lora.library import scan as scanning
from lib_lora.library.catalogue import Catalogue
from lib_lora.library.library import Library
from lib_lora.library.query import Query
from lib_lora.library.walk import absence
from tests.files.samples import write
from tests.library.shelves import UNFINISHED, network_bytes, put, refuse_folder


def labels(library: Library) -> list[str]:
    return [file.label for file in library.files()]


def scanned(*roots: Path) -> Library:
    library = Library(roots)
    library.scan()
    return library


def test_labels_are_paths_below_the_root(tmp_path: Path) -> None:
    put(tmp_path, "styles/old/Ghibli v1.5")
    put(tmp_path, "neon")
    put(tmp_path, "ネオン/光")
    library = scanned(tmp_path)
    assert labels(library) == ["neon", "styles/old/Ghibli v1.5", "ネオン/光"]
    ghibli = library.files()[1]
    assert (ghibli.name, ghibli.folder, ghibli.root) == ("Ghibli v1.5", "styles/old", tmp_path)
    assert ghibli.path == tmp_path / "styles" / "old" / "Ghibli v1.5.safetensors"


def test_an_empty_library_before_the_first_scan(tmp_path: Path) -> None:
    put(tmp_path, "neon")
    assert Library([tmp_path]).files() == ()


def test_several_roots(tmp_path: Path) -> None:
    put(tmp_path / "one", "neon")
    put(tmp_path / "two", "neon")
    library = scanned(tmp_path / "one", tmp_path / "two")
    assert [(file.label, file.root.name) for file in library.files()] == [("neon", "one"), ("neon", "two")]


def test_a_root_inside_another_lists_its_files_once(tmp_path: Path) -> None:
    put(tmp_path, "inner/neon")
    assert labels(scanned(tmp_path, tmp_path / "inner")) == ["inner/neon"]
    assert labels(scanned(tmp_path / "inner", tmp_path)) == ["neon"]
    assert labels(scanned(tmp_path, tmp_path)) == ["inner/neon"]


@pytest.mark.timeout(10)
def test_links_in_a_circle_end(tmp_path: Path) -> None:
    put(tmp_path, "a/neon")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a" / "self")
    (tmp_path / "b").symlink_to(tmp_path / "c")
    (tmp_path / "c").symlink_to(tmp_path / "b")
    assert labels(scanned(tmp_path)) == ["a/neon"]


def test_linked_folders_are_followed(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", "neon")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "drive").symlink_to(tmp_path / "elsewhere")
    assert labels(scanned(tmp_path / "root")) == ["drive/neon"]


def test_other_files_and_hidden_ones_are_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "neon")
    for name in (
        "neon.png",
        "readme.md",
        "neon.safetensors.partial",
        "._neon.safetensors",
        ".git/x.safetensors",
    ):
        write(tmp_path / name, b"x")
    assert labels(scanned(tmp_path)) == ["neon"]


def test_suffixes_in_capitals(tmp_path: Path) -> None:
    write(tmp_path / "NEON.SAFETENSORS", network_bytes())
    assert labels(scanned(tmp_path)) == ["NEON"]


def test_a_folder_called_like_a_file_is_a_folder(tmp_path: Path) -> None:
    put(tmp_path, "x.safetensors/neon")
    assert labels(scanned(tmp_path)) == ["x.safetensors/neon"]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        pytest.param("x.safetensors", b"", "is empty", id="empty file"),
        pytest.param("x.safetensors", UNFINISHED, "download is not complete", id="half-written file"),
        pytest.param(
            "x.safetensors", b"PK\x03\x04" + b"\xff" * 40, "zip archive", id="pickle under a wrong name"
        ),
        pytest.param("x.pt", b"\x80\x04", "can run code", id="pt"),
        pytest.param("x.ckpt", b"\x80\x04", "can run code", id="ckpt"),
        pytest.param("x.safetensors", network_bytes()[:-1], "cut off", id="truncated payload"),
    ],
)
def test_files_in_trouble_are_listed_with_the_reason(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    write(tmp_path / name, content)
    put(tmp_path, "good")
    library = scanned(tmp_path)
    assert labels(library) == ["good", "x"]
    assert problem in library.files()[1].problem
    assert problem in str(library.files()[1].summary()["problem"])
    assert library.files()[0].problem == ""


@pytest.mark.timeout(5)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_listed_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.safetensors")
    assert "not a regular file" in scanned(tmp_path).files()[0].problem


def test_a_link_to_nowhere_is_listed(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").symlink_to(tmp_path / "gone.safetensors")
    assert "not there" in scanned(tmp_path).files()[0].problem


@pytest.mark.skipif(os.name == "nt", reason="Windows names are always text")
def test_a_name_that_is_no_text_is_listed(tmp_path: Path) -> None:
    try:
        write(Path(os.fsdecode(os.fsencode(tmp_path) + b"/ne\xffon.safetensors")), network_bytes())
    except OSError:
        pytest.skip("this file system takes only text as names")
    (file,) = scanned(tmp_path).files()
    assert file.label == "ne\ufffdon"
    assert "Rename the file" in file.problem
    json.dumps(file.summary()).encode()


@pytest.mark.skipif(os.name == "nt", reason="Windows names are always text")
def test_a_root_whose_name_is_no_text_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As folders out of an archive in another alphabet have them; one answer about it was an error each."""
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\x93\xfa\x96\x7b"))
    try:
        put(root, "a/neon")
    except OSError:
        pytest.skip("this file system takes only text as names")
    put(root, "b/neon")
    refuse_folder(monkeypatch, "b")
    catalogue = Catalogue(scanned(root, root / "gone"))
    told = json.dumps([catalogue.page(Query(), 0, 9), catalogue.facets(Query())], ensure_ascii=False)
    assert told.encode().decode().count("\ufffd") > 2


def test_a_missing_root_is_reported(tmp_path: Path) -> None:
    put(tmp_path / "here", "neon")
    library = scanned(tmp_path / "here", tmp_path / "gone")
    assert labels(library) == ["neon"]
    assert library.problems() == (
        f"The folder {tmp_path / 'gone'} does not exist. Create it, or change the setting.",
    )


def test_a_folder_that_is_away_is_told_of_until_it_is_there(tmp_path: Path) -> None:
    put(tmp_path / "here", "neon")
    library = scanned(tmp_path / "here")
    library.look([tmp_path / "here"], [tmp_path / "gone"])
    assert library.roots == (tmp_path / "here",)
    assert library.problems() == (absence(tmp_path / "gone"),)
    put(tmp_path / "gone", "zorp")
    library.look([tmp_path / "here", tmp_path / "gone"])
    assert (labels(library), library.problems()) == (["neon", "zorp"], ())


def test_an_unreadable_folder_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a/neon")
    put(tmp_path, "b/zorp")
    refuse_folder(monkeypatch, "a")
    library = scanned(tmp_path)
    assert labels(library) == ["b/zorp"]
    assert library.problems() == (f"The folder {tmp_path / 'a'} cannot be read: Permission denied.",)


def test_a_file_that_vanishes_during_the_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "neon")
    gone = put(tmp_path, "zorp")

    real = scanning.Glancer.read

    def vanishing(self: Glancer, path: str) -> Glance:
        gone.unlink(missing_ok=True)
        return real(self, path)

    monkeypatch.setattr(scanning.Glancer, "read", vanishing)
    library = scanned(tmp_path)
    assert labels(library) == ["neon", "zorp"]
    assert "not there" in library.files()[1].problem
    library.scan()
    assert labels(library) == ["neon"]


def test_a_picture_beside_it_is_its_preview(tmp_path: Path) -> None:
    path = put(tmp_path, "styles/neon v1.5")
    write(path.with_suffix(".preview.png"), b"")
    library = scanned(tmp_path)
    assert library.files()[0].preview == path.with_suffix(".preview.png")
    write(path.with_suffix(".jpg"), b"")
    library.scan()
    assert library.files()[0].preview == path.with_suffix(".jpg")


def test_what_lies_beside_it_may_be_written_in_other_letters(tmp_path: Path) -> None:
    """Windows takes Neon.safetensors and neon.json for one name, and shows both."""
    put(tmp_path, "Neon Nights", 1)
    put(tmp_path, "zorp", 2)
    put(tmp_path, "Zorp", 3)
    write(tmp_path / "neon nights.PNG", b"")
    write(tmp_path / "NEON NIGHTS.json", b'{"activation text": "glow"}')
    write(tmp_path / "zorp.json", b'{"activation text": "small"}')
    library = Library([tmp_path])
    library.scan()
    words = {file.label: file.record.trigger_words for file in library.files()}
    assert words == {"Neon Nights": ("glow",), "zorp": ("small",), "Zorp": ()}
    assert library.find("Neon Nights").preview == tmp_path / "neon nights.PNG"


def test_a_root_given_as_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "styles/neon")
    monkeypatch.chdir(tmp_path)
    library = scanned(Path())
    (before,) = library.files()
    library.scan()
    assert library.files()[0] is before
    assert before.label == "styles/neon"


class TestRescan:
    @pytest.fixture
    def reads(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Names of files whose metadata is read."""
        read: list[str] = []
        real = scanning.Glancer.read

        def counting(self: Glancer, path: str) -> Glance:
            read.append(Path(path).stem)
            return real(self, path)

        monkeypatch.setattr(scanning.Glancer, "read", counting)
        return read

    def test_what_did_not_change_is_kept(self, tmp_path: Path, reads: list[str]) -> None:
        put(tmp_path, "neon")
        put(tmp_path, "styles/zorp")
        library = scanned(tmp_path)
        before = library.files()
        reads.clear()
        library.scan()
        assert reads == []
        assert all(new is old for new, old in zip(library.files(), before, strict=True))

    @pytest.mark.parametrize("change", ["content", "time", "sidecar", "description", "preview", "root"])
    def test_what_changed_is_read_again(self, tmp_path: Path, reads: list[str], change: str) -> None:
        path = put(tmp_path, "styles/neon")
        put(tmp_path, "styles/other")
        library = scanned(tmp_path)
        reads.clear()
        changed = [] if change == "root" else ["neon"]  # another root gives other labels to what is known
        if change == "content":
            put(tmp_path, "styles/neon", 1, ss_output_name="fresh")
        elif change == "time":
            os.utime(path, ns=(0, 12345))
        elif change == "sidecar":
            write(path.with_suffix(".json"), b'{"notes": "fresh"}')
        elif change == "description":
            write(path.with_suffix(".txt"), b"fresh")
        elif change == "preview":
            write(path.with_suffix(".png"), b"")
        else:
            library.scan([tmp_path / "styles"])
        library.scan()
        assert sorted(reads) == changed
        neon = next(file for file in library.files() if file.name == "neon")
        seen = (
            neon.alias,
            neon.mtime_ns,
            neon.record.notes,
            neon.record.description,
            neon.preview,
            neon.label,
        )
        assert {
            "content": "fresh",
            "time": 12345,
            "sidecar": "fresh",
            "description": "fresh",
            "preview": path.with_suffix(".png"),
            "root": "neon",
        }[change] in seen

    def test_a_changed_sidecar_is_read_again(self, tmp_path: Path) -> None:
        path = put(tmp_path, "neon")
        write(path.with_suffix(".json"), b'{"notes": "old"}')
        library = scanned(tmp_path)
        write(path.with_suffix(".json"), b'{"notes": "newer"}')
        library.scan()
        assert library.files()[0].record.notes == "newer"

    def test_a_file_in_trouble_is_tried_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(tmp_path, "neon")

        def refusing(self: Glancer, path: str) -> Glance:
            raise UnreadableFileError("no permission")

        monkeypatch.setattr(scanning.Glancer, "read", refusing)
        library = scanned(tmp_path)
        assert library.files()[0].problem == "no permission"
        monkeypatch.undo()
        library.scan()
        assert library.files()[0].problem == ""

    def test_a_finished_download_loses_its_problem(self, tmp_path: Path) -> None:
        path = write(tmp_path / "neon.safetensors", UNFINISHED)
        library = scanned(tmp_path)
        assert library.files()[0].problem
        path.write_bytes(network_bytes())
        library.scan()
        assert library.files()[0].problem == ""

    def test_a_removed_file_is_forgotten(self, tmp_path: Path) -> None:
        put(tmp_path, "zorp")
        path = put(tmp_path, "neon")
        library = scanned(tmp_path)
        path.unlink()
        library.scan()
        assert labels(library) == ["zorp"]


@pytest.mark.timeout(60)
def test_scans_and_readers_in_threads(tmp_path: Path) -> None:
    for number in range(20):
        put(tmp_path, f"network {number}", number)
    library = scanned(tmp_path)
    failures: list[BaseException] = []

    def work(turn: int) -> None:
        try:
            for _ in range(10):
                if turn % 3 == 0:
                    library.scan()
                assert len(library.files()) == 20
                file = library.find(f"network {turn}")
                assert library.find("renamed", library.hash_of(file)).label == f"network {turn}"
                assert len(library.search("network")) == 20
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
