"""Named stacks on disk: kept whole, found again, never overwritten by accident."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from lib_lora.errors import PresetError, StackError
from lib_lora.library.presets import COUNT_LIMIT, NAME_LIMIT, Presets

STACK = '{"version":1,"entries":[{"network":"a","weight":0.5}]}'
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
OTHER = '{"version":1,"entries":[]}'


@pytest.fixture
def presets(tmp_path: Path) -> Presets:
    return Presets(tmp_path / "presets")


def names(presets: Presets) -> list[str]:
    return [preset.name for preset in presets.all()[0]]


def test_none_before_the_first(presets: Presets) -> None:
    assert presets.all() == ((), ())


@pytest.mark.parametrize(
    "name", ["two girls", "ネオン 👩", "a/b\\c:d*e?", "..", "CON", "x" * NAME_LIMIT, "é"]
)
def test_any_name_is_kept_and_found(presets: Presets, name: str) -> None:
    presets.save(name, STACK)
    (preset,), problems = presets.all()
    assert (preset.name, preset.stack, problems) == (name, STACK, ())
    presets.delete(name)
    assert names(presets) == []


def test_the_same_name_is_replaced_also_where_it_is_spelt_otherwise(presets: Presets) -> None:
    presets.save("café", STACK)
    presets.save(" cafe\u0301 ", OTHER)
    (preset,), _ = presets.all()
    assert preset.stack == OTHER


def test_names_stand_in_order_and_differ_by_case(presets: Presets) -> None:
    for name in ("b", "A", "a"):
        presets.save(name, STACK)
    assert names(presets) == ["A", "a", "b"]


def test_rename(presets: Presets) -> None:
    presets.save("a", STACK)
    presets.save("b", OTHER)
    with pytest.raises(PresetError, match="'b' already"):
        presets.rename("a", "b")
    presets.rename("a", "A")
    presets.rename("A", "A")
    assert names(presets) == ["A", "b"]
    assert presets.all()[0][0].stack == STACK


def test_an_unknown_name_is_told_with_the_nearest(presets: Presets) -> None:
    presets.save("two girls", STACK)
    for action in (presets.delete, lambda name: presets.rename(name, "x")):
        with pytest.raises(PresetError, match="'two girls'"):
            action("two girl")


@pytest.mark.parametrize("name", ["", "  ", "x" * (NAME_LIMIT + 1), "a\ud800"])
def test_names_that_cannot_be(presets: Presets, name: str) -> None:
    with pytest.raises(PresetError):
        presets.save(name, STACK)


@pytest.mark.parametrize("stack", ["{", '{"version":9,"entries":[]}', '[{"network":"a","weight":"b"}]'])
def test_a_stack_that_cannot_be_read_is_not_kept(presets: Presets, stack: str) -> None:
    with pytest.raises(StackError):
        presets.save("a", stack)
    assert names(presets) == []


def test_foreign_files_are_told_and_left_alone(presets: Presets, tmp_path: Path) -> None:
    presets.save("a", STACK)
    (path,) = (tmp_path / "presets").glob("*.json")
    path.write_text('{"name": "a", ')
    (tmp_path / "presets" / "more.json").write_text("[1]")
    found, problems = presets.all()
    assert found == ()
    assert len(problems) == 2
    with pytest.raises(PresetError, match="Move it away"):
        presets.save("a", STACK)
    assert path.read_text() == '{"name": "a", '


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[" * 100_000, "recursion"),
        (b'{"name": "a\\ud83d", "stack": {}}', "half a character"),
        (b'{"name": "a", "stack": {"entries": [{"network": "\\ud83d"}]}}', "half a character"),
        (b"[]", "list"),
        (b"\xff", "utf-8"),
    ],
    ids=["nested", "name", "stack", "list", "bytes"],
)
@pytest.mark.parametrize("bad", [b"bad.json", pytest.param(b"\xff.json", marks=LINUX)])
def test_one_bad_file_hides_no_other(
    presets: Presets, tmp_path: Path, content: bytes, told: str, bad: bytes
) -> None:
    presets.save("good", STACK)
    (tmp_path / "presets" / os.fsdecode(bad)).write_bytes(content)
    assert names(presets) == ["good"]
    (problem,) = presets.all()[1]
    assert told in problem
    problem.encode()
    presets.rename("good", "better")
    json.dumps([preset.stack for preset in presets.all()[0]], ensure_ascii=False).encode()


def test_a_file_saved_by_a_plain_editor_is_read(presets: Presets, tmp_path: Path) -> None:
    """Those of Windows put a mark before the text."""
    presets.save("mine", STACK)
    (path,) = (tmp_path / "presets").iterdir()
    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert names(presets) == ["mine"]


def test_a_file_that_was_given_another_name_is_still_that_preset(presets: Presets, tmp_path: Path) -> None:
    """It was listed, and could be neither deleted nor renamed; saved again there were two of one name."""
    presets.save("a", STACK)
    (path,) = (tmp_path / "presets").glob("*.json")
    path.rename(path.with_name("my girls.json"))
    assert presets.find("a").stack == STACK
    presets.save("a", OTHER)
    assert [preset.stack for preset in presets.all()[0]] == [OTHER]
    presets.rename("a", "b")
    presets.delete("b")
    assert names(presets) == []


def test_a_failing_disk_leaves_the_old_preset(presets: Presets, monkeypatch: pytest.MonkeyPatch) -> None:
    presets.save("a", STACK)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PresetError, match="No space"):
        presets.save("a", OTHER)
    (preset,), problems = presets.all()
    assert (preset.stack, problems) == (STACK, ())
    assert len(list(presets._folder.iterdir())) == 1


def test_a_folder_that_may_not_be_changed_is_told(presets: Presets, monkeypatch: pytest.MonkeyPatch) -> None:
    presets.save("a", STACK)

    def refuse(_path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(PresetError, match=r"cannot be removed.*Permission denied"):
        presets.delete("a")


def test_a_folder_that_may_not_be_read_is_told(presets: Presets, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list was empty without a word, and every button ended in an error of the server."""
    presets.save("a", STACK)

    def refusing(real: Any) -> Any:
        def asked(path: object, *rest: Any, **named: Any) -> Any:
            if "presets" in Path(str(path)).parts[-2:]:
                raise PermissionError(13, "Permission denied")
            return real(path, *rest, **named)

        return asked

    for name in ("stat", "listdir", "scandir", "open"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
    found, problems = presets.all()
    assert found == ()
    assert ["cannot be read: Permission denied" in problem for problem in problems] == [True]
    for change in (
        lambda: presets.save("b", STACK),
        lambda: presets.rename("a", "b"),
        lambda: presets.delete("a"),
    ):
        with pytest.raises(PresetError):
            change()
    monkeypatch.undo()
    assert names(presets) == ["a"]


def test_there_is_an_end(presets: Presets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib_lora.library.presets.COUNT_LIMIT", 2)
    presets.save("a", STACK)
    presets.save("b", STACK)
    presets.save("b", OTHER)
    with pytest.raises(PresetError, match="Delete some"):
        presets.save("c", STACK)
    assert COUNT_LIMIT > 1000


def test_the_file_can_be_read_by_people(presets: Presets, tmp_path: Path) -> None:
    presets.save("two girls", STACK)
    (path,) = (tmp_path / "presets").glob("*.json")
    assert path.name.startswith("two-girls-")
    assert json.loads(path.read_text()) == {"name": "two girls", "stack": json.loads(STACK)}
