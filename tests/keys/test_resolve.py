"""Every dialect leads to the same canonical names, and no tensor name of a file gets lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_lora.errors import ModelUnavailableError
from lib_lora.keys import find_architecture, resolve
from lib_lora.keys.clip import clip_modules
from lib_lora.keys.sd1 import LAYOUT, TEXT_LAYERS
from lib_lora.keys.spellings import BY_PREFIX, PREFIXES, SUFFIXES, flat
from lib_lora.keys.unet import unet_modules

QUERY = "unet.input_blocks.4.1.transformer_blocks.0.attn1.to_q"
OUTPUT = "unet.input_blocks.4.1.transformer_blocks.0.attn1.to_out.0"
TEXT = "clip_l.text_model.encoder.layers.3.self_attn.q_proj"
BLOCK = "down_blocks.1.attentions.0.transformer_blocks.0"

DIALECTS = (
    ("kohya", f"lora_unet_{flat(BLOCK)}_attn1_to_q.lora_down.weight", QUERY, "lora_down"),
    ("kohya alpha", f"lora_unet_{flat(BLOCK)}_attn1_to_q.alpha", QUERY, "alpha"),
    (
        "kohya LDM",
        "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q.lora_up.weight",
        QUERY,
        "lora_up",
    ),
    ("kohya OFT", f"oft_unet_{flat(BLOCK)}_attn1_to_q.oft_blocks", QUERY, "kohya_oft_blocks"),
    ("kohya text", "lora_te_text_model_encoder_layers_3_self_attn_q_proj.alpha", TEXT, "alpha"),
    ("kohya text 1", "lora_te1_text_model_encoder_layers_3_self_attn_q_proj.alpha", TEXT, "alpha"),
    ("LyCORIS wrapper", f"lycoris_{flat(BLOCK)}_attn1_to_out_0.hada_w1_a", OUTPUT, "hada_w1_a"),
    ("diffusers 2022", f"unet.{BLOCK}.attn1.processor.to_q_lora.up.weight", QUERY, "lora_up"),
    ("diffusers 2022 out", f"unet.{BLOCK}.attn1.processor.to_out_lora.down.weight", OUTPUT, "lora_down"),
    ("diffusers 2022 bare", f"{BLOCK}.attn1.processor.to_q_lora.down.weight", QUERY, "lora_down"),
    (
        "diffusers 2022 text",
        "text_encoder.text_model.encoder.layers.3.self_attn.to_q_lora.up.weight",
        TEXT,
        "lora_up",
    ),
    ("diffusers 2023", f"unet.{BLOCK}.attn1.to_q.lora.up.weight", QUERY, "lora_up"),
    (
        "diffusers 2023 text",
        "text_encoder.text_model.encoder.layers.3.self_attn.q_proj.lora_linear_layer.down.weight",
        TEXT,
        "lora_down",
    ),
    ("diffusers 2024", f"unet.{BLOCK}.attn1.to_q.lora_A.weight", QUERY, "lora_down"),
    ("PEFT export", f"base_model.model.{BLOCK}.attn1.to_q.lora_B.weight", QUERY, "lora_up"),
    ("PEFT with adapter name", f"unet.{BLOCK}.attn1.to_q.lora_A.default.weight", QUERY, "lora_down"),
    ("PEFT broken export", f"unet.{BLOCK}.attn1.to_q.lora_B_1.default_0.weight", QUERY, "lora_up"),
    ("PEFT with a name of its own", f"unet.{BLOCK}.attn1.to_q.lora_B.my-style_2.weight", QUERY, "lora_up"),
    ("PEFT bias with adapter name", f"unet.{BLOCK}.attn1.to_q.lora_B.default.bias", QUERY, "lora_up_bias"),
    (
        "PEFT length with adapter name",
        f"unet.{BLOCK}.attn1.to_q.lora_magnitude_vector.default.weight",
        QUERY,
        "magnitude",
    ),
    ("PEFT bias", f"unet.{BLOCK}.attn1.to_q.lora_B.bias", QUERY, "lora_up_bias"),
    (
        "generic LDM",
        "diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q.lora_up.weight",
        QUERY,
        "lora_up",
    ),
    (
        "OneTrainer LDM",
        "unet.input_blocks.4.1.transformer_blocks.0.attn1.to_q.dora_scale",
        QUERY,
        "dora_scale",
    ),
    ("first convolution", "lora_unet_conv_in.lora_down.weight", "unet.input_blocks.0.0", "lora_down"),
    ("last norm", "lora_unet_conv_norm_out.w_norm", "unet.out.0", "w_norm"),
    ("last convolution", "lora_unet_conv_out.lora_up.weight", "unet.out.2", "lora_up"),
    ("time", "lora_unet_time_embedding_linear_2.alpha", "unet.time_embed.2", "alpha"),
    (
        "time of a block",
        "lora_unet_up_blocks_1_resnets_2_time_emb_proj.lora_mid.weight",
        "unet.output_blocks.5.0.emb_layers.1",
        "lora_mid",
    ),
    (
        "shortcut",
        "lora_unet_down_blocks_1_resnets_0_conv_shortcut.alpha",
        "unet.input_blocks.4.0.skip_connection",
        "alpha",
    ),
    ("downsampler", "lora_unet_down_blocks_2_downsamplers_0_conv.alpha", "unet.input_blocks.9.0.op", "alpha"),
    (
        "upsampler without attention",
        "lora_unet_up_blocks_0_upsamplers_0_conv.alpha",
        "unet.output_blocks.2.1.conv",
        "alpha",
    ),
    (
        "upsampler behind attention",
        "lora_unet_up_blocks_1_upsamplers_0_conv.alpha",
        "unet.output_blocks.5.2.conv",
        "alpha",
    ),
    (
        "middle block",
        "lora_unet_mid_block_resnets_1_conv2.alpha",
        "unet.middle_block.2.out_layers.3",
        "alpha",
    ),
)


@pytest.mark.parametrize(
    ("name", "canonical", "role"), [d[1:] for d in DIALECTS], ids=[d[0] for d in DIALECTS]
)
def test_a_dialect_leads_to_the_canonical_name(name: str, canonical: str, role: str) -> None:
    resolution = resolve([name], "sd1")
    assert resolution.groups == {canonical: {role: name}}
    assert resolution.unmatched == resolution.duplicates == ()


FOREIGN = (
    "lora_te2_text_model_encoder_layers_3_self_attn_q_proj.alpha",
    "text_encoder_2.text_model.encoder.layers.3.self_attn.q_proj.lora_A.weight",
    "lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight",
    "lora_unet_text_model_encoder_layers_3_self_attn_q_proj.alpha",
    "lora_te_down_blocks_1_attentions_0_proj_in.alpha",
    "lora_unet_down_blocks_3_attentions_0_proj_in.alpha",
    "lora_unet_down_blocks_1_attentions_0_transformer_blocks_1_attn1_to_q.alpha",
    "bundle_emb.token.string_to_param.*",
    "lora_unet_middle_block_1_proj_in.unheard_of",
    ".alpha",
    "alpha",
    "",
)


@pytest.mark.parametrize("name", FOREIGN, ids=[name or "empty" for name in FOREIGN])
def test_a_name_of_no_weight_is_reported(name: str) -> None:
    resolution = resolve([name], "sd1")
    assert resolution.unmatched == (name,)
    assert not resolution.groups


PATHS = [(f"unet.{ours}", spelled) for pair in unet_modules(LAYOUT) for ours in pair[1:] for spelled in pair]
PATHS += [(f"clip_l.{path}", path) for path in clip_modules(TEXT_LAYERS)]


@given(st.sampled_from(PATHS), st.sampled_from(PREFIXES), st.sampled_from(sorted(SUFFIXES)), st.booleans())
def test_any_prefix_any_separator_any_suffix(
    path: tuple[str, str], prefix: tuple[str, str], suffix: str, underscores: bool
) -> None:
    canonical, spelled = path
    start, part = prefix
    stem = f"{start}.{spelled}" if start else spelled
    name = (flat(stem) if underscores else stem) + suffix
    resolution = resolve([name], "sd1")
    if part == "" or find_architecture("sd1").part_of(part) == canonical.partition(".")[0]:
        usual = SUFFIXES[suffix]
        meanings = [
            meaning for known, role, meaning in BY_PREFIX if flat(name).startswith(known) and role == usual
        ]
        assert resolution.groups == {canonical: {(*meanings, usual)[0]: name}}
    else:
        assert resolution.unmatched == (name,)


@given(st.lists(st.one_of(st.text(max_size=40), st.sampled_from([d[1] for d in DIALECTS])), max_size=12))
def test_every_name_ends_up_in_exactly_one_place(names: list[str]) -> None:
    resolution = resolve(names, "sd1")
    placed = [name for group in resolution.groups.values() for name in group.values()]
    doubled = [second for _, second in resolution.duplicates]
    assert sorted([*placed, *doubled, *resolution.unmatched]) == sorted(names)


def test_two_spellings_of_one_tensor_are_told() -> None:
    names = [DIALECTS[0][1], "diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q.lora_A.weight"]
    resolution = resolve(names, "sd1")
    assert resolution.duplicates == ((names[0], names[1]),)


def test_an_unknown_architecture_is_refused_by_name() -> None:
    with pytest.raises(ModelUnavailableError, match=r"'sd9'.*SD 1\.x"):
        resolve([], "sd9")
