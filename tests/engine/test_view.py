"""Layers are found by what they offer, whatever class a host gives them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from lib_lora.engine.view import (
    CONV,
    EMBEDDING,
    GROUP_NORM,
    LAYER_NORM,
    LINEAR,
    build_view,
    layer_kind,
    weight_shape,
)
from lib_lora.errors import ModelUnavailableError
from tests.builders import toy_sd1


class Linear(nn.Module):
    """Forge's own class of that name is no torch.nn.Linear."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, 2))
        self.bias = None

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.t()


KINDS = (
    (nn.Linear(2, 3), LINEAR),
    (Linear(), LINEAR),
    (nn.Conv2d(2, 3, 1), CONV),
    (nn.GroupNorm(1, 2), GROUP_NORM),
    (nn.LayerNorm(2), LAYER_NORM),
    (weight_norm(nn.Linear(2, 3)), LINEAR),
    (nn.Embedding(2, 3), EMBEDDING),
    (nn.GroupNorm(1, 2, affine=False), None),
    (nn.Identity(), None),
)


@pytest.mark.parametrize(("module", "kind"), KINDS, ids=[f"{type(m).__name__} is {k}" for m, k in KINDS])
def test_kinds(module: nn.Module, kind: str | None) -> None:
    assert layer_kind(module) == kind


def test_layers_are_named_by_part_and_path() -> None:
    view = toy_sd1().view()
    assert view.layers["unet.input_blocks.0.0"].kind == CONV
    assert view.layers["unet.input_blocks.0.0"].part == "unet"
    assert view.shapes["unet.middle_block.1.proj_in"] == (8, 8, 1, 1)
    assert view.shapes["clip_l.text_model.encoder.layers.0.self_attn.q_proj"] == (8, 8)
    assert len(view.layers) == 7


def test_a_quantised_weight_tells_its_real_shape() -> None:
    module = nn.Linear(4, 4)
    module.weight.quant_state = SimpleNamespace(shape=torch.Size((8, 2)))  # type: ignore[assignment]
    assert weight_shape(module) == (8, 2)


def test_a_compiled_root_is_refused_with_the_way_out() -> None:
    root = nn.Identity()
    root._orig_mod = nn.Identity()  # type: ignore[assignment]
    with pytest.raises(ModelUnavailableError, match=r"compiled.*Switch compilation off"):
        build_view("sd1", key=1, unet=root)


def test_parts_an_architecture_lacks_are_refused() -> None:
    with pytest.raises(ModelUnavailableError, match="no part 'clip_g'"):
        build_view("sd1", key=1, clip_g=nn.Identity())
