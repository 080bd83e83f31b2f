"""Which tensors of a LoRA file are embeddings: names with dots and spaces, and what only looks like one."""

from __future__ import annotations

import pytest

from lib_lora.files.embeddings import split_bundle

LORA = "lora_unet_conv_in.alpha"


@pytest.mark.parametrize(
    ("tensor", "name", "holds"),
    [
        ("bundle_emb.girl.string_to_param.*", "girl", "vectors"),
        ("bundle_emb.girl.emb_params", "girl", "vectors"),
        ("bundle_emb.girl.clip_l", "girl", "clip_l"),
        ("bundle_emb.girl.clip_g", "girl", "clip_g"),
        ("bundle_emb.my.emb.emb_params", "my.emb", "vectors"),
        ("bundle_emb.two words.v2.string_to_param.265", "two words.v2", "vectors"),
        ("bundle_emb.emb_params.emb_params", "emb_params", "vectors"),
    ],
)
def test_the_ending_says_what_a_tensor_holds(tensor: str, name: str, holds: str) -> None:
    assert split_bundle([LORA, tensor]) == ({name: {holds: tensor}}, (LORA,))


@pytest.mark.parametrize(
    "tensor",
    [
        "bundle_emb.girl",
        "bundle_emb.girl.step",
        "bundle_emb..emb_params",
        "bundle_emb.emb_params",
        "bundle_emb..string_to_param.*",
        "bundle_emb.girl.string_to_param.",
        "bundle_embed.girl.emb_params",
        "girl.emb_params",
    ],
)
def test_anything_else_stays_for_the_report(tensor: str) -> None:
    assert split_bundle([tensor]) == ({}, (tensor,))


def test_both_text_encoders_make_one_embedding() -> None:
    tensors = ["bundle_emb.girl.clip_g", "bundle_emb.girl.clip_l", "bundle_emb.boy.clip_l"]
    bundle, rest = split_bundle(tensors)
    assert bundle == {
        "girl": {"clip_g": tensors[0], "clip_l": tensors[1]},
        "boy": {"clip_l": tensors[2]},
    }
    assert rest == ()


def test_a_second_set_of_vectors_of_one_name_is_left() -> None:
    first, second = "bundle_emb.girl.string_to_param.*", "bundle_emb.girl.string_to_param.265"
    assert split_bundle([first, second]) == ({"girl": {"vectors": first}}, (second,))
