"""Telling kinds of models apart where it is not obvious, and those that are not for us at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_lora.files.architecture import LABELS
from lib_lora.files.header import read_header
from lib_lora.files.metadata import NetworkFacts, facts
from tests.files.samples import network, write

Shapes = dict[str, tuple[int, ...]]
M = "lora_unet_down_blocks_0_attentions_0_proj_in"


def lora(name: str, out: int, width: int, rank: int = 4) -> Shapes:
    return {f"{name}.lora_up.weight": (out, rank), f"{name}.lora_down.weight": (rank, width)}


def facts_of(tmp_path: Path, shapes: Shapes, metadata: dict[str, str] | None = None) -> NetworkFacts:
    return facts(read_header(write(tmp_path / "x.safetensors", network(shapes, metadata))))


BLOCK = "attentions_0_transformer_blocks_0_attn1_to_q"
FOREIGN = (
    ("lora_unet_double_blocks_0_img_attn_qkv", 3072, "flux"),
    ("lora_unet_single_blocks_3_linear1", 3072, "flux"),
    ("transformer.single_transformer_blocks.0.attn.to_q", 3072, "flux"),
    ("transformer.transformer_blocks.0.attn.to_q", 3072, "flux"),
    ("lora_unet_distilled_guidance_layer_layers_0_in_layer", 3072, "chroma"),
    ("lora_unet_joint_blocks_0_x_block_attn_qkv", 1536, "sd3"),
    ("transformer.transformer_blocks.0.attn.to_q", 1536, "sd3"),
    ("lora_te3_encoder_block_0_layer_0_SelfAttention_q", 4096, "sd3"),
    ("lora_prior_unet_down_blocks_0_1_attention", 9, "cascade"),
    ("transformer.joint_transformer_blocks.0.attn.to_q", 9, "auraflow"),
    ("lora_unet_blocks_0_cross_attn_q", 1536, "wan"),
    ("diffusion_model.blocks.0.self_attn.k", 5120, "wan"),
    ("lora_unet_layers_0_attention_qkv", 2304, "lumina"),
    ("diffusion_model.context_refiner.0.attention.out", 2304, "lumina"),
    ("lora_unet_blocks_0_attn1_Wqkv", 1408, "hunyuan"),
    ("lora_unet_blocks_0_cross_attn_kv_linear", 1152, "pixart"),
    ("lora_unet_transformer_blocks_0_img_mlp_net_0_proj", 3072, "qwen"),
    ("transformer.transformer_blocks.0.attn1.to_q", 2048, "transformer"),
    ("unet.down_blocks.0.motion_modules.0.temporal_transformer.proj_in", 320, "motion"),
)


@pytest.mark.parametrize(
    ("name", "width", "architecture"), FOREIGN, ids=[f"{row[2]}, {row[0]}" for row in FOREIGN]
)
def test_a_kind_of_model_that_is_not_ours(tmp_path: Path, name: str, width: int, architecture: str) -> None:
    known = facts_of(tmp_path, lora(name, width, width), {"ss_base_model_version": "sd_v1"})
    assert known.architecture == architecture
    assert architecture in LABELS
    assert "Its metadata says SD 1.x" in known.note


@pytest.mark.parametrize(
    ("claim", "architecture", "contradicted"),
    [
        ({"ss_base_model_version": "chroma"}, "chroma", False),
        ({"modelspec.architecture": "hunyuan-video/lora"}, "hunyuan", False),
        ({"ss_base_model_version": "flux1"}, "flux", False),
        ({"modelspec.architecture": "stable-diffusion-3-medium/lora"}, "flux", True),
    ],
    ids=str,
)
def test_where_two_kinds_share_their_names_the_metadata_decides(
    tmp_path: Path, claim: dict[str, str], architecture: str, contradicted: bool
) -> None:
    known = facts_of(tmp_path, lora("lora_unet_double_blocks_0_img_attn_qkv", 9216, 3072), claim)
    assert known.architecture == architecture
    assert bool(known.note) == contradicted


OURS = (
    (f"lora_unet_output_blocks_7_1_{BLOCK[13:]}", 640, "sd1", "SDXL has no attention there"),
    (f"lora_unet_up_blocks_2_{BLOCK}", 640, "sd1", "nor in its last level"),
    ("lora_unet_output_blocks_2_1_conv", 1280, "", "an upsampler is no transformer"),
    (f"lora_unet_output_blocks_2_1_{BLOCK[13:]}", 1280, "sdxl", "SD 1 has no attention there"),
    (f"lora_unet_up_blocks_0_{BLOCK}", 1280, "sdxl", "SD 1 has none in its first level up"),
    (f"lora_unet_down_blocks_1_{BLOCK}", 768, "refiner", "a width only the refiner has"),
    (f"lora_unet_output_blocks_7_1_{BLOCK[13:]}", 768, "refiner", "the same in LDM names"),
    ("lora_unet_mid_block_resnets_0_time_emb_proj", 1536, "refiner", "the refiner's embedded time"),
    (f"lora_unet_down_blocks_2_{BLOCK}", 1280, "", "SD 1 and SDXL have the same there"),
    ("text_encoder.text_model.encoder.layers.0.self_attn.q_proj", 1024, "sd2", "OpenCLIP-H alone"),
    ("base_model.model.text_model.encoder.layers.0.self_attn.q_proj", 1280, "sdxl", "OpenCLIP-G alone"),
    ("clip_g.transformer.text_model.encoder.layers.0.mlp.fc1", 1280, "sdxl", "OpenCLIP-G by name"),
)


@pytest.mark.parametrize(
    ("name", "width", "architecture"), [row[:3] for row in OURS], ids=[r[3] for r in OURS]
)
def test_a_few_weights_are_enough_or_are_left_open(
    tmp_path: Path, name: str, width: int, architecture: str
) -> None:
    known = facts_of(tmp_path, lora(name, width, width))
    assert known.architecture == architecture


def test_what_is_left_open_is_told_and_the_metadata_decides(tmp_path: Path) -> None:
    shapes = lora(f"lora_unet_down_blocks_2_{BLOCK}", 1280, 1280)
    assert facts_of(tmp_path, shapes).note == "It may be SD 1.x or SDXL."
    assert facts_of(tmp_path, shapes, {"ss_base_model_version": "sd_v1"}).architecture == "sd1"


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ({f"{M}.set_weight": (5, 5)}, "Weights replaced, not changed: 1."),
        ({f"{M}.weight": (5,)}, "do not say which side they scale: 1."),
        ({f"{M}.weight": (5,), f"{M}.on_input": ()}, ""),
        (lora(M, 5, 5), ""),
    ],
    ids=["set_weight", "(IA)³ without on_input", "(IA)³", "LoRA"],
)
def test_what_is_unusual_and_works_is_a_remark_and_no_problem(
    tmp_path: Path, shapes: Shapes, said: str
) -> None:
    known = facts_of(tmp_path, shapes)
    assert known.problem == ""
    assert bool(known.remarks) == bool(said)
    assert said in "".join(known.remarks)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"ss_network_dim": "32"}, ("Its metadata says rank 32, its tensors have 4.",)),
        ({"ss_network_dim": "4"}, ()),
        ({"ss_network_dim": "Dynamic"}, ()),
        ({"ss_network_args": '{"algo": "loha"}'}, ("Its metadata says loha, its tensors are lora.",)),
        ({"ss_network_args": '{"algo": "locon"}'}, ()),
        ({"ss_network_args": '{"algo": ["loha"]}'}, ()),
        ({"ss_network_args": "[1]"}, ()),
        ({"ss_network_dim": "9" * 5000}, ("Its metadata says rank 999999999, its tensors have 4.",)),
    ],
    ids=lambda value: str(value)[:50],
)
def test_metadata_of_another_file_is_noticed(
    tmp_path: Path, metadata: dict[str, str], said: tuple[str, ...]
) -> None:
    assert facts_of(tmp_path, lora(M, 5, 5), metadata).remarks == said
