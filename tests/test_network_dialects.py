"""Scales that PEFT and diffusers write beside the tensors, fused attentions, and files for other models."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest
import torch
from diffusers.loaders import StableDiffusionLoraLoaderMixin
from peft import LoHaConfig, LoKrConfig, LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from torch import Tensor, nn

from lib_lora.errors import AdapterError, NetworkMismatchError
from lib_lora.files.peft import CONFIG, EXPORT
from lib_lora.network import NetworkCache, check_fit, open_network
from tests.builders import toy_sd1

BLOCK = "mid_block.attentions.0.transformer_blocks.0.attn1"
OURS = "unet.middle_block.1.transformer_blocks.0.attn1"
SHAPES = toy_sd1().view().shapes


class Named(nn.Module):
    """Linear layers at the given paths, and nothing else."""

    def __init__(self, *paths: str) -> None:
        super().__init__()
        for path in paths:
            place: nn.Module = self
            *stems, last = path.split(".")
            for stem in stems:
                if stem not in place._modules:
                    place.add_module(stem, nn.Module())
                place = place._modules[stem]
            place.add_module(last, nn.Linear(8, 8, bias=False))


CONFIGS: tuple[tuple[str, Any], ...] = (
    ("alpha", LoraConfig(r=4, lora_alpha=6)),
    ("rs-LoRA", LoraConfig(r=4, lora_alpha=6, use_rslora=True)),
    ("patterns", LoraConfig(r=4, lora_alpha=6, rank_pattern={"to_k": 2}, alpha_pattern={"attn1.to_k": 5})),
    (
        "rs-LoRA with patterns",
        LoraConfig(r=4, lora_alpha=6, use_rslora=True, rank_pattern={"to_k": 2}, alpha_pattern={"to_q": 1.5}),
    ),
    ("a wildcard", LoraConfig(r=4, lora_alpha=6, alpha_pattern={r"mid_block.*attn1\.to_q": 3, "to_q": 9})),
    ("an anchor", LoraConfig(r=4, lora_alpha=6, alpha_pattern={"^to_q": 9, f"^{BLOCK}.to_k": 3})),
    ("DoRA", LoraConfig(r=4, lora_alpha=6, use_dora=True)),
    ("LoHa", LoHaConfig(r=4, alpha=6, alpha_pattern={"to_k": 3})),
    ("LoKr", LoKrConfig(r=2, alpha=6)),
    ("LoKr, both halves whole", LoKrConfig(r=64, alpha=6)),
)


def trained(config: Any) -> tuple[PeftModel, dict[str, Tensor]]:
    """A model with an adapter of PEFT's, and what PEFT itself makes of every weight by its canonical name."""
    torch.manual_seed(4)
    config.target_modules = ["to_q", "to_k"]
    model = get_peft_model(Named(f"{BLOCK}.to_q", f"{BLOCK}.to_k"), config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".base_layer." not in name:
                parameter.copy_(torch.randn_like(parameter) * 0.4)
    merged = {}
    for place in ("to_q", "to_k"):
        layer = model.base_model.model.get_submodule(f"{BLOCK}.{place}")
        base = layer.base_layer.weight.detach().clone()
        layer.merge()
        merged[f"{OURS}.{place}"] = (base, layer.base_layer.weight.detach().clone())
        layer.unmerge()
    return model, merged


@pytest.mark.parametrize("config", [row[1] for row in CONFIGS], ids=[row[0] for row in CONFIGS])
def test_an_export_of_peft_is_as_strong_as_peft_makes_it(tmp_path: Path, config: Any) -> None:
    model, merged = trained(config)
    model.save_pretrained(tmp_path)
    network = open_network(tmp_path / EXPORT, "sd1")
    assert set(network.adapters) == set(merged)
    assert network.unmatched == ()
    for name, (base, result) in merged.items():
        assert torch.allclose(base + network.adapters[name].delta(base), result, atol=2e-6), name
    (tmp_path / EXPORT).rename(tmp_path / "renamed.safetensors")
    again = open_network(tmp_path / "renamed.safetensors", "sd1")
    name, (base, _) = next(iter(merged.items()))
    assert torch.equal(again.adapters[name].delta(base), network.adapters[name].delta(base))


def test_without_its_config_an_export_has_scale_1_and_says_so(tmp_path: Path) -> None:
    model, _ = trained(LoraConfig(r=4, lora_alpha=6))
    model.save_pretrained(tmp_path)
    (tmp_path / CONFIG).unlink()
    network = open_network(tmp_path / EXPORT, "sd1")
    factors = network.adapters[f"{OURS}.to_q"].factors((8, 8))
    assert factors is not None and factors.scale == 1
    assert f"without its {CONFIG}" in network.notes[0]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"r": 4}', '{"r": 0, "lora_alpha": 1}', '{"r": 4, "lora_alpha": NaN}', "[" * 200_000],
    ids=["empty", "a list", "cut off", "no alpha", "rank 0", "not a number", "nested"],
)
def test_a_config_that_says_nothing_is_as_none(tmp_path: Path, text: str) -> None:
    model, _ = trained(LoraConfig(r=4, lora_alpha=6))
    model.save_pretrained(tmp_path)
    (tmp_path / CONFIG).write_text(text)
    assert "taken as 1" in open_network(tmp_path / EXPORT, "sd1").notes[0]


