"""Whether files fit the loaded checkpoint, before a picture is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_lora.keys import find_target
from lib_lora.keys.targets import LoadedTarget
from lib_lora.library.library import Library
from lib_lora.library.network_file import NetworkFile
from lib_lora.ui import fits as module
from lib_lora.ui.fits import Fits
from tests.ui.files import write_network


@pytest.fixture
def files(tmp_path: Path) -> dict[str, NetworkFile]:
    write_network(tmp_path / "sd1.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"half")
    library = Library([tmp_path])
    library.scan()
    return {file.label: file for file in library.files()}


SD1, SD2, SDXL = (find_target(name) for name in ("sd1", "sd2", "sdxl"))


def test_a_file_for_this_checkpoint(files: dict[str, NetworkFile]) -> None:
    assert Fits(lambda: SD1).of(files["sd1"]) == {
        "fits": True,
        "matched": 1,
        "total": 1,
        "reason": "",
        "label": "SD 1.x",
    }


def test_a_file_for_another_one_says_why(files: dict[str, NetworkFile]) -> None:
    told = Fits(lambda: SDXL).of(files["sd1"])
    assert told is not None
    assert told["fits"] is False
    assert "SD 1" in told["reason"]


def test_nothing_is_said_without_checkpoint_or_of_a_broken_file(files: dict[str, NetworkFile]) -> None:
    assert Fits(lambda: None).of(files["sd1"]) is None
    assert Fits(lambda: SD1).of(files["broken"]) is None


def test_the_answer_follows_the_checkpoint_and_is_worked_out_once(
    files: dict[str, NetworkFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = [SD1]
    fits = Fits(lambda: loaded[0])
    first = fits.of(files["sd1"])
    monkeypatch.setattr(module, "_compared", lambda file, target: {"fits": target.name})
    assert fits.of(files["sd1"]) is first
    loaded[0] = SD2
    assert fits.of(files["sd1"]) == {"fits": "sd2"}
    loaded[0] = SD1
    assert fits.of(files["sd1"]) == {"fits": "sd1"}
    monkeypatch.setattr(module, "_compared", lambda file, target: {"fits": "anew"})
    assert fits.of(files["sd1"]) == {"fits": "sd1"}
    monkeypatch.setattr(module, "KEPT", 1)
    assert fits.of(files["sd1"]) == {"fits": "anew"}, "what is too much is forgotten"


def test_the_loaded_checkpoint_s_own_sizes_count(files: dict[str, NetworkFile]) -> None:
    name = "unet.input_blocks.1.1.transformer_blocks.0.attn2.to_k"
    small = LoadedTarget("sd1", "SD 1.x", SD1.architecture, sizes={name: (32, 64)})
    told = Fits(lambda: small).of(files["sd1"])
    assert told is not None
    assert told["fits"] is False
    same = LoadedTarget("sd1", "SD 1.x", SD1.architecture, sizes={name: (320, 768, 1, 1)})
    told = Fits(lambda: same).of(files["sd1"])
    assert told is not None
    assert told["fits"] is True
