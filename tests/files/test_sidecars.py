"""What lies beside a network is read as the WebUI writes it, and never in the way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lib_lora.files.sidecars import SIZE_LIMIT, TEXT_LIMIT, Sidecar, find_preview, read_sidecar
from tests.files.samples import write


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return tmp_path / "neon v1.5.safetensors"


def beside(network: Path, document: object) -> None:
    write(network.with_suffix(".json"), json.dumps(document).encode())


def test_what_the_webui_writes(network: Path) -> None:
    beside(
        network,
        {
            "description": "Neon.\nBright.",
            "sd version": "SD1",
            "activation text": "neon glow, night",
            "negative text": "day",
            "preferred weight": 0.45,
            "notes": "Use at night.",
            "foreign": [1],
        },
    )
    assert network.with_suffix(".json").name == "neon v1.5.json"
    assert read_sidecar(network) == Sidecar(
        activation_text="neon glow, night",
        negative_text="day",
        preferred_weight=0.45,
        notes="Use at night.",
        sd_version="SD1",
        description="Neon.\nBright.",
    )


def test_nothing_there(network: Path) -> None:
    assert read_sidecar(network) == Sidecar()
    assert find_preview(network) is None


def test_a_description_of_its_own(network: Path) -> None:
    write(network.with_suffix(".txt"), "\ufeffNeon.".encode())
    assert read_sidecar(network).description == "Neon."
    beside(network, {"description": "Better."})
    assert read_sidecar(network).description == "Better."


@pytest.mark.parametrize(
    ("weight", "read"),
    [
        pytest.param(0.8, 0.8, id="a weight"),
        pytest.param(1, 1.0, id="a whole number"),
        pytest.param(-0.5, -0.5, id="negative"),
        pytest.param(0, None, id="zero means none"),
        pytest.param("0.8", None, id="a word"),
        pytest.param(True, None, id="true"),
        pytest.param(None, None, id="null"),
        pytest.param(float("nan"), None, id="NaN"),
        pytest.param(float("inf"), None, id="infinity"),
        pytest.param(1e9, None, id="1e9"),
    ],
)
def test_preferred_weight(network: Path, weight: object, read: float | None) -> None:
    beside(network, {"preferred weight": weight})
    assert read_sidecar(network).preferred_weight == read


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"{", "is not the JSON the WebUI writes", id="malformed"),
        pytest.param(b"[1]", "is not the JSON the WebUI writes", id="a list"),
        pytest.param(b"[" * 100_000, "is not the JSON the WebUI writes", id="nesting bomb"),
        pytest.param(b'{"notes": "\xff"}', "is not UTF-8", id="not UTF-8"),
        pytest.param(b" " * (SIZE_LIMIT + 1), "larger than", id="too large"),
    ],
)
def test_a_sidecar_that_cannot_be_read_is_empty_and_says_so(
    network: Path, content: bytes, problem: str
) -> None:
    write(network.with_suffix(".json"), content)
    sidecar = read_sidecar(network)
    assert problem in sidecar.problem
    assert sidecar.problem.startswith("neon v1.5.json")
    assert (sidecar.notes, sidecar.preferred_weight) == ("", None)


def test_an_empty_sidecar_is_none(network: Path) -> None:
    write(network.with_suffix(".json"), b"")
    assert read_sidecar(network) == Sidecar()


@pytest.mark.timeout(5)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_as_sidecar_does_not_hang(network: Path) -> None:
    os.mkfifo(network.with_suffix(".json"))
    assert "not a regular file" in read_sidecar(network).problem


def test_hostile_texts_are_capped(network: Path) -> None:
    beside(network, {"notes": "\x00" + "x" * 100_000, "activation text": ["a"], "sd version": {"a": 1}})
    sidecar = read_sidecar(network)
    assert sidecar.notes == "x" * TEXT_LIMIT
    assert (sidecar.activation_text, sidecar.sd_version) == ("", "")


@pytest.mark.parametrize(
    "suffix",
    [".png", ".jpg", ".jpeg", ".webp", ".preview.png", ".preview.jpg", ".preview.jpeg", ".preview.webp"],
)
def test_previews(network: Path, suffix: str) -> None:
    picture = write(network.parent / f"neon v1.5{suffix}", b"")
    assert find_preview(network) == picture


def test_the_plain_name_goes_before_preview(network: Path) -> None:
    write(network.with_suffix(".preview.png"), b"")
    plain = write(network.with_suffix(".webp"), b"")
    assert find_preview(network) == plain


def test_a_folder_is_no_preview(network: Path) -> None:
    network.with_suffix(".png").mkdir()
    assert find_preview(network) is None