def test_a_pattern_that_could_take_for_ever_is_told_and_not_tried(tmp_path: Path) -> None:
    model, _ = trained(LoraConfig(r=4, lora_alpha=6))
    model.save_pretrained(tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text())
    config["alpha_pattern"] = {"(.*)*(.*)*b": 3, "a.*b.*c.*d.*e": 2, "to_q": "x", "to_k": 3}
    (tmp_path / CONFIG).write_text(json.dumps(config))
    network = open_network(tmp_path / EXPORT, "sd1")
    assert network.notes[0].startswith("3 scales are given by patterns")
    factors = network.adapters[f"{OURS}.to_k"].factors((8, 8))
    assert factors is not None and factors.scale == 0.75


def test_a_config_beside_a_file_of_another_kind_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text(json.dumps({"r": 4, "lora_alpha": 40}))
    name = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
    tensors = {f"{name}.lora_up.weight": torch.ones(8, 4), f"{name}.lora_down.weight": torch.ones(4, 8)}
    save_file(tensors, tmp_path / "kohya.safetensors")
    factors = open_network(tmp_path / "kohya.safetensors", "sd1").adapters[f"{OURS}.to_q"].factors((8, 8))
    assert factors is not None and factors.scale == 1


def test_a_changed_config_is_read_again(tmp_path: Path) -> None:
    model, _ = trained(LoraConfig(r=4, lora_alpha=6))
    model.save_pretrained(tmp_path)
    cache = NetworkCache()
    first = cache.open(tmp_path / EXPORT, "sd1")
    assert cache.open(tmp_path / EXPORT, "sd1") is first
    config = json.loads((tmp_path / CONFIG).read_text())
    (tmp_path / CONFIG).write_text(json.dumps({**config, "lora_alpha": 100}))
    second = cache.open(tmp_path / EXPORT, "sd1")
    assert second.key != first.key
    factors = second.adapters[f"{OURS}.to_q"].factors((8, 8))
    assert factors is not None and factors.scale == 25


def test_what_diffusers_notes_in_the_metadata_counts_for_its_component(tmp_path: Path) -> None:
    text = "text_model.encoder.layers.0.self_attn.q_proj"
    unet = {f"{BLOCK}.to_q.lora_A.weight": torch.ones(4, 8), f"{BLOCK}.to_q.lora_B.weight": torch.ones(8, 4)}
    StableDiffusionLoraLoaderMixin.save_lora_weights(
        tmp_path,
        unet_lora_layers=unet,
        text_encoder_lora_layers={
            f"{text}.lora_A.weight": torch.ones(4, 8),
            f"{text}.lora_B.weight": torch.ones(8, 4),
        },
        unet_lora_adapter_metadata={"r": 4, "lora_alpha": 2, "alpha_pattern": {"attn1.to_q": 8}},
        text_encoder_lora_adapter_metadata={"r": 4, "lora_alpha": 2, "use_rslora": True},
    )
    (path,) = tmp_path.glob("*.safetensors")
    adapters = open_network(path, "sd1").adapters
    found = [adapters[name].factors((8, 8)) for name in (f"{OURS}.to_q", f"clip_l.{text}")]
    assert [factors.scale for factors in found if factors is not None] == [2.0, 1.0]


