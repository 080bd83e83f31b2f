"""Which folders are searched and how stacks are applied, as the host's options say."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from lib_lora.hosts import options


class Host:
    """The few names of a WebUI that the options are read from."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data: dict[str, Any] = {}
        self.flags = SimpleNamespace()
        for name in ("models/Lora", "extensions", "more", "other", "named", "lycoris", "old", "neo"):
            (root / name).mkdir(parents=True)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        modules, shared, paths = ModuleType("modules"), ModuleType("shared"), ModuleType("paths_internal")
        shared.opts = SimpleNamespace(data=self.data)  # type: ignore[attr-defined]
        shared.cmd_opts = self.flags  # type: ignore[attr-defined]
        paths.models_path = str(self.root / "models")  # type: ignore[attr-defined]
        paths.extensions_dir = str(self.root / "extensions")  # type: ignore[attr-defined]
        modules.shared, modules.paths_internal = shared, paths  # type: ignore[attr-defined]
        for name, module in (("", modules), (".shared", shared), (".paths_internal", paths)):
            monkeypatch.setitem(sys.modules, f"modules{name}", module)

    def names(self) -> list[str]:
        return [path.relative_to(self.root.resolve()).as_posix() for path in options.folders()]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    found = Host(tmp_path)
    found.install(monkeypatch)
    return found


def test_the_host_s_own_folder_without_any_option(host: Host) -> None:
    assert host.names() == ["models/Lora"]


def test_the_host_s_folder_may_be_elsewhere(host: Host) -> None:
    host.flags.lora_dir = str(host.root / "other")
    assert host.names() == ["other"]


def test_every_source_of_folders_in_order(host: Host) -> None:
    addnet = host.root / "extensions" / "sd-webui-additional-networks" / "models" / "lora"
    addnet.mkdir(parents=True)
    host.flags.lyco_dir_backcompat = str(host.root / "lycoris")
    host.flags.lora_dirs = [str(host.root / "neo")]
    host.flags.lora_stack_dir = [str(host.root / "named")]
    host.data["additional_networks_extra_lora_path"] = str(host.root / "old")
    host.data[options.FOLDERS] = f"{host.root / 'more'}\n{host.root / 'other'}"
    assert host.names() == [
        "models/Lora",
        "lycoris",
        "neo",
        "extensions/sd-webui-additional-networks/models/lora",
        "old",
        "named",
        "more",
        "other",
    ]


def test_addnet_s_folders_as_it_lists_them(host: Host) -> None:
    """Several, divided by commas, those with a comma in their name in quotes."""
    (host.root / "a, b").mkdir()
    listed = f'{host.root / "old"}, "{host.root / "a, b"}", {host.root / "more"}'
    host.data["additional_networks_extra_lora_path"] = listed
    assert host.names() == ["models/Lora", "old", "a, b", "more"]


def test_each_folder_once_and_only_if_it_is_there(host: Host) -> None:
    (host.root / "link").symlink_to(host.root / "more")
    host.data[options.FOLDERS] = f"{host.root / 'more'}, {host.root / 'link'}, {host.root / 'gone'}, ,"
    assert host.names() == ["models/Lora", "more"]


def test_a_folder_in_two_spellings_is_one(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Mac `Lora` and `lora` are; every file in both would have been one of two."""
    (host.root / "MORE").symlink_to(host.root / "more")
    monkeypatch.setattr(Path, "resolve", Path.absolute)  # as there: it leaves the letters as they are
    host.data[options.FOLDERS] = f"{host.root / 'more'}, {host.root / 'MORE'}"
    assert host.names() == ["models/Lora", "more"]


def test_a_folder_that_the_user_named_and_that_is_not_there_is_told_of(host: Host) -> None:
    host.flags.lora_dir = str(host.root / "no host's")
    host.flags.lora_stack_dir = [str(host.root / "away"), str(host.root / "named")]
    host.data[options.FOLDERS] = f'"{host.root / "mroe"}", {host.root / "more"}\n\n{host.root / "away"}'
    assert host.names() == ["named", "more"]
    assert options.absent_folders() == (host.root / "away", host.root / "mroe")


@pytest.mark.parametrize("name", ["~Loras of mine", "x" * 5000, "a\0b"], ids=["tilde", "long", "nul"])
def test_a_name_that_no_folder_can_have_stops_nothing(host: Host, name: str) -> None:
    """The lists and every picture with a row failed."""
    host.data[options.FOLDERS] = f"{name}\n{host.root / 'more'}"
    assert host.names() == ["models/Lora", "more"]
    assert options.absent_folders() == (Path.cwd() / name,)


def test_the_data_folder_may_begin_with_a_tilde(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(host.root))
    monkeypatch.setenv("USERPROFILE", str(host.root))
    for chosen, found in (("~/notes", host.root / "notes"), ("~notes of mine", Path("~notes of mine"))):
        host.flags.lora_stack_data = chosen
        assert options.data_folder() == found


def test_a_drive_that_fails_is_one_that_is_away(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.data[options.FOLDERS] = f"{host.root / 'more'}, {host.root / 'other'}"
    real = os.stat

    def failing(path: object, **asked: bool) -> object:
        if str(path).endswith("more"):
            raise OSError(errno.EIO, "Input/output error")
        return real(path, **asked)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "stat", failing)
    assert host.names() == ["models/Lora", "other"]
    assert options.absent_folders() == (host.root / "more",)


def test_folders_as_windows_copies_them_and_with_commas(host: Host) -> None:
    (host.root / "styles, old").mkdir()
    host.data[options.FOLDERS] = (
        f'"{host.root / "more"}", "{host.root / "other"}"\n{host.root / "styles, old"}'
    )
    assert host.names() == ["models/Lora", "more", "other", "styles, old"]


@pytest.mark.parametrize(("name", "label"), options.MODES)
def test_mode_by_label_or_name(host: Host, name: str, label: str) -> None:
    for text in (name, label):
        host.data[options.MODE] = text
        assert options.mode() == name


def test_an_unknown_mode_is_automatic(host: Host) -> None:
    host.data[options.MODE] = "from another version"
    assert options.mode() == "auto"


@pytest.mark.parametrize("automatic", [{}, {"lora_stack_language": "Automatic", "localization": "None"}])
def test_no_language_is_asked_for_by_default(host: Host, automatic: dict[str, str]) -> None:
    host.data.update(automatic)
    assert (options.language(), options.localization()) == ("", "")


def test_language_and_localization_are_told_apart(host: Host) -> None:
    host.data.update({"lora_stack_language": "日本語", "localization": "zh_CN"})
    assert (options.language(), options.localization()) == ("日本語", "zh_CN")
