"""A file against the real structure of a kind of checkpoint: names and shapes, by part, and why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lib_lora.__main__ import main
from lib_lora.inspection.inspect import inspect_file

Layers = dict[str, tuple[int, int]]
KEY = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"
OTHER_SPELLING = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_v"
TEXT = "text_model_encoder_layers_0_self_attn_q_proj"
SDXL: Layers = {
    KEY: (640, 2048),
    OTHER_SPELLING: (640, 2048),
    f"lora_te1_{TEXT}": (768, 768),
    f"lora_te2_{TEXT}": (1280, 1280),
    "lora_te2_text_projection": (1280, 1280),
}


def write(path: Path, layers: Layers, metadata: dict[str, str] | None = None, **more: torch.Tensor) -> Path:
    tensors = {}
    for name, (out, width) in layers.items():
        tensors[f"{name}.lora_up.weight"] = torch.ones(out, 1)
        tensors[f"{name}.lora_down.weight"] = torch.ones(1, width)
        tensors[f"{name}.alpha"] = torch.tensor(1.0)
    save_file({**tensors, **more}, path, metadata or {})
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.safetensors"


def test_sdxl_by_part(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit = inspect_file(write(path, SDXL), "sdxl")["fit"]
    assert fit["parts"] == {
        "unet": {"matched": 2, "of": 2},
        "clip_l": {"matched": 1, "of": 1},
        "clip_g": {"matched": 2, "of": 2},
    }
    assert (fit["matched"], fit["total"], fit["fits"]) == (5, 5, True)
    assert main(["inspect", str(path), "--against", "sdxl"]) == 0
    assert "5 of 5 weights (2 of 2 in unet, 1 of 1 in clip_l, 2 of 2 in clip_g)" in capsys.readouterr().out


@pytest.mark.parametrize("against", ["sd1", "sd2", "refiner"])
def test_against_another_kind_it_does_not_fit(path: Path, against: str) -> None:
    fit = inspect_file(write(path, SDXL), against)["fit"]
    assert not fit["fits"]
    assert fit["reason"] == "It was made for SDXL."
    assert main(["inspect", str(path), "--against", against]) == 1


def test_a_name_with_a_place_and_another_size_is_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    fit = inspect_file(write(path, {name: (320, 1024)}), "sd1")["fit"]
    canonical = "unet.input_blocks.1.1.transformer_blocks.0.attn2.to_k"
    assert fit["misfits"] == [f"{canonical} is 320×768 in SD 1.x, 320×1024 in the file"]
    assert (fit["matched"], fit["total"], fit["fits"]) == (0, 1, False)
    assert main(["inspect", str(path), "--against", "sd1"]) == 1
    assert "320×1024 in the file" in capsys.readouterr().out


def test_a_file_for_a_smaller_model_of_the_same_kind_says_so(path: Path) -> None:
    name = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    fit = inspect_file(write(path, {name: (32, 64)}), "sd1")["fit"]
    assert fit["reason"] == "Made for a model of another size (text width 64)."
    assert not fit["fits"]


def test_tensors_that_make_no_change_are_told(path: Path) -> None:
    write(path, SDXL, **{f"{KEY}.lora_up.weight": torch.ones(640, 3)})
    fit = inspect_file(path, "sdxl")["fit"]
    assert "these tensors make no change" in fit["misfits"][0]
    assert not fit["fits"]


def test_a_weight_that_the_model_does_not_have_is_listed(path: Path) -> None:
    absent = "lora_unet_mid_block_resnets_0_conv_shortcut"
    unmatched = "lora_te2_nonsense"
    fit = inspect_file(write(path, {**SDXL, absent: (1280, 1280), unmatched: (1, 1)}), "sdxl")["fit"]
    assert fit["absent"] == ["unet.middle_block.0.skip_connection"]
    assert fit["unmatched"] == [unmatched]
    assert fit["parts"]["unet"] == {"matched": 2, "of": 3}
    assert fit["parts"]["clip_g"] == {"matched": 2, "of": 3}
    assert fit["fits"]


def test_linear_and_convolution_projections_fit_one_another(path: Path) -> None:
    name = "lora_unet_down_blocks_0_attentions_0_proj_in"
    write(path, {name: (320, 320)})
    assert inspect_file(path, "sd1")["fit"]["matched"] == 1
    tensors = {
        f"{name}.lora_up.weight": torch.ones(320, 1, 1, 1),
        f"{name}.lora_down.weight": torch.ones(1, 320, 1, 1),
    }
    save_file(tensors, path)
    assert inspect_file(path, "sd2")["fit"]["matched"] == 1


@pytest.mark.parametrize(
    ("channels", "against", "matched"),
    [
        (4, "sd1", 1),
        (4, "sd1-inpaint", 1),
        (4, "sd1-ip2p", 1),
        (9, "sd1-inpaint", 1),
        (9, "sd1", 0),
        (9, "sd1-ip2p", 0),
        (4, "sdxl-inpaint", 1),
    ],
)
def test_the_first_convolution_of_inpainting_and_editing(
    path: Path, channels: int, against: str, matched: int
) -> None:
    tensors = {
        "lora_unet_conv_in.lora_up.weight": torch.ones(320, 1, 1, 1),
        "lora_unet_conv_in.lora_down.weight": torch.ones(1, channels, 3, 3),
    }
    save_file(tensors, path)
    assert inspect_file(path, against)["fit"]["matched"] == matched


def test_packed_embeddings_are_no_weights(path: Path) -> None:
    write(
        path, SDXL, **{"bundle_emb.x.clip_g": torch.ones(1, 1280), "bundle_emb.x.clip_l": torch.ones(1, 768)}
    )
    assert inspect_file(path, "sdxl")["fit"]["total"] == 5


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("lora_unet_double_blocks_0_img_attn_qkv", "Flux"),
        ("lora_unet_joint_blocks_0_x_block_attn_qkv", "SD 3"),
    ],
)
def test_a_kind_of_model_that_cannot_be_changed_is_refused(
    path: Path, name: str, label: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(path, {name: (9216, 3072)})
    assert main(["inspect", str(path)]) == 2
    shown = capsys.readouterr().out
    assert f"Made for {label}, whose layers are others" in shown
    assert "SD 1.x, SD 2.x, SDXL, SDXL refiner" in shown


def test_remarks_are_shown_and_are_no_fault(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_file({f"{KEY}.set_weight": torch.ones(640, 2048)}, path, {"ss_base_model_version": "sd_v1"})
    assert main(["inspect", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "Weights replaced, not changed: 1." in shown
    assert "Its metadata says SD 1.x, its tensors do not." in shown


def test_where_an_export_of_peft_has_its_scale_from(tmp_path: Path) -> None:
    path, stem = tmp_path / "adapter_model.safetensors", "base_model.model.conv_in"
    tensors = {
        f"{stem}.lora_A.weight": torch.ones(4, 4, 3, 3),
        f"{stem}.lora_B.weight": torch.ones(320, 4, 1, 1),
    }
    save_file(tensors, path)
    assert "taken as 1" in inspect_file(path)["remarks"][0]
    config = {"r": 4, "lora_alpha": 6, "use_rslora": True, "alpha_pattern": {"conv_in": 2}}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    (remark,) = inspect_file(path)["remarks"]
    assert remark.endswith("tells its scale: alpha 6, rank 4 under a root, some modules their own.")
    save_file(tensors, path, {"lora_adapter_metadata": json.dumps({"unet.r": 8, "unet.lora_alpha": 4})})
    assert inspect_file(path)["remarks"] == ["Its metadata tells its scale: alpha 4, rank 8."]


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"ss_network_alpha": "16"}, ["Its metadata says alpha 16, its tensors do not."]),
        ({"ss_network_alpha": "1.0"}, []),
        ({"ss_network_alpha": "None"}, []),
        ({"ss_network_alpha": "16", "ss_network_args": '{"conv_alpha": "1"}'}, []),
        ({"ss_network_alpha": "16", "ss_network_args": '{"rs_lora": "True"}'}, []),
    ],
    ids=str,
)
def test_an_alpha_of_another_file_is_noticed(path: Path, metadata: dict[str, str], said: list[str]) -> None:
    assert inspect_file(write(path, SDXL, metadata))["remarks"] == said
