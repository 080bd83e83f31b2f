"""PEFT's configuration: which number a module gets, and configurations that are hostile or none."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from lib_lora.files.peft import CONFIG, SIZE_LIMIT, is_export, module_path, read_config, read_metadata

BLOCK = "down_blocks.1.attentions.0.transformer_blocks.0.attn1"


def scale_of(tmp_path: Path, module: str, **config: Any) -> float:
    (tmp_path / CONFIG).write_text(json.dumps({"r": 4, "lora_alpha": 8, **config}))
    found = read_config(tmp_path / "x.safetensors")
    assert found is not None
    return found.scale(module)


@pytest.mark.parametrize(
    ("config", "scale"),
    [
        ({}, 2),
        ({"use_rslora": True}, 4),
        ({"use_rslora": "yes"}, 2),
        ({"alpha_pattern": {"to_q": 2}}, 0.5),
        ({"alpha_pattern": {"attn1.to_q": 2}}, 0.5),
        ({"alpha_pattern": {"1.to_q": 2}}, 2),
        ({"alpha_pattern": {f"^{BLOCK}.to_q": 2}}, 0.5),
        ({"alpha_pattern": {"^to_q": 2}}, 2),
        ({"alpha_pattern": {r"attn1\.to_q$": 2}}, 0.5),
        ({"alpha_pattern": {"down_blocks.*to_q": 2}}, 0.5),
        ({"alpha_pattern": {"^blocks.*to_q": 2}}, 2),
        ({"alpha_pattern": {"up_blocks.*to_q": 2}}, 2),
        ({"alpha_pattern": {"to_q": 2, "attn1.to_q": 6}}, 0.5),
        ({"alpha_pattern": {"attn1.*to_q": 6, "to_q": 2}}, 1.5),
        ({"rank_pattern": {"to_q": 16}}, 0.5),
        ({"rank_pattern": {"to_q": 16}, "use_rslora": True}, 2),
        ({"rank_pattern": {"to_q": 0}}, 2),
        ({"alpha_pattern": [1], "rank_pattern": "x"}, 2),
    ],
    ids=str,
)
def test_the_first_pattern_that_ends_a_modules_path_counts(
    tmp_path: Path, config: dict[str, Any], scale: float
) -> None:
    assert scale_of(tmp_path, f"{BLOCK}.to_q", **config) == pytest.approx(scale)


@pytest.mark.parametrize(
    "config",
    [{"r": None}, {"r": True}, {"lora_alpha": "8"}, {"lora_alpha": 10**400}, {"r": -1}],
    ids=lambda config: str(config)[:30],
)
def test_a_config_without_two_numbers_says_nothing(tmp_path: Path, config: dict[str, Any]) -> None:
    (tmp_path / CONFIG).write_text(json.dumps({"r": 4, "lora_alpha": 8, **config}))
    assert read_config(tmp_path / "x.safetensors") is None


def test_no_pattern_takes_long(tmp_path: Path) -> None:
    patterns = {f"({'a' * 50}+)+{index}": 1 for index in range(3000)}
    patterns |= {f"a{index}.*b.*c.*d": 1 for index in range(3000)}
    (tmp_path / CONFIG).write_text(json.dumps({"r": 4, "lora_alpha": 8, "alpha_pattern": patterns}))
    start = time.process_time()
    found = read_config(tmp_path / "x.safetensors")
    assert found is not None
    assert found.unread == 4000  # the regular expressions, and what is beyond the limit
    assert found.scale("a" * 300) == 2
    assert time.process_time() - start < 2


@pytest.mark.parametrize("kind", ["folder", "pipe", "too large", "not text", "missing"])
def test_a_config_that_cannot_be_read_is_none(tmp_path: Path, kind: str) -> None:
    path = tmp_path / CONFIG
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "too large":
        path.write_text(json.dumps({"r": 4, "lora_alpha": 8, "x": "y" * SIZE_LIMIT}))
    elif kind == "not text":
        path.write_bytes(b"\xff\xfe\xff")
    assert read_config(tmp_path / "x.safetensors") is None


def test_metadata_speaks_of_one_component_at_a_time() -> None:
    document = {"unet.r": 4, "unet.lora_alpha": 2, "text_encoder_2.r": 2, "text_encoder_2.lora_alpha": 8}
    unet, text = read_metadata({"lora_adapter_metadata": json.dumps(document)})
    assert (unet.component, unet.scale("x"), text.component, text.scale("x")) == (
        "unet",
        0.5,
        "text_encoder_2",
        4,
    )
    assert read_metadata({}) == read_metadata({"lora_adapter_metadata": "[1]"}) == ()


@pytest.mark.parametrize(
    ("spelling", "path"),
    [
        (f"base_model.model.{BLOCK}.to_q", f"{BLOCK}.to_q"),
        (f"unet.{BLOCK}.to_q", f"{BLOCK}.to_q"),
        (f"unet.base_model.model.{BLOCK}.to_q", f"{BLOCK}.to_q"),
        ("text_encoder_2.text_model.x", "text_model.x"),
        ("text_encoder.text_model.x", "text_model.x"),
        ("x", "x"),
    ],
)
def test_a_module_is_called_as_its_own_model_calls_it(spelling: str, path: str) -> None:
    assert module_path(spelling) == path


def test_an_export_is_known_by_its_names_or_its_own() -> None:
    assert is_export(Path("adapter_model.safetensors"), [])
    assert is_export(Path("x.safetensors"), ["base_model.model.a.lora_A.weight"])
    assert not is_export(Path("x.safetensors"), ["lora_unet_a.lora_down.weight"])
