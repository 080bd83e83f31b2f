"""SD 2, SDXL and its refiner: both namings, two text encoders, and the names that hosts lose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_lora.keys import ARCHITECTURES, Architecture, find_architecture, resolve
from lib_lora.keys.clip import clip_modules
from lib_lora.keys.openclip import openclip_path
from lib_lora.keys.resolve import part_of
from lib_lora.keys.spellings import PREFIXES, SUFFIXES, flat
from lib_lora.keys.unet import unet_modules

LAYER = "text_model.encoder.layers.3"
SGM = "lora_unet_input_blocks_4_1_transformer_blocks_1_attn2_to_k"
KEY = "unet.input_blocks.4.1.transformer_blocks.1.attn2.to_k"

ROWS = (
    ("SDXL in SGM names", "sdxl", f"{SGM}.lora_down.weight", KEY),
    (
        "SDXL in diffusers names",
        "sdxl",
        "lora_unet_down_blocks_1_attentions_0_transformer_blocks_1_attn2_to_k.lora_down.weight",
        KEY,
    ),
    (
        "Turbo, dotted",
        "sdxl",
        "unet.down_blocks.1.attentions.0.transformer_blocks.1.attn2.to_k.lora.down.weight",
        KEY,
    ),
    (
        "OneTrainer, dotted SGM",
        "sdxl",
        "unet.input_blocks.4.1.transformer_blocks.1.attn2.to_k.lora_down.weight",
        KEY,
    ),
    (
        "LCM upsampler that hosts lose",
        "sdxl",
        "lora_unet_up_blocks_0_upsamplers_0_conv.lora_down.weight",
        "unet.output_blocks.2.2.conv",
    ),
    (
        "the refiner's upsampler stands elsewhere",
        "refiner",
        "lora_unet_up_blocks_0_upsamplers_0_conv.lora_down.weight",
        "unet.output_blocks.2.1.conv",
    ),
    ("sizes", "sdxl", "lora_unet_add_embedding_linear_1.lora_down.weight", "unet.label_emb.0.0"),
    ("sizes, SGM", "sdxl", "lora_unet_label_emb_0_2.lora_down.weight", "unet.label_emb.0.2"),
    ("sizes of the refiner", "refiner", "unet.add_embedding.linear_2.lora_A.weight", "unet.label_emb.0.2"),
    ("last norm", "sdxl", "lora_unet_conv_norm_out.w_norm", "unet.out.0"),
    ("time", "sdxl", "unet.time_embedding.linear_1.lora.down.weight", "unet.time_embed.0"),
    (
        "a block's time",
        "sdxl",
        "lora_unet_mid_block_resnets_0_time_emb_proj.lora_down.weight",
        "unet.middle_block.0.emb_layers.1",
    ),
    (
        "the deepest block",
        "sdxl",
        "lora_unet_middle_block_1_transformer_blocks_9_ff_net_0_proj.alpha",
        "unet.middle_block.1.transformer_blocks.9.ff.net.0.proj",
    ),
    (
        "first encoder",
        "sdxl",
        f"lora_te1_{LAYER}.self_attn.q_proj.lora_down.weight",
        f"clip_l.{LAYER}.self_attn.q_proj",
    ),
    ("second encoder", "sdxl", f"lora_te2_{LAYER}.mlp.fc1.lora_down.weight", f"clip_g.{LAYER}.mlp.fc1"),
    (
        "diffusers' first encoder",
        "sdxl",
        f"text_encoder.{LAYER}.self_attn.k_proj.lora_linear_layer.down.weight",
        f"clip_l.{LAYER}.self_attn.k_proj",
    ),
    (
        "diffusers' second encoder",
        "sdxl",
        f"text_encoder_2.{LAYER}.self_attn.k_proj.lora_A.weight",
        f"clip_g.{LAYER}.self_attn.k_proj",
    ),
    (
        "ComfyUI's second encoder",
        "sdxl",
        f"clip_g.transformer.{LAYER}.layer_norm1.w_norm",
        f"clip_g.{LAYER}.layer_norm1",
    ),
    (
        "OpenCLIP's own names",
        "sdxl",
        "conditioner.embedders.1.model.transformer.resblocks.3.mlp.c_proj.lora_up.weight",
        f"clip_g.{LAYER}.mlp.fc2",
    ),
    (
        "OpenCLIP's fused attention",
        "sdxl",
        "lora_te2_transformer_resblocks_3_attn_in_proj.lora_up.weight",
        f"clip_g.{LAYER}.self_attn.in_proj",
    ),
    ("projection", "sdxl", "lora_te2_text_projection.lora_down.weight", "clip_g.text_projection"),
    (
        "only the second encoder is so deep",
        "sdxl",
        "base_model.model.text_model.encoder.layers.31.mlp.fc1.lora_A.weight",
        "clip_g.text_model.encoder.layers.31.mlp.fc1",
    ),
    (
        "SD 2",
        "sd2",
        "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight",
        "unet.input_blocks.4.1.transformer_blocks.0.attn2.to_k",
    ),
    ("SD 2 text", "sd2", f"lora_te_{LAYER}.self_attn.q_proj.alpha", f"clip_h.{LAYER}.self_attn.q_proj"),
    (
        "SD 2 text of diffusers",
        "sd2",
        f"text_encoder.{LAYER}.mlp.fc2.lora_B.weight",
        f"clip_h.{LAYER}.mlp.fc2",
    ),
    (
        "SD 2 text of OpenCLIP",
        "sd2",
        "cond_stage_model.model.transformer.resblocks.3.ln_2.w_norm",
        f"clip_h.{LAYER}.layer_norm2",
    ),
    ("refiner text", "refiner", f"text_encoder_2.{LAYER}.mlp.fc1.lora_A.weight", f"clip_g.{LAYER}.mlp.fc1"),
)


@pytest.mark.parametrize(
    ("architecture", "name", "canonical"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_a_name_leads_to_its_weight(architecture: str, name: str, canonical: str) -> None:
    resolution = resolve([name], architecture)
    assert list(resolution.groups) == [canonical]
    assert resolution.unmatched == ()


@pytest.mark.parametrize("name", [row[2] for row in ROWS if row[1] == "sdxl"][:4])
def test_underscores_and_dots_are_one(name: str) -> None:
    module, _, suffix = name.partition(".lora")
    flattened = module.replace(".", "_") + ".lora" + suffix
    assert list(resolve([flattened], "sdxl").groups) == list(resolve([name], "sdxl").groups)


SPELLED = [
    (known, f"unet.{pair[1]}", spelling)
    for known in ARCHITECTURES
    for pair in unet_modules(known.unet)
    for spelling in pair
]
SPELLED += [
    (known, f"{text.part}.{path}", spelling)
    for known in ARCHITECTURES
    for text in known.texts
    for path in clip_modules(text.layers)
    for spelling in (path, *(() if text.split else filter(None, [openclip_path(path)])))
]


@given(st.sampled_from(SPELLED), st.sampled_from(PREFIXES), st.sampled_from(sorted(SUFFIXES)), st.booleans())
def test_any_prefix_any_separator_any_suffix(
    spelled: tuple[Architecture, str, str], prefix: tuple[str, str], suffix: str, underscores: bool
) -> None:
    known, canonical, path = spelled
    start, said = prefix
    stem = f"{start}.{path}" if start else path
    name = (flat(stem) if underscores else stem) + suffix
    tables = known.paths()
    meant = [table[flat(path)] for table in tables.values() if flat(path) in table]
    part = known.part_of(said)
    own = tables.get(part, {}).get(flat(path)) if said else meant[0] if len(meant) == 1 else None
    assert own == canonical or part != canonical.partition(".")[0]
    resolution = resolve([name], known.name)
    if own is not None:  # also where the prefix says that the other text encoder is meant
        assert list(resolution.groups) == [own]
    else:  # a prefix of a part that lacks it, or a name that either text encoder could mean
        assert resolution.unmatched == (name,)


FOREIGN = (
    ("sdxl", "lora_unet_down_blocks_3_resnets_0_conv1.alpha"),
    ("sdxl", "lora_unet_down_blocks_0_attentions_0_proj_in.alpha"),
    ("sdxl", f"lora_te3_{LAYER}.mlp.fc1.alpha"),
    ("sdxl", "lora_te1_text_model_encoder_layers_12_mlp_fc1.alpha"),
    ("sdxl", "lora_te1_text_projection.alpha"),
    ("sd2", f"lora_te2_{LAYER}.mlp.fc1.alpha"),
    ("sd2", "lora_unet_add_embedding_linear_1.alpha"),
    ("sd1", "lora_te_transformer_resblocks_3_attn_in_proj.alpha"),
    ("refiner", f"lora_te1_{LAYER}.mlp.fc1.alpha"),
)


@pytest.mark.parametrize(("architecture", "name"), FOREIGN, ids=[f"{a} {n}" for a, n in FOREIGN])
def test_a_name_of_another_kind_of_model_is_reported(architecture: str, name: str) -> None:
    resolution = resolve([name], architecture)
    assert resolution.unmatched == (name,)
    assert not resolution.groups


@pytest.mark.parametrize(("width", "part"), [(768, "clip_l"), (1280, "clip_g")])
def test_a_name_that_could_be_of_two_encoders_is_told_by_its_size(width: int, part: str) -> None:
    stem = f"base_model.model.{LAYER}.self_attn.q_proj"
    shapes = {f"{stem}.lora_A.weight": (4, width), f"{stem}.lora_B.weight": (width, 4)}
    assert list(resolve(shapes, "sdxl", shapes).groups) == [f"{part}.{LAYER}.self_attn.q_proj"]
    assert set(resolve(shapes, "sdxl").unmatched) == set(shapes)  # without sizes it is told, not guessed


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("lora_te2_nonsense.alpha", "clip_g"),
        ("text_encoder_2.nonsense.lora_A.weight", "clip_g"),
        ("text_encoder.nonsense.lora_A.weight", "clip_l"),
        ("lora_unet_nonsense.alpha", "unet"),
        ("lora_te3_nonsense.alpha", ""),
        ("lycoris_nonsense.alpha", ""),
    ],
)
def test_a_prefix_tells_the_part_even_of_a_name_without_a_place(name: str, part: str) -> None:
    assert part_of(name, find_architecture("sdxl")) == part
