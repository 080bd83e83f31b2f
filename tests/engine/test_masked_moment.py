"""What a block is told of the moment of sampling, where one row has a region and another is for one side."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from lib_lora.engine.aimed import Aim
from lib_lora.engine.attached import Attached
from lib_lora.engine.masks import Picture, box_mask
from lib_lora.plan import Contribution
from lib_lora.stack.region import BOX, Region
from tests.builders import SmallModel, small_sd1
from tests.engine.changes import lora

NAME = "unet.input_blocks.4.0.emb_layers.1"
LEFT = Region(BOX, box=(0, 0, 0.375, 1))
AIM = Aim({LEFT: box_mask(LEFT.box, Picture(128, 64))}, lambda args, kwargs: ["positive"])


def told(model: SmallModel, changes: Sequence[Contribution]) -> Tensor:
    """What the layer puts out, as a map."""
    part = Attached("unet", {})
    part.resume(model.view(), {NAME: tuple(changes)} if changes else {}, "merged", AIM)
    taken: list[Tensor] = []
    layer = model.unet.get_submodule(NAME.removeprefix("unet."))
    hook = layer.register_forward_hook(lambda _, __, result: taken.append(result))
    with torch.no_grad():
        model.unet(torch.ones(1, 4, 8, 16), torch.tensor([10]), context=torch.ones(1, 8, 24))
    hook.remove()
    part.rest()
    return taken[0] if taken[0].dim() == 4 else taken[0][:, :, None, None]


def change(model: SmallModel, seed: int, region: Region | None, side: str) -> Contribution:
    shape = model.view().shapes[NAME]
    adapter = lora(shape, seed=seed)
    return Contribution(f"n{seed}", adapter, adapter.factors(shape), 0.8, region=region, side=side)


@pytest.mark.parametrize("first", ["region", "side"])
def test_both_act_in_either_order(first: str) -> None:
    model = small_sd1()
    inside, spoken = change(model, 1, LEFT, ""), change(model, 2, None, "positive")
    both = told(model, [inside, spoken] if first == "region" else [spoken, inside])
    assert both.shape == (1, 64, 4, 8)
    plain = told(model, [])
    alone = [told(model, [one]) - plain for one in (inside, spoken)]
    assert all(delta.abs().max() > 0.01 for delta in alone)
    torch.testing.assert_close(both - plain, sum(alone), rtol=1e-3, atol=1e-5)
