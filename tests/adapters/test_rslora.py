"""Files trained with rs-LoRA: which of them lose it, and that the user is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import save_file

from lib_lora.adapters import find_family, rs_lora_notes
from lib_lora.network import open_network
from tests.adapters.table import Tensors, draw_glora, draw_lokr, draw_lora

LAYER = "lora_unet_mid_block_attentions_0_proj_in"


def told(tensors: Tensors) -> tuple[str, ...]:
    return rs_lora_notes([find_family(tensors).read(tensors)])


def test_glora_names_the_factor() -> None:
    assert "GLoRA files do not carry: try 2 times" in told(draw_glora((24, 16)))[0]


def test_full_lokr_is_told() -> None:
    assert "full LoKr" in told(draw_lokr("full", "full")((24, 16)))[0]


@pytest.mark.parametrize("draw", [draw_lora, draw_lokr("full", "factors")], ids=["LoRA", "LoKr"])
def test_others_carry_it_in_alpha(draw: object) -> None:
    assert told(draw((24, 16))) == ()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"rs_lora": True}, True),
        ({"rs_lora": "True"}, True),
        ({"rs_lora": "False"}, False),
        ({}, False),
        ([], False),
    ],
    ids=str,
)
def test_the_training_arguments_decide(tmp_path: Path, arguments: object, told: bool) -> None:
    path = tmp_path / "x.safetensors"
    tensors = {
        f"{LAYER}.{role}.weight": tensor for role, tensor in draw_glora((24, 16)).items() if role != "alpha"
    }
    save_file(tensors, path, {"ss_network_args": json.dumps(arguments)})
    assert any("rs-LoRA" in note for note in open_network(path, "sd1").notes) is told
