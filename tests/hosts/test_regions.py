"""Regions as the host's sizes and masks make them: windows, crops, second passes, the inpaint mask."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from lib_lora.engine.masks import Mask
from lib_lora.errors import EntryValueError, MaskError
from lib_lora.hosts.passes import pass_of
from lib_lora.hosts.regions import Places, picture_of
from lib_lora.library.masks import MaskPicture
from lib_lora.stack.entry import Entry
from lib_lora.stack.passes import BASE, DETAILER, HIRES, REFINER
from lib_lora.stack.region import read_regions

LEFT = MaskPicture(4, 4, bytes([255, 255, 0, 0] * 4))


def processing(**fields: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"width": 512, "height": 512, **fields})


def mask_of(region: str, p: Any = None, pass_name: str = BASE, *before: str, feather: float = 0) -> Mask:
    entries = [*(Entry("other", region=text) for text in before), Entry("n", region=region, feather=feather)]
    regions = read_regions(entries, (("left", "0" * 16),))
    found = Places(p or processing(), pass_name, {"left": LEFT}).masks(entries, regions)
    region_of_row = regions[-1]
    assert region_of_row is not None
    return found[region_of_row]


def columns(mask: Mask, count: int = 4) -> list[float]:
    return mask.at(1, count)[0].tolist()


def test_each_kind_of_region() -> None:
    assert columns(mask_of("box:0.25,0,0.5,1")) == [0, 1, 1, 0]
    assert columns(mask_of("mask:left")) == [1, 1, 0, 0]
    assert columns(mask_of("not:1", None, BASE, "mask:left")) == [0, 0, 1, 1]
    assert columns(mask_of("not:2", None, BASE, "mask:left", "not:1")) == [1, 1, 0, 0]
    inside = torch.zeros(4, 8, 8)
    inside[:, :, :2] = 1
    assert columns(mask_of("inpaint", processing(nmask=inside))) == [1, 0, 0, 0]
    assert columns(mask_of("mask:left", feather=0.25), 8)[2:6] == pytest.approx([1, 0.75, 0.25, 0])


def test_the_part_that_is_drawn_shows_its_part_of_a_region() -> None:
    """Only masked: the picture is 400 × 200, and its right half is drawn at 512 × 512."""
    image = SimpleNamespace(size=(400, 200))
    p = processing(init_images=[image], paste_to=(200, 0, 200, 200), nmask=torch.ones(4, 64, 64))
    assert mask_of("box:0,0,0.5,1", p).empty
    assert columns(mask_of("box:0.5,0,0.25,1", p)) == [1, 1, 0, 0]
    assert mask_of("inpaint", p).full, "the inpaint mask is of the part itself"
    whole = processing(init_images=[image], paste_to=None)
    assert columns(mask_of("box:0,0,0.5,1", whole)) == [1, 1, 0, 0]


def test_a_part_left_over_from_the_picture_before_is_not_that_of_the_next() -> None:
    """The batch tab draws with one object; where a mask is blank the WebUI draws the whole picture."""
    image = SimpleNamespace(size=(400, 200))
    p = processing(init_images=[image], paste_to=(200, 0, 200, 200), inpaint_full_res=False)
    assert columns(mask_of("box:0,0,0.5,1", p)) == [1, 1, 0, 0]


def test_a_second_pass_that_is_cut() -> None:
    """512 × 512 becomes 1024 × 1024, of which 1024 × 512 stays: the middle half of its height."""
    cut = {"hr_upscale_to_x": 1024, "hr_upscale_to_y": 1024, "truncate_x": 0, "truncate_y": 64}
    p = processing(**cut)
    assert picture_of(p, HIRES).window == (0, 0.25, 1, 0.75)
    assert picture_of(p, BASE).window == (0, 0, 1, 1)
    assert mask_of("box:0,0,1,0.25", p, HIRES).empty
    assert mask_of("box:0,0,1,0.25", p, BASE) == mask_of("box:0,0,1,0.25", processing(), BASE)


def test_equal_places_are_equal_in_both_passes() -> None:
    p = processing(hr_upscale_to_x=1024, hr_upscale_to_y=1024, truncate_x=0, truncate_y=0)
    assert mask_of("mask:left", p, HIRES) == mask_of("mask:left", p, BASE)


@pytest.mark.parametrize(("pass_name", "where"), [(BASE, "This picture"), (HIRES, "The hires pass")])
def test_no_inpaint_mask_is_an_error(pass_name: str, where: str) -> None:
    with pytest.raises(EntryValueError, match=rf"row 1 \(n\): region is inpaint. {where} is not inpainted"):
        mask_of("inpaint", None, pass_name)


def test_a_mask_of_another_shape_is_an_error() -> None:
    with pytest.raises(
        MaskError, match=r"row 1 \(n\): mask 'left' has 4 × 4 pixels, and the picture 512 × 768"
    ):
        mask_of("mask:left", processing(height=768))
    assert mask_of("mask:left", processing(height=528)), "sizes are rounded to eights"


def checkpoint(name: str) -> SimpleNamespace:
    return SimpleNamespace(filename=f"/models/{name}.safetensors", name_for_extra=name)


@pytest.mark.parametrize(
    ("fields", "hires", "expected"),
    [
        pytest.param({}, False, BASE, id="base"),
        pytest.param({"is_hr_pass": True}, False, HIRES, id="the object says so"),
        pytest.param({}, True, HIRES, id="prepared"),
        pytest.param({"refiner_checkpoint_info": checkpoint("fine")}, False, BASE, id="not yet the refiner"),
        pytest.param(
            {"loaded": "fine", "refiner_checkpoint_info": checkpoint("fine")}, False, REFINER, id="refiner"
        ),
        pytest.param(
            {"loaded": "fine", "refiner_checkpoint_info": checkpoint("fine"), "sd_model_name": "fine"},
            False,
            BASE,
            id="the same checkpoint as refiner",
        ),
        pytest.param({"_ad_inner": True, "is_hr_pass": True}, False, DETAILER, id="a face"),
    ],
)
def test_the_pass(fields: dict[str, Any], hires: bool, expected: str) -> None:
    loaded = checkpoint(fields.pop("loaded", "first"))
    given = {"sd_model_name": "first", "sd_model": SimpleNamespace(sd_checkpoint_info=loaded), **fields}
    assert pass_of(SimpleNamespace(**given), hires) == expected


@pytest.mark.parametrize(
    ("told", "named"),
    [
        pytest.param({"RP Active": True, "RP Calc Mode": "Attention"}, "Regional Prompter", id="attention"),
        pytest.param(
            {"RP Active": True, "RP Calc Mode": "Latent", "RP Divide mode": "Prompt"},
            "Regional Prompter",
            id="regions by words",
        ),
        pytest.param({"NegPiP Active": True}, "NegPiP", id="negative words"),
    ],
)
def test_who_counts_attentions_would_lose_count(told: dict[str, object], named: str) -> None:
    """Each of 16 attentions of a call is computed once more for a region: they exchange prompts after 16."""
    with pytest.raises(EntryValueError, match=f"row 1 .*{named} off"):
        mask_of("box:0,0,0.5,1", processing(extra_generation_params=told))


def test_regions_drawn_apart_count_nothing() -> None:
    told = {"RP Active": True, "RP Calc Mode": "Latent", "RP Divide mode": "Matrix"}
    assert mask_of("box:0,0,0.5,1", processing(extra_generation_params=told)).share == 0.5