FUSED = "lora_te2_transformer_resblocks_0_attn_in_proj"
ATTENTION = "clip_g.text_model.encoder.layers.0.self_attn"


def fused(path: Path, **more: Tensor) -> dict[str, Tensor]:
    torch.manual_seed(6)
    tensors = {
        f"{FUSED}.lora_up.weight": torch.randn(24, 2),
        f"{FUSED}.lora_down.weight": torch.randn(2, 8),
        f"{FUSED}.alpha": torch.tensor(1.0),
    }
    tensors |= {name.replace("__", "."): tensor for name, tensor in more.items()}
    save_file(tensors, path)
    return tensors


def test_a_change_to_a_fused_attention_is_one_to_each_of_q_k_and_v(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    tensors = fused(path, **{f"{FUSED}__lora_B__bias": torch.arange(24.0)})
    network = open_network(path, "sdxl")
    rows = [f"{ATTENTION}.{place}" for place in ("q_proj", "k_proj", "v_proj")]
    assert list(network.adapters) == rows
    whole = tensors[f"{FUSED}.lora_up.weight"] @ tensors[f"{FUSED}.lora_down.weight"] / 2
    for index, name in enumerate(rows):
        adapter = network.adapters[name]
        part = slice(8 * index, 8 * index + 8)
        assert adapter.fits((8, 8)) and not adapter.fits((24, 8))
        assert torch.allclose(adapter.delta(torch.zeros(8, 8)), whole[part])
        factors = adapter.factors((8, 8))
        assert factors is not None
        assert torch.allclose(factors.up @ factors.down * factors.scale, whole[part])
        bias = adapter.bias()
        assert bias is not None and torch.equal(bias, torch.arange(24.0)[part] / 2)
    assert network.total == 3


def test_a_fused_change_beside_one_of_its_parts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    stem = "lora_te2_text_model_encoder_layers_0_self_attn_k_proj"
    fused(
        path,
        **{f"{stem}__lora_up__weight": torch.ones(8, 2), f"{stem}__lora_down__weight": torch.ones(2, 8)},
    )
    with pytest.raises(AdapterError, match=r"twice, as '.*in_proj' and as '.*k_proj'"):
        open_network(path, "sdxl")


def test_a_fused_change_that_reads_the_weight_says_that_it_cannot_be_taken_apart(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    fused(path, **{f"{FUSED}__dora_scale": torch.ones(24, 1)})
    with pytest.raises(AdapterError, match=r"(?s)in_proj.*cannot be taken apart into q, k and v"):
        open_network(path, "sdxl")


def test_a_file_for_a_model_we_do_not_change_says_which_we_do(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    name = "lora_unet_joint_blocks_0_x_block_attn_qkv"
    save_file(
        {f"{name}.lora_up.weight": torch.ones(24, 2), f"{name}.lora_down.weight": torch.ones(2, 8)}, path
    )
    with pytest.raises(
        NetworkMismatchError,
        match=r"made for SD 3, a kind .* works with SD 1\.x, SD 2\.x, SDXL and SDXL refiner\. Remove the row",
    ):
        check_fit(open_network(path, "sd1"), SHAPES, "sd1")


def test_a_linear_file_fits_sd2s_projections_and_a_convolutional_one_too(tmp_path: Path) -> None:
    path, stem = tmp_path / "x.safetensors", "lora_unet_mid_block_attentions_0_proj_in"
    for points in ((), (1, 1)):
        save_file(
            {
                f"{stem}.lora_up.weight": torch.ones(8, 2, *points),
                f"{stem}.lora_down.weight": torch.ones(2, 8, *points),
            },
            path,
        )
        for shape in ((8, 8), (8, 8, 1, 1)):
            assert check_fit(open_network(path, "sd2"), {"unet.middle_block.1.proj_in": shape}, "sd2").matched
