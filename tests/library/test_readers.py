"""Reading with other processes: the same index as without, whatever becomes of them."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from lib_lora.files import ahead as files_ahead
from lib_lora.files.ahead import Ahead
from lib_lora.library import early as early_index
from lib_lora.library import readers, scan
from lib_lora.library.library import Library
from lib_lora.library.reader_process import BATCH
from lib_lora.library.reading import Found, Told
from tests.files.samples import write
from tests.library.shelves import UNFINISHED, put

FILES = 12 * BATCH
RAN = readers._RUN
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Files of all kinds: whole and broken, with and without sidecars, with names of every sort."""
    root = tmp_path / "lora"
    for number in range(FILES):
        folder = ("styles", "画風", "a, b")[number % 3]
        path = put(root, f"{folder}/neon {number:03}", number % 256, ss_output_name=f"alias{number}")
        if number % 4 == 0:
            write(path.with_suffix(".json"), b'{"activation text": "glow, neon", "preferred weight": 0.7}')
        if number % 9 == 0:
            write(path.with_suffix(".civitai.info"), b'{"baseModel": "SDXL 1.0", "trainedWords": ["x"]}')
        if number % 17 == 0:
            path.write_bytes(UNFINISHED)
    write(root / "styles" / "old.pt", b"\x80")
    write(root / "styles" / "half.json", b"{")
    if sys.platform == "linux":
        odd = os.fsencode(root) + b"/styles/\xff odd.safetensors"
        Path(os.fsdecode(odd)).write_bytes((root / "styles" / "neon 003.safetensors").read_bytes())
    return root


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files that other processes told of; a few are enough to ask them, and they get a head start."""
    heard: list[str] = []
    real = readers._Share.heard

    def hearing(self: readers._Share) -> Sequence[tuple[Found, Told]]:
        found = list(real(self))
        heard.extend(file.path for file, _ in found)
        return found

    for module in (readers, scan):
        monkeypatch.setattr(module, "AT_LEAST", 10)
    monkeypatch.setattr(readers, "_processors", lambda: 2)
    monkeypatch.setattr(readers, "PATIENCE", 60.0)
    monkeypatch.setattr(readers._Share, "heard", hearing)
    return heard


def ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the others read all that they can before this process reads anything."""
    begun: set[int] = set()

    def free(share: readers._Share) -> int:
        if share.others or share._told:
            begun.add(id(share))
        return 0 if share.others or id(share) not in begun else share.back - share.front

    monkeypatch.setattr(readers._Share, "free", free)


def rows(data: Path) -> list[list[object]]:
    """All rows of an index, and whether its index of words agrees with them."""
    (index,) = data.glob("index-*.sqlite")
    connection = sqlite3.connect(index)
    connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    tables = [
        connection.execute(f"SELECT * FROM {name} ORDER BY id").fetchall() for name in ("files", "texts")
    ]
    connection.close()
    return tables  # type: ignore[return-value]


def indexed(root: Path, data: Path) -> Library:
    library = Library([root], data=data)
    library.scan()
    return library


def alone(root: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[object]]:
    with monkeypatch.context() as patch:
        for module in (readers, scan):
            patch.setattr(module, "AT_LEAST", 10**9)
        indexed(root, data).close()
    return rows(data)


