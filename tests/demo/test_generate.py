"""`python -m demo generate`: options, errors with exit code 2, and one picture in a process of its own."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.demo.conftest import ROOT, Host

pytestmark = pytest.mark.demo


def generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo", "generate", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


def test_a_picture_with_two_loras_as_json(tmp_path: Path) -> None:
    out = tmp_path / "new" / "picture.png"
    result = generate(
        *("--prompt", "a girl, red hair", "--seed", "4", "--steps", "2", "--size", "64x64", "--json"),
        *("--lora", "clothing/mecha_suit:0.8", "--lora", "style/neon:0.4:0", "--out", str(out)),
        *("--data-dir", str(tmp_path / "data")),
    )
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["pictures"][0]["seed"] == 4
    assert len(told["pictures"][0]["sha256"]) == 64
    names = [entry["network"] for entry in told["report"]["entries"]]
    assert names == ["clothing/mecha_suit", "style/neon"]
    with Image.open(out) as image:
        assert image.size == (64, 64)
        assert "LoRA Stack" in image.info["parameters"]


def test_an_unknown_lora_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    result = generate("--lora", "clothing/mecca:1", "--steps", "1", "--data-dir", str(tmp_path))
    assert result.returncode == 2
    assert "mecca" in result.stderr
    assert "clothing/mecha_suit" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("nowhere.safetensors", None, "no such file"), ("broken.safetensors", b"oops", "cannot be read")],
    ids=["missing", "broken"],
)
def test_a_checkpoint_that_cannot_be_loaded(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    result = generate("--checkpoint", str(path), "--data-dir", str(tmp_path / "data"))
    assert result.returncode == 2
    assert name in result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.fixture
def module(host: Host):
    from app import generate as module

    return module


@pytest.mark.parametrize("text", ["mecha_suit", "mecha_suit:", "mecha_suit:strong", ":1", "mecha_suit:1:2:3"])
def test_malformed_lora(module, text: str) -> None:
    with pytest.raises(module.UsageError, match="NAME:WEIGHT"):
        module.read_lora(text)


@pytest.mark.parametrize("text", ["128", "128x", "100x128", "0x64", "4096x64"])
def test_malformed_size(module, text: str) -> None:
    with pytest.raises(module.UsageError, match=text):
        module.read_size(text)


def test_a_lora_option_takes_fields_of_the_row(module) -> None:
    row = module.read_lora("style/neon:0.5:0.2,stop=0.5, blocks=OUTD,schedule=0@0;1@1")
    assert row == {
        "network": "style/neon",
        "weight": 0.5,
        "te": 0.2,
        "stop": "0.5",
        "blocks": "OUTD",
        "schedule": "0@0;1@1",
    }
    with pytest.raises(module.UsageError, match="field=value"):
        module.read_lora("style/neon:0.5,stop")


def test_a_lora_option_takes_places_and_passes(module) -> None:
    row = module.read_lora("n:1,region=box:0,0,0.5,1,feather=0.1,side=positive,hires=0.5")
    assert row["region"] == "box:0,0,0.5,1"
    assert (row["feather"], row["side"]) == (0.1, "positive")
    assert row["passes"] == "base,hires:0.5,refiner,detailer"
    assert module.read_lora("n:1,passes=base,hires:0.5")["passes"] == "base,hires:0.5"
    numbers = "1" + ",0" * 16
    assert module.read_lora(f"n:1,blocks={numbers}")["blocks"] == numbers


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("n:1,hires=much", "'hires=much' must be a number"),
        ("n:1,feather=soft", "'feather=soft' must be a number"),
        ("n:1,passes=base,hires=0.5", "either passes= or"),
        ("n:1,side=positive,negative", "'negative' is not field=value"),
    ],
)
def test_malformed_fields(module, text: str, words: str) -> None:
    with pytest.raises(module.UsageError, match=words):
        module.read_lora(text)


def test_masks_are_read_from_files(module, tmp_path: Path) -> None:
    path = tmp_path / "left.png"
    Image.new("L", (4, 4), 255).save(path)
    options = module.parser().parse_args(["--lora", "n:1,region=mask:left", "--region-mask", f"left={path}"])
    stack = json.loads(module.stack_text(options))
    assert base64.b64decode(stack["masks"]["left"]) == path.read_bytes()
    for wrong in ("left", f"left={tmp_path / 'nowhere.png'}"):
        options = module.parser().parse_args(["--lora", "n:1", "--region-mask", wrong])
        with pytest.raises(module.UsageError, match="--region-mask"):
            module.stack_text(options)


def test_lora_options_are_rows_after_the_stack_file(module, tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    path.write_text('{"version": 1, "entries": [{"network": "a", "weight": 0.5}]}')
    options = module.parser().parse_args(["--stack", str(path), "--lora", "b:0.2:1"])
    assert json.loads(module.stack_text(options))["entries"] == [
        {"network": "a", "weight": 0.5},
        {"network": "b", "weight": 0.2, "te": 1.0},
    ]
    alone = module.parser().parse_args(["--stack", str(path)])
    assert module.stack_text(alone) == path.read_text()
    assert module.stack_text(module.parser().parse_args([])) == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--stack", "nowhere.json"], "nowhere.json"),
        (["--sampler", "Eular"], "Eular"),
        (["--mask", "mask.png"], "mask.png"),
        (["--init", str(ROOT / "README.md")], "no picture"),
        (["--steps", "0"], "--steps"),
    ],
    ids=["no stack file", "unknown sampler", "no mask file", "init is no picture", "no steps"],
)
def test_refusals(module, arguments: list[str], words: str) -> None:
    options = module.parser().parse_args(arguments)
    with pytest.raises(module.UsageError, match=words):
        module.stack_text(options)
        module.make_request(options)


def test_a_mask_needs_a_picture(module, tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "mask.png")
    options = module.parser().parse_args(["--mask", str(tmp_path / "mask.png")])
    with pytest.raises(module.UsageError, match="--init"):
        module.make_request(options)
