"""Options a trainer was given and its files lose, and that the user is told: rs-LoRA, T-LoRA's start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import save_file

from lib_lora.adapters import find_family, training_notes
from lib_lora.network import open_network
from tests.adapters.table import Tensors, draw_glora, draw_lokr, draw_lora, draw_tlora

LAYER = "lora_unet_mid_block_attentions_0_proj_in"


def told(tensors: Tensors) -> tuple[str, ...]:
    return training_notes({"rs_lora": "True"}, [find_family(tensors).read(tensors)])


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


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"sig_type": "last"}, True),
        ({"sig_type": "middle"}, True),
        ({"use_data_init": "False"}, True),
        ({"use_data_init": False}, True),
        ({"sig_type": "principal", "use_data_init": True}, False),
        ({}, False),
    ],
    ids=str,
)
def test_t_lora_from_another_part_of_the_weights(arguments: dict[str, object], told: bool) -> None:
    tensors = draw_tlora((24, 16))
    notes = training_notes(arguments, [find_family(tensors).read(tensors)])
    assert any("another part of the weights" in note for note in notes) is told


def test_only_t_lora_is_asked_for_its_start() -> None:
    tensors = draw_lora((24, 16))
    assert training_notes({"sig_type": "last"}, [find_family(tensors).read(tensors)]) == ()
