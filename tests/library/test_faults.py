"""Killed, starved and disturbed: what the user noted is whole, and the list comes back complete and true."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_lora.files.edit import edit_metadata
from lib_lora.files.hashes import file_sha256, payload_sha256
from lib_lora.files.header import read_header
from lib_lora.files.writing import PARTIAL
from lib_lora.library.database import MINE
from lib_lora.library.known_hashes import PAYLOAD, WHOLE
from lib_lora.library.library import Library
from tests.files.samples import lora, network, write
from tests.library.shelves import put

REPOSITORY = Path(__file__).parents[2]
FILES = 60
ROUNDS = 3  # kills of each kind
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "lora"
    for number in range(FILES):
        put(root, f"network {number:02}", number, ss_session_id=str(number))
    return root


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def start(work: str, root: Path, data: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.library.victims", work, str(root), str(data)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_at_random(process: subprocess.Popen[str], draw: random.Random, after: str) -> list[str]:
    """Kill a process some moments after it said `after`; return what it said since."""
    said: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(after):
            break
    else:
        raise AssertionError(process.stderr.read() if process.stderr else "")
    reader = threading.Thread(target=lambda: said.extend(process.stdout))  # type: ignore[arg-type]
    reader.start()
    time.sleep(draw.uniform(0.0, 0.3))
    process.kill()
    process.wait()
    reader.join()
    process.communicate()
    return [line.strip() for line in said]


def opened(root: Path, data: Path) -> Library:
    library = Library([root], data=data)
    library.scan()
    assert library.problems() == ()
    return library


def is_complete(library: Library) -> bool:
    """Tell whether every file is listed and found, and the index's own parts agree with one another."""
    with library.database.reading() as connection:
        sound = connection.execute("PRAGMA main.integrity_check").fetchall() == [("ok",)]
        connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    names = [f"network {number:02}" for number in range(FILES)]
    return sound and [file.label for file in library.search("network")] == names


@pytest.mark.parametrize("after", ["begins", "ready"])
def test_killed_during_a_scan(root: Path, data: Path, after: str) -> None:
    draw = random.Random(after)
    first = opened(root, data)
    first.note(first.find("network 07"), {"title": "mine", "rating": 5})
    first.close()
    for _ in range(ROUNDS):
        for index in data.glob("index-*") if after == "begins" else ():
            index.unlink()  # so that the killed one makes it
        kill_at_random(start("scan", root, data), draw, after)
        library = opened(root, data)
        assert is_complete(library)
        assert library.summary(library.find("network 07"))["title"] == "mine"
        library.close()


def test_killed_while_something_is_noted(root: Path, data: Path) -> None:
    draw, path = random.Random(2), str(root / "network 00.safetensors")
    for _ in range(ROUNDS):
        said = kill_at_random(start("note", root, data), draw, "ready")
        library = opened(root, data)
        told, last = library.notes.of(path), int(said[-1]) if said else 0
        if told["title"] is not None and said:
            turn = int(told["title"].split()[1])
            assert turn in (last, last + 1), "what was said to be noted is noted, and at most one more"
            assert told["notes"] == (f"turn {turn} " * 50).strip()
            assert told["weight"] == turn % 100
        assert is_complete(library)
        uses = told["uses"] or 0
        assert len(library.notes.history(path)) == min(uses, 50)
        library.close()


def test_killed_while_hashing(root: Path, data: Path) -> None:
    draw = random.Random(3)
    for number in range(12):  # large enough to be killed in
        content = network({"lora_unet_x.lora_down.weight": (3_000_000,)}, {"n": str(number)}, "U8")
        write(root / f"network {number:02}.safetensors", content)
    for _ in range(ROUNDS):
        kill_at_random(start("hash", root, data), draw, "ready")
        library = opened(root, data)
        for file in library.files():
            assert library.hashes.known(file, WHOLE) in ("", file_sha256(file.path))
            assert library.hashes.known(file, PAYLOAD) in ("", payload_sha256(file.path))
        library.close()
    library = opened(root, data)
    library.hashing.start(library.files())
    library.hashing.wait(30.0)
    assert all(library.hashes.known(file, WHOLE) for file in library.files())
    library.close()


