"""Names and shapes tell the base model, the family, ranks and parts; metadata comes second."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_lora.files.architecture import LABELS, from_metadata
from lib_lora.files.header import read_header
from lib_lora.files.metadata import NetworkFacts, facts
from tests.files.samples import lora, network, write

K = "attn2_to_k"
SD1_DOWN = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0"
SD1_TOP = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0"
SGM = "lora_unet_input_blocks_4_1_transformer_blocks_0"
DOTTED = "diffusion_model.input_blocks.4.1.transformer_blocks.0"
OLD = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.processor"
TE = "text_model_encoder_layers_0"


def facts_of(
    tmp_path: Path, shapes: dict[str, tuple[int, ...]], metadata: dict[str, str] | None = None
) -> NetworkFacts:
    return facts(read_header(write(tmp_path / "x.safetensors", network(shapes, metadata))))


@pytest.mark.parametrize(
    ("shapes", "architecture"),
    [
        pytest.param(lora(f"{SD1_DOWN}_{K}", 640, 768), "sd1", id="cross attention reads 768"),
        pytest.param(lora(f"{SD1_DOWN}_{K}", 640, 1024), "sd2", id="cross attention reads 1024"),
        pytest.param(lora(f"{SGM}_{K}", 640, 2048), "sdxl", id="cross attention reads 2048"),
        pytest.param(lora(f"{SGM}_attn2_to_v", 768, 1280), "refiner", id="cross attention reads 1280"),
        pytest.param(
            {f"{DOTTED}.attn2.to_k.lora_A.weight": (4, 2048), f"{DOTTED}.attn2.to_k.lora_B.weight": (640, 4)},
            "sdxl",
            id="dotted names, lora_A",
        ),
        pytest.param(
            {f"{OLD}.to_k_lora.down.weight": (4, 768)},
            "sd1",
            id="old diffusers names",
        ),
        pytest.param(
            {f"{SD1_DOWN}_{K}.hada_w1_a": (640, 4), f"{SD1_DOWN}_{K}.hada_w1_b": (4, 1024)}, "sd2", id="LoHa"
        ),
        pytest.param(
            {f"{SD1_DOWN}_{K}.lokr_w1": (8, 16), f"{SD1_DOWN}_{K}.lokr_w2_b": (4, 128)},
            "sdxl",
            id="LoKr 16 by 128",
        ),
        pytest.param({f"{SD1_DOWN}_{K}.diff": (640, 768)}, "sd1", id="full difference"),
        pytest.param(
            lora("lora_unet_double_blocks_0_img_attn_qkv", 9216, 3072), "flux", id="Flux double block"
        ),
        pytest.param(
            lora("transformer.single_transformer_blocks.0.attn.to_q", 3072, 3072), "flux", id="Flux dotted"
        ),
        pytest.param(lora("lora_unet_joint_blocks_0_x_block_attn_qkv", 9, 9), "sd3", id="SD3 joint block"),
        pytest.param(lora("transformer.transformer_blocks.0.attn.to_q", 9, 9), "sd3", id="SD3 of diffusers"),
        pytest.param(lora("lora_prior_unet_down_blocks_0_1_attention", 9, 9), "cascade", id="Cascade"),
        pytest.param(
            lora("lora_te2_text_model_encoder_layers_0_mlp_fc1", 5120, 1280), "sdxl", id="second encoder"
        ),
        pytest.param(lora(f"{SGM[:-1]}5_attn1_to_q", 640, 640), "sdxl", id="transformer of many blocks"),
        pytest.param(lora("lora_unet_label_emb_0_0", 1280, 2816), "sdxl", id="label embedding"),
        pytest.param(
            lora("lora_unet_down_blocks_2_attentions_0_proj_in", 1280, 1280), "sdxl", id="three levels"
        ),
        pytest.param(
            lora("lora_unet_input_blocks_8_1_proj_in", 1280, 1280), "sdxl", id="three levels, LDM names"
        ),
        pytest.param(lora(f"{SD1_TOP}_attn1_to_q", 320, 320), "sd1", id="attention at the top level"),
        pytest.param(lora("lora_unet_up_blocks_3_resnets_0_conv1", 320, 640), "sd1", id="four levels"),
        pytest.param(
            lora("lora_unet_output_blocks_11_1_proj_out", 320, 320), "sd1", id="four levels, LDM names"
        ),
        pytest.param(
            lora(f"{SD1_TOP}_attn1_to_q", 320, 320)
            | lora("lora_unet_down_blocks_0_attentions_0_proj_in", 320, 320),
            "sd2",
            id="linear proj_in",
        ),
        pytest.param(
            lora(f"{SD1_TOP}_attn1_to_q", 320, 320)
            | {"lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight": (4, 320, 1, 1)},
            "sd1",
            id="proj_in as a convolution",
        ),
        pytest.param(
            lora(f"{SD1_TOP}_attn1_to_q", 320, 320) | lora(f"lora_te_{TE}_mlp_fc1", 4096, 1024),
            "sd2",
            id="text encoder of 1024",
        ),
        pytest.param(lora(f"lora_te_{TE}_mlp_fc1", 3072, 768), "sd1", id="text encoder of SD1 alone"),
        pytest.param(
            lora(f"lora_te_{TE}_self_attn_q_proj", 1024, 1024), "sd2", id="text encoder of SD2 alone"
        ),
        pytest.param(lora(f"lora_te1_{TE}_self_attn_q_proj", 768, 768), "", id="first text encoder alone"),
        pytest.param(lora("lora_unet_nothing_known", 5, 5), "", id="unknown names"),
    ],
)
def test_architecture(tmp_path: Path, shapes: dict[str, tuple[int, ...]], architecture: str) -> None:
    assert facts_of(tmp_path, shapes).architecture == architecture
    assert not architecture or architecture in LABELS


def test_a_small_model_of_the_same_build_is_told_by_its_names(tmp_path: Path) -> None:
    shapes = lora(f"{SD1_TOP}_{K}", 32, 64) | lora(f"lora_te_{TE}_mlp_fc1", 256, 64)
    known = facts_of(tmp_path, shapes, {"ss_base_model_version": "sd_v1"})
    assert known.architecture == "sd1"
    assert "text width 64" in known.note


def test_a_small_text_encoder_alone(tmp_path: Path) -> None:
    known = facts_of(tmp_path, lora(f"lora_te_{TE}_mlp_fc1", 256, 64))
    assert known.architecture == "sd1"
    assert "(64)" in known.note


def test_a_lone_first_text_encoder_leaves_it_to_the_metadata(tmp_path: Path) -> None:
    shapes = lora(f"lora_te1_{TE}_self_attn_q_proj", 768, 768)
    assert "may be SD 1.x or SDXL" in facts_of(tmp_path, shapes).note
    assert facts_of(tmp_path, shapes, {"ss_base_model_version": "sdxl_base_v1-0"}).architecture == "sdxl"


def test_shapes_beat_metadata_and_the_contradiction_is_told(tmp_path: Path) -> None:
    known = facts_of(tmp_path, lora(f"{SD1_DOWN}_{K}", 640, 768), {"ss_base_model_version": "sdxl_base_v1-0"})
    assert known.architecture == "sd1"
    assert known.note == "Its metadata says SDXL, its tensors do not."


@pytest.mark.parametrize(
    ("metadata", "architecture"),
    [
        ({"ss_base_model_version": "sd_v1"}, "sd1"),
        ({"ss_base_model_version": "sd_v2_v"}, "sd2"),
        ({"ss_base_model_version": "sdxl_base_v1-0"}, "sdxl"),
        ({"ss_base_model_version": "flux1"}, "flux"),
        ({"ss_base_model_version": "sd3_m"}, "sd3"),
        ({"modelspec.architecture": "stable-diffusion-v1/lora"}, "sd1"),
        ({"modelspec.architecture": "stable-diffusion-v2-768-v/lora"}, "sd2"),
        ({"modelspec.architecture": "stable-diffusion-xl-v1-base/lora"}, "sdxl"),
        ({"modelspec.architecture": "stable-diffusion-xl-v1-refiner/lora"}, "refiner"),
        ({"modelspec.architecture": "stable-diffusion-3-medium"}, "sd3"),
        ({"modelspec.architecture": "flux-1-dev/lora"}, "flux"),
        ({"ss_v2": "True"}, "sd2"),
        ({"ss_v2": "False"}, ""),
        ({"format": "pt"}, ""),
        ({}, ""),
    ],
    ids=str,
)
def test_metadata(metadata: dict[str, str], architecture: str) -> None:
    assert from_metadata(metadata) == architecture


M = "lora_unet_down_blocks_0_attentions_0_proj_in"


@pytest.mark.parametrize(
    ("shapes", "family", "rank"),
    [
        pytest.param(lora(M, 320, 320), "lora", "4", id="LoRA"),
        pytest.param({f"{M}.lora_A.weight": (8, 5), f"{M}.lora_B.weight": (5, 8)}, "lora", "8", id="PEFT"),
        pytest.param(
            {f"{M}.lora_A.default.weight": (8, 5), f"{M}.lora_B.default.weight": (5, 8)},
            "lora",
            "8",
            id="PEFT export",
        ),
        pytest.param({f"{M}.lora.down.weight": (8, 5)}, "lora", "8", id="diffusers"),
        pytest.param({"a.processor.to_q_lora.down.weight": (8, 5)}, "lora", "8", id="old diffusers"),
        pytest.param(
            {f"{M}.lora_down.weight": (8, 5, 1, 1)}, "lora", "8", id="1x1 convolution is still LoRA"
        ),
        pytest.param({f"{M}.lora_down.weight": (8, 5, 3, 3)}, "locon", "8", id="3x3 convolution is LoCon"),
        pytest.param(
            {f"{M}.lora_down.weight": (8, 5, 1, 1), f"{M}.lora_mid.weight": (8, 8, 3, 3)},
            "locon",
            "8",
            id="Tucker",
        ),
        pytest.param(lora(M, 5, 5, 4) | lora("lora_te_x", 5, 5, 64), "lora", "4–64", id="several ranks"),
        pytest.param({f"{M}.hada_w1_a": (5, 8), f"{M}.hada_w1_b": (8, 5)}, "loha", "8", id="LoHa"),
        pytest.param({f"{M}.lokr_w1": (2, 2), f"{M}.lokr_w2_b": (8, 5)}, "lokr", "8", id="LoKr"),
        pytest.param({f"{M}.lokr_w1": (2, 2), f"{M}.lokr_w2": (5, 5)}, "lokr", "", id="LoKr without rank"),
        pytest.param({f"{M}.a1.weight": (5, 4), f"{M}.b1.weight": (5, 4)}, "glora", "4", id="GLoRA"),
        pytest.param({f"{M}.a1.weight": (4, 5), f"{M}.b1.weight": (4, 5)}, "glora", "4", id="old GLoRA"),
        pytest.param({f"{M}.q_layer.weight": (4, 5), f"{M}.lambda_layer": (1, 4)}, "tlora", "4", id="T-LoRA"),
        pytest.param({f"{M}.set_weight": (5, 5)}, "full", "", id="a weight replaced"),
        pytest.param({f"{M}.diff_b": (5,)}, "full", "", id="a bias alone"),
        pytest.param({f"{M}.weight": (5,)}, "ia3", "", id="IA3 without its side"),
        pytest.param({f"{M}.lora_A_1.default_0.weight": (8, 5)}, "lora", "8", id="broken PEFT export"),
        pytest.param({f"{M}.oft_blocks": (4, 8, 8)}, "oft", "", id="OFT"),
        pytest.param({f"{M}.oft_blocks": (2, 4, 8, 8)}, "boft", "", id="BOFT is OFT in four dimensions"),
        pytest.param({f"{M}.weight": (5,), f"{M}.on_input": ()}, "ia3", "", id="IA3"),
        pytest.param({f"{M}.diff": (5, 5), f"{M}.diff_b": (5,)}, "full", "", id="full"),
        pytest.param({f"{M}.w_norm": (5,), f"{M}.b_norm": (5,)}, "norm", "", id="norm"),
        pytest.param(lora(M, 5, 5) | {f"{M}.dora_scale": (5, 1)}, "lora+dora", "4", id="DoRA"),
        pytest.param(
            lora(M, 5, 5) | {"bundle_emb.x.emb_params": (1, 768)}, "lora+embedding", "4", id="bundle"
        ),
    ],
)
def test_families(tmp_path: Path, shapes: dict[str, tuple[int, ...]], family: str, rank: str) -> None:
    known = facts_of(tmp_path, shapes)
    assert (known.family, known.rank, known.problem) == (family, rank, "")


@pytest.mark.parametrize(
    ("prefixes", "parts"),
    [
        pytest.param(["lora_unet_"], ("unet",), id="unet"),
        pytest.param(["lora_te_", "lora_unet_"], ("unet", "te"), id="both parts of SD1"),
        pytest.param(["lora_te1_", "lora_te2_"], ("te", "te2"), id="both text encoders of SDXL"),
        pytest.param(["text_encoder.", "text_encoder_2.", "unet."], ("unet", "te", "te2"), id="dotted names"),
        pytest.param(["lora_te3_"], ("te3",), id="T5"),
        pytest.param(["clip_l.transformer.", "clip_g.transformer."], ("te", "te2"), id="ComfyUI"),
        pytest.param(["base_model.model.text_model."], ("te",), id="PEFT export of a text encoder"),
        pytest.param(["base_model.model.down_blocks."], ("unet",), id="PEFT export of a UNet"),
        pytest.param(["conditioner.embedders.1.model."], ("te2",), id="names of a checkpoint"),
        pytest.param(["lycoris_"], ("unet",), id="LyCORIS"),
    ],
)
def test_parts(tmp_path: Path, prefixes: list[str], parts: tuple[str, ...]) -> None:
    shapes = {
        name: shape for prefix in prefixes for name, shape in lora(f"{prefix}some_long_module", 5, 5).items()
    }
    assert facts_of(tmp_path, shapes).parts == parts


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        pytest.param("model.diffusion_model.input_blocks.0.0.weight", "whole checkpoint", id="checkpoint"),
        pytest.param(
            "first_stage_model.decoder.conv_in.weight", "whole checkpoint", id="VAE inside a checkpoint"
        ),
        pytest.param("emb_params", "an embedding", id="embedding"),
        pytest.param("bundle_emb.x.emb_params", "an embedding", id="bundle of embeddings only"),
        pytest.param("layer.0.bias", "'layer.0.bias'", id="something else"),
    ],
)
def test_no_network_at_all(tmp_path: Path, name: str, problem: str) -> None:
    known = facts_of(tmp_path, {name: (4,)}, {"ss_base_model_version": "sd_v1"})
    assert problem in known.problem
    assert known.architecture == ""


def test_the_trained_networks_are_recognised() -> None:
    paths = sorted((Path(__file__).parents[2] / "demo" / "models" / "lora").rglob("*.safetensors"))
    assert paths
    for path in paths:
        known = facts(read_header(path))
        assert (known.architecture, known.problem) == ("sd1", ""), path
        kind = path.stem if path.parent.name == "kinds" else ""
        assert kind in known.families or (not kind and known.families[0] in ("lora", "locon")), path
        assert "unet" in known.parts
        assert known.rank or kind in ("ia3", "oft"), path
