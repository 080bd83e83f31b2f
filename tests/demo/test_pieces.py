"""Pictures that are drawn in pieces: a region is a part of the whole, and nobody tells which a piece is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from lib_lora.errors import EntryValueError, LoraStackError
from lib_lora.hosts.regions import Places
from lib_lora.stack.entry import Entry
from lib_lora.stack.passes import BASE
from lib_lora.stack.region import read_regions
from tests.demo.conftest import Host
from tests.demo.test_aimed import Draws

pytestmark = pytest.mark.demo


def test_pieces_that_the_unet_is_given(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiled Diffusion hands it one after another: each would be taken for the whole picture."""
    from modules import shared

    whole, draw = shared.sd_model.apply_model, Draws(host)

    def in_pieces(x: Any, *args: Any, **kwargs: Any) -> Any:
        return torch.cat([whole(piece, *args, **kwargs) for piece in x.chunk(2, dim=-1)], dim=-1)

    monkeypatch.setattr(shared.sd_model, "apply_model", in_pieces)
    everywhere = draw({}, width=128, fresh=True)
    assert np.abs(everywhere - draw(width=128, fresh=True)).mean() > 1
    with pytest.raises(LoraStackError, match="in pieces"):
        draw({"region": "box:0,0,0.5,1"}, width=128, fresh=True)


@pytest.mark.parametrize("script", ["sd_upscale.py", "outpainting_mk_2.py", "poor_mans_outpainting.py"])
def test_pieces_that_a_script_draws_as_pictures_of_their_own(script: str) -> None:
    entries = (Entry("a", region="box:0,0,0.5,1"), Entry("b", region="not:1"), Entry("c"))
    regions = read_regions(entries, ())
    listed = [
        SimpleNamespace(filename=f"scripts/{name}", title=lambda: "The script")
        for name in ("loopback.py", script)
    ]
    p = SimpleNamespace(width=64, height=64, scripts=SimpleNamespace(selectable_scripts=listed))
    for chosen in (0, 1):
        p.script_args = [chosen, "x"]
        assert Places(p, BASE, {}).masks(entries, regions)
    p.script_args = [2, "x"]
    with pytest.raises(EntryValueError, match=r"row 1 \(a\): region box.*'The script' draws"):
        Places(p, BASE, {}).masks(entries, regions)
    assert Places(p, BASE, {}).masks(entries[2:], regions[2:]) == {}