def test_killed_while_writing_into_a_file(root: Path, data: Path) -> None:
    draw, path = random.Random(4), root / "network 00.safetensors"
    write(path, network({"lora_unet_x.lora_down.weight": (1_000_000,)}, {"modelspec.title": "turn 0"}, "U8"))
    before = payload_sha256(path)
    for _ in range(ROUNDS):
        said = kill_at_random(start("edit", root, data), draw, "ready")
        title = read_header(path).metadata["modelspec.title"]
        assert payload_sha256(path) == before
        assert not said or int(title.split()[1]) in (int(said[-1]), int(said[-1]) + 1)
        assert is_complete(opened(root, data)), "what it left half-written is not listed"
    left = write(root / f".{path.name}.killed{PARTIAL}", b"half")
    young = write(root / f".{path.name}.writing{PARTIAL}", b"half")
    os.utime(left, (0, 0))
    edit_metadata(path, {"modelspec.title": "whole"})
    assert (left.exists(), young.exists()) == (False, True), "another process may be writing the young one"


@pytest.fixture
def others() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def test_two_processes_scan_and_note_at_once(
    root: Path, data: Path, others: list[subprocess.Popen[str]]
) -> None:
    others += [start("scan5", root, data), start("note30", root, data), start("scan5", root, data)]
    for process in others:
        told, problems = process.communicate(timeout=90)
        assert process.returncode == 0, problems
        assert "locked" not in problems
        assert "\nready\n" in told, "it has no problem with the folder of the databases"
    library = opened(root, data)
    assert is_complete(library)
    assert library.notes.of(str(root / "network 00.safetensors"))["title"] == "turn 30"
    assert library.notes.of(str(root / "network 00.safetensors"))["uses"] == 30


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot limit the size of a process's files")
def test_a_disk_that_fills_up_and_has_room_again(root: Path, data: Path) -> None:
    process = start("fill", root, data)
    told, problems = process.communicate(timeout=90)
    assert process.returncode == 0, problems
    lines = told.splitlines()
    full = next(line for line in lines if line.startswith("full"))
    assert "could not be saved" in full
    assert f"found {FILES}" in lines, "the list is there without a disk"
    assert lines[-1] == "room room again"
    (data / MINE).unlink()  # what the journal says
    library = opened(root, data)
    turn = int(full.split()[1])
    own = library.notes.of(str(root / "network 00.safetensors"))
    assert own["title"] == "room again"
    assert own["notes"] == (f"turn {turn - 1} " * 500).strip(), "what was refused is not noted after all"
    assert is_complete(library)


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot limit the size of a process's files")
def test_an_index_that_finds_no_room_is_kept_in_memory(root: Path, data: Path) -> None:
    process = start("starve", root, data)
    told, problems = process.communicate(timeout=90)
    assert process.returncode == 0, problems
    assert told.splitlines()[-1] == f"found {FILES}"
    assert is_complete(opened(root, data)), "once there is room"


@pytest.mark.parametrize("way", ["replaced", "rewritten"])
def test_files_that_change_while_they_are_read(tmp_path: Path, way: str) -> None:
    """A list shows one version or the other, never a mixture; the last one when all is quiet."""
    path, stop = tmp_path / "lora" / "neon.safetensors", threading.Event()
    versions = [
        network(lora("lora_unet_x", 320, 768, rank), {"modelspec.title": f"rank {rank}"}) for rank in (4, 8)
    ]
    write(path, versions[0])

    def change() -> None:
        for turn in range(2000):
            if stop.is_set():
                return
            if way == "replaced":
                os.replace(write(path.with_suffix(".new"), versions[turn % 2]), path)  # noqa: PTH105
            else:
                path.write_bytes(versions[turn % 2])

    library = Library([path.parent])
    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(30):
            library.scan()
            for file in library.files():
                if not file.problem:
                    assert file.record.title == f"rank {file.record.rank}"
                else:
                    assert way == "rewritten", file.problem
    finally:
        stop.set()
        thread.join()
    path.write_bytes(versions[1])
    os.utime(path)
    library.scan()
    (file,) = library.files()
    assert (file.record.title, file.problem) == ("rank 8", "")
