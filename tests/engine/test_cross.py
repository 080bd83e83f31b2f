"""Attention to words, region by region: what happens where somebody else computes it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lib_lora.engine.aimed import Aim
from lib_lora.engine.attached import Attached
from lib_lora.engine.masks import Picture, box_mask
from lib_lora.errors import EngineError
from lib_lora.plan import Contribution
from lib_lora.stack.region import BOX, Region
from tests.builders import small_sd1
from tests.engine.changes import lora

LEFT = Region(BOX, box=(0, 0, 0.375, 1))
ATTENTION = "input_blocks.4.1.transformer_blocks.0.attn2"


def test_words_that_another_extension_attends_to_itself_are_not_lost_in_silence() -> None:
    """In Forge an IP-Adapter stands in the attention's place, calls its layers, and ours is never called."""
    model, name = small_sd1(), f"unet.{ATTENTION}.to_k"
    view, module = model.view(), model.unet.get_submodule(ATTENTION)
    adapter = lora(view.shapes[name], rank=3)
    change = Contribution("n", adapter, adapter.factors(view.shapes[name]), 0.8, region=LEFT)
    part = Attached("unet", {})
    part.resume(view, {name: (change,)}, "merged", Aim({LEFT: box_mask(LEFT.box, Picture(128, 64))}))

    def itself(x: Tensor, context: Tensor, **_: object) -> Tensor:
        return module.to_out(module.to_q(x) + module.to_k(context).mean() + module.to_v(context).mean())

    def run() -> None:
        with torch.no_grad():
            model.unet(torch.zeros(1, 4, 8, 16), torch.tensor([10]), context=torch.zeros(1, 8, 24))

    run()
    vars(module)["forward"] = itself
    with pytest.raises(EngineError, match="Another extension"):
        run()
