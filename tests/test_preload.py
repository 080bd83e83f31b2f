"""The command line: our flag, and AddNet's where AddNet does not bring it itself."""

from __future__ import annotations

import runpy
import shutil
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

PRELOAD = Path(__file__).resolve().parents[1] / "preload.py"


def parse(extension: Path, *words: str) -> Namespace:
    extension.mkdir(parents=True)
    shutil.copy(PRELOAD, extension)
    parser = ArgumentParser()
    runpy.run_path(str(extension / "preload.py"))["preload"](parser)
    return parser.parse_args(words)


def test_folders_may_be_given_several_times(tmp_path: Path) -> None:
    found = parse(tmp_path / "extensions" / "ours", "--lora-stack-dir", "a", "--lora-stack-dir", "b")
    assert found.lora_stack_dir == ["a", "b"]
    assert parse(tmp_path / "other" / "ours").lora_stack_dir == []


def test_addnet_s_flag_survives_addnet(tmp_path: Path) -> None:
    """A WebUI whose start script still names it would refuse to start."""
    found = parse(tmp_path / "extensions" / "ours", "--addnet-max-model-count", "10")
    assert found.addnet_max_model_count == 10


def test_addnet_s_flag_is_its_own_where_it_is_installed(tmp_path: Path) -> None:
    script = tmp_path / "extensions" / "sd-webui-additional-networks" / "scripts" / "additional_networks.py"
    script.parent.mkdir(parents=True)
    script.touch()
    assert not hasattr(parse(tmp_path / "extensions" / "ours"), "addnet_max_model_count")
    with pytest.raises(SystemExit):
        parse(tmp_path / "extensions" / "again", "--addnet-max-model-count", "10")