@pytest.mark.skipif(sys.platform != "linux", reason="what is open is asked of Linux")
def test_files_announced_to_the_disk(
    root: Path, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is in memory the index is the same, and what nobody took is closed again."""
    expected = alone(root, tmp_path / "alone", monkeypatch)
    begun: list[str] = []
    real = Ahead.begin

    def begin(self: Ahead, paths: Iterable[str]) -> bool:
        asked = [*paths, str(root / "styles" / "half.json")]  # which nobody takes
        begun.extend(asked[:-1])
        return real(self, asked)

    monkeypatch.setattr(Ahead, "begin", begin)
    monkeypatch.setattr(files_ahead, "_is_in_memory", lambda file: False)
    indexed(root, tmp_path / "together").close()
    assert begun and len(begun) == len(set(begun)), "each once"
    assert rows(tmp_path / "together") == expected
    still = [path for path in Path("/proc/self/fd").iterdir() if str(root) in str(path.resolve())]
    assert not still


@pytest.mark.parametrize("processors", [2, 4])
def test_the_same_index(
    root: Path, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch, processors: int
) -> None:
    expected = alone(root, tmp_path / "alone", monkeypatch)
    assert not told
    monkeypatch.setattr(readers, "_processors", lambda: processors)
    ahead(monkeypatch)
    library = indexed(root, tmp_path / "together")
    assert rows(tmp_path / "together") == expected
    assert len(told) > FILES / 2, "they read most, this process next to nothing"
    flaws = {file.name: file.flaw for file in library.files()}
    assert "download is not complete" in flaws["neon 017"]
    assert "pickle" in flaws["old"] or "can run code" in flaws["old"]
    assert library.scanning.status()["done"] == len(library.files())
    first = library.files()
    library.scan()
    kept = [new is old for new, old in zip(library.files(), first, strict=True) if not old.flaw]
    assert all(kept)
    library.close()


def test_both_read_until_they_meet(
    root: Path, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = alone(root, tmp_path / "alone", monkeypatch)
    real = scan.Glancer.read

    def slowly(self: scan.Glancer, path: str) -> object:
        time.sleep(0.005)  # so that there is something left when the other process has started
        return real(self, path)

    monkeypatch.setattr(scan.Glancer, "read", slowly)
    indexed(root, tmp_path / "together").close()
    assert 0 < len(told) < FILES
    assert rows(tmp_path / "together") == expected


@pytest.mark.parametrize(
    "run",
    [
        "raise SystemExit(1)",
        "import sys; sys.stdout.buffer.write(b'\\x04\\0\\0\\0junk'); sys.stdout.flush()",
        "import sys; sys.stdin.buffer.read(4)",
        RAN.replace("import main", "import main, receive; import marshal, sys; old = marshal.dumps;"
                    " marshal.dumps = lambda told: sys.exit() if len(old(told)) > 3000 else old(told)"),
    ],
    ids=["ends at once", "talks nonsense", "hears nothing", "ends before it tells"],
)  # fmt: skip
def test_a_process_that_fails(
    root: Path, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch, run: str
) -> None:
    expected = alone(root, tmp_path / "alone", monkeypatch)
    monkeypatch.setattr(readers, "_RUN", run)
    indexed(root, tmp_path / "together").close()
    assert rows(tmp_path / "together") == expected
    assert not told


def test_a_process_that_is_killed_in_the_middle(
    root: Path, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = alone(root, tmp_path / "alone", monkeypatch)
    ahead(monkeypatch)
    started: list[subprocess.Popen[bytes]] = []
    real_start, real_heard = readers._start, readers._Share.heard

    def start() -> subprocess.Popen[bytes] | None:
        process = real_start()
        assert process is not None
        started.append(process)
        return process

    def heard(self: readers._Share) -> Sequence[tuple[Found, Told]]:
        found = list(real_heard(self))
        if len(told) > 2 * BATCH:
            started[0].kill()
        return found

    monkeypatch.setattr(readers, "_start", start)
    monkeypatch.setattr(readers._Share, "heard", heard)
    indexed(root, tmp_path / "together").close()
    assert rows(tmp_path / "together") == expected
    assert told
    assert started[0].returncode is not None


def test_a_silent_process_is_not_waited_for(
    root: Path, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = alone(root, tmp_path / "alone", monkeypatch)
    monkeypatch.setattr(readers, "_RUN", "import time; time.sleep(600)")
    monkeypatch.setattr(readers, "PATIENCE", 0.2)
    began = time.monotonic()
    indexed(root, tmp_path / "together").close()
    assert rows(tmp_path / "together") == expected
    assert time.monotonic() - began < 60
    assert not told


@pytest.mark.parametrize("program", ["", "/opt/webui/webui", "/no/such/python3"])
def test_no_python_to_start(
    root: Path, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    library = indexed(root, tmp_path / "data")
    assert len(library.files()) > FILES
    assert not told
    library.close()


def test_few_files_start_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_start", lambda: pytest.fail("a process for a few files"))
    library = Library([root])
    library.scan()
    assert len(library.files()) > FILES


@pytest.mark.skipif(sys.platform == "win32", reason="asks for a process by a signal")
@pytest.mark.parametrize("files", [0, 100_000], ids=["that waits", "that reads"])
def test_a_process_ends_with_the_one_that_started_it(root: Path, files: int) -> None:
    text = (
        "import sys, time; from pathlib import Path; from threading import Event\n"
        "from lib_lora.library.readers import _Share, _start; from lib_lora.library.reading import Found\n"
        f"found = [Found(Path({str(root)!r}), {str(root)!r} + '/styles/neon 003.safetensors', 1, 1, ())]\n"
        "process = _start(); print(process.pid, flush=True)\n"
        f"_Share(found * {files}, Event()).listen(process) if {files} else time.sleep(600)\n"
    )
    repository = Path(__file__).parents[2]
    parent = subprocess.Popen([sys.executable, "-c", text], cwd=repository, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.5)
    os.kill(child, 0)
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    end = time.monotonic() + 30
    while time.monotonic() < end and _is_running(child):
        time.sleep(0.05)
    assert not _is_running(child)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
        return "Z" not in Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2][:3]
    except (ProcessLookupError, FileNotFoundError):
        return False


class TestEarlyIndex:
    def test_nobody_sees_it_before_it_is_whole(
        self, root: Path, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        counts: list[int] = []
        real = early_index.EarlyIndex.finish
        library = Library([root], data=tmp_path / "data")

        def finish(self: early_index.EarlyIndex) -> bool:
            for _ in range(2):
                with library.database.reading() as connection:
                    counts.extend(connection.execute("SELECT count(*) FROM files").fetchone())
                done = real(self)
            return done or len(counts) == 2

        monkeypatch.setattr(early_index.EarlyIndex, "finish", finish)
        library.scan()
        assert counts == [0, len(library.files())]
        assert len(library.search("neon")) >= FILES
        library.close()

    @pytest.mark.parametrize("fault", ["begin_filling", "end_filling"])
    def test_a_fault_leaves_it_to_the_usual_way(
        self, root: Path, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch, fault: str
    ) -> None:
        expected = alone(root, tmp_path / "alone", monkeypatch)
        library = Library([root], data=tmp_path / "data")
        real = getattr(library.database, fault)
        faults: list[str] = []

        def failing(connection: sqlite3.Connection) -> None:
            if not faults:
                faults.append(fault)
                raise sqlite3.OperationalError("database or disk is full")
            real(connection)

        monkeypatch.setattr(library.database, fault, failing)
        library.scan()
        library.close()
        assert faults
        assert rows(tmp_path / "data") == expected

    def test_another_process_that_writes_goes_first(
        self, root: Path, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected = alone(root, tmp_path / "alone", monkeypatch)
        library = Library([root], data=tmp_path / "data")
        assert library.database.folder is not None
        other = sqlite3.connect(library.database.folder / library.database.index_name, isolation_level=None)
        real = early_index.EarlyIndex.add

        def add(self: early_index.EarlyIndex, files: Sequence[object]) -> None:
            other.execute("BEGIN IMMEDIATE")
            real(self, files)  # type: ignore[arg-type]
            other.execute("ROLLBACK")

        monkeypatch.setattr(early_index.EarlyIndex, "add", add)
        library.scan()
        other.close()
        library.close()
        assert rows(tmp_path / "data") == expected

    def test_files_that_come_later_are_added_as_ever(
        self, root: Path, tmp_path: Path, told: list[str]
    ) -> None:
        library = indexed(root, tmp_path / "data")
        before = len(library.files())
        for number in range(2 * BATCH):
            put(root, f"later/orchid {number}", number)
        library.scan()
        assert len(library.files()) == before + 2 * BATCH
        assert len(library.search("orchid")) == 2 * BATCH
        library.close()
        assert len(rows(tmp_path / "data")[0]) == before + 2 * BATCH
