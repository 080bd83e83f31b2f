"""Every family from a file on disk into a model and off again: names, shapes, session, picture."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from lib_lora.keys.spellings import SUFFIXES
from lib_lora.network import open_network
from lib_lora.plan import make_plan
from lib_lora.session import Session
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack
from tests.adapters.table import CASES, Case, exact
from tests.builders import ToyModel, toy_sd1

KINDS = {
    "conv3x3": ("unet.input_blocks.0.0", "unet_conv_in", (8, 4, 3, 3)),
    "conv1x1": ("unet.middle_block.1.proj_in", "unet_mid_block_attentions_0_proj_in", (8, 8, 1, 1)),
    "linear": (
        "unet.middle_block.1.transformer_blocks.0.attn1.to_q",
        "unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q",
        (8, 8),
    ),
    "text encoder": (
        "clip_l.text_model.encoder.layers.0.self_attn.q_proj",
        "te_text_model_encoder_layers_0_self_attn_q_proj",
        (8, 8),
    ),
}
ENDINGS = {role: suffix for suffix, role in reversed(SUFFIXES.items())}
STRENGTH = 0.7


def spelled(kind: str, role: str, kohya: bool) -> str:
    """The name a trainer gives a tensor; kohya's OFT has a prefix of its own."""
    if kohya:
        return f"oft_{KINDS[kind][1]}{ENDINGS[role.removeprefix('kohya_')]}"
    return f"lora_{KINDS[kind][1]}{ENDINGS[role]}"


def written(path: Path, case: Case, dtype: torch.dtype = torch.float32) -> dict[str, dict[str, Tensor]]:
    """Write a file that changes every kind of weight the case can; return its tensors by weight and role."""
    torch.manual_seed(31)
    file, drawn = {}, {}
    for kind, (canonical, _, shape) in KINDS.items():
        tensors = (
            {role: tensor.to(dtype) for role, tensor in case.draw(shape).items()}
            if kind in case.hosts
            else {}
        )
        kohya = any(role.startswith("kohya_") for role in tensors)
        if not tensors or (kohya and kind == "text encoder"):
            continue
        drawn[canonical] = {role: tensor.float() for role, tensor in tensors.items()}
        file |= {spelled(kind, role, kohya): tensor.clone() for role, tensor in tensors.items()}
    save_file(file, path)
    return drawn


def changed_by_hand(case: Case, drawn: dict[str, dict[str, Tensor]]) -> ToyModel:
    """The toy with its parameters overwritten by the formula."""
    model = toy_sd1()
    with torch.no_grad():
        for name, layer in model.view().layers.items():
            if name in drawn:
                weight, bias = layer.module.weight, layer.module.bias
                weight += (STRENGTH * case.formula(weight.double(), exact(drawn[name]))).float()
                factor = drawn[name].get("ia3_l")
                if factor is not None and bias is not None and "outputs" in case.name:
                    bias *= 1 + STRENGTH * (factor.flatten() - 1)  # PEFT scales the output, bias and all
    return model


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float16, torch.bfloat16], ids=["fp32", "fp16", "bf16"]
)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_file_changes_the_picture_as_its_formula_says(
    case: Case, dtype: torch.dtype, tmp_path: Path
) -> None:
    path = tmp_path / "x.safetensors"
    drawn = written(path, case, dtype)
    model = toy_sd1()
    view, base, before = model.view(), model.run(), model.digests()
    network = open_network(path, "sd1")
    assert not network.unmatched
    assert set(network.adapters) == set(drawn)
    plan = make_plan(Stack((Entry("x", weight=STRENGTH),)), [network], view)
    wanted = changed_by_hand(case, drawn).run()
    with Session() as session:
        session.attach(view, plan)
        for ours, theirs in zip(model.run(), wanted, strict=True):
            assert (ours - theirs).abs().max() <= 2e-5 * theirs.abs().max()
    assert all(torch.equal(ours, plain) for ours, plain in zip(model.run(), base, strict=True))
    assert model.digests() == before


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_an_inpainting_model_is_changed_where_the_file_knows_it(case: Case, tmp_path: Path) -> None:
    """Its first convolution has five input channels more, which get no change or their share of a factor."""
    path = tmp_path / "x.safetensors"
    written(path, case)
    model = toy_sd1(in_channels=9)
    view = model.view()
    plan = make_plan(Stack((Entry("x", weight=STRENGTH),)), [open_network(path, "sd1")], view)
    with Session() as session:
        session.attach(view, plan)
        assert all(picture.isfinite().all() for picture in model.run())
