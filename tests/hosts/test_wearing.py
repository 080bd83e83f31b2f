"""What is worn in each pass: rows that do not act, refiners of another kind, regions that are nowhere."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lib_lora.errors import NetworkMismatchError
from lib_lora.hosts.request import Request, make_request
from lib_lora.hosts.wearing import Wardrobe, row_notes
from lib_lora.library.library import Library
from lib_lora.library.masks import MaskPicture, MaskStore, packed
from lib_lora.network import NetworkCache
from tests.builders import TOY_LAYERS, make_lora_file, toy_sd1

VIEW = toy_sd1().view()
REFINER = SimpleNamespace(filename="fine", name_for_extra="fine")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("loras")
    make_lora_file(folder / "a.safetensors", TOY_LAYERS)
    make_lora_file(folder / "wide.safetensors", {"lora_unet_conv_in": (9, 4, 3)})
    found = Library([folder])
    found.scan()
    return found


@pytest.fixture
def wardrobe() -> Wardrobe:
    return Wardrobe(NetworkCache())


def processing(**fields: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"width": 64, "height": 64, "sd_model": SimpleNamespace(), **fields})


def on_refiner() -> SimpleNamespace:
    loaded = SimpleNamespace(sd_checkpoint_info=REFINER)
    return processing(sd_model=loaded, refiner_checkpoint_info=REFINER, sd_model_name="first")


def asked(library: Library, *rows: dict[str, Any], masks: Any = None, store: Any = None) -> Request:
    rows_named = [{"network": "a", **row} for row in rows]
    document = {"version": 1, "entries": rows_named, "masks": masks or {}}
    request = make_request("txt2img", document, library, store)
    assert request.failure is None, request.failure
    return request


def test_passes_that_come_to_the_same_are_equal(library: Library, wardrobe: Wardrobe) -> None:
    request = asked(library, {"region": "box:0,0,0.5,1"})
    p = processing(hr_upscale_to_x=128, hr_upscale_to_y=128)
    base, hires = wardrobe.wear(p, request), wardrobe.wear(p, request, hires=True)
    assert base == hires
    assert wardrobe.fitted(base, VIEW).plan is wardrobe.fitted(hires, VIEW).plan
    other = asked(library, {"region": "box:0,0,0.5,1", "passes": "base,hires:0.5"})
    assert wardrobe.wear(p, other) != wardrobe.wear(p, other, hires=True)
    assert wardrobe.wear(p, asked(library, {})) != wardrobe.wear(p, asked(library, {})), (
        "requests by identity"
    )


def test_a_pass_wears_its_own_rows_and_weights(library: Library, wardrobe: Wardrobe) -> None:
    request = asked(library, {"passes": "base"}, {"passes": "base,hires:0.5"}, {"passes": "detailer"})
    told = []
    for p in (processing(), processing(is_hr_pass=True), processing(_ad_inner=True)):
        plan = wardrobe.fitted(wardrobe.wear(p, request), VIEW).plan
        told.append([(planned.row, planned.entry.unet_weight) for planned in plan.entries])
    assert told == [[(1, 1), (2, 1)], [(2, 0.5)], [(3, 1)]]
    (note,) = row_notes(request, {1, 2})
    assert note == "row 3 (a) acts in detailer only, which this picture did not have"


@pytest.mark.parametrize("passes", ["", "base,hires", "refiner", "base,refiner:0.5"])
def test_a_refiner_of_another_kind(library: Library, wardrobe: Wardrobe, passes: str) -> None:
    """By itself a row is left out there, and it is told; where it was asked for, it is an error."""
    request = asked(library, {"network": "wide", "passes": passes}, {})
    p = on_refiner()
    wear = wardrobe.wear(p, request)
    if "refiner" in passes:
        with pytest.raises(NetworkMismatchError, match=r"row 1 \(wide\)|wide"):
            wardrobe.fitted(wear, VIEW)
        return
    fitted = wardrobe.fitted(wear, VIEW)
    assert [planned.row for planned in fitted.plan.entries] == [2]
    told = "row 1 (wide) does not fit the refiner, which is without it"
    assert fitted.notes == (() if passes else (told,))


def test_on_the_first_checkpoint_a_misfit_is_always_an_error(library: Library, wardrobe: Wardrobe) -> None:
    with pytest.raises(NetworkMismatchError):
        wardrobe.fitted(wardrobe.wear(processing(), asked(library, {"network": "wide"})), VIEW)


def test_a_region_that_is_nowhere_switches_its_row_off(
    library: Library, wardrobe: Wardrobe, tmp_path: Path
) -> None:
    masks = {"black": packed(MaskPicture(4, 4, bytes(16)))}
    rows = {"region": "mask:black"}, {"region": "not:1"}
    request = asked(library, *rows, masks=masks, store=MaskStore(tmp_path))
    wear = wardrobe.wear(processing(), request)
    fitted = wardrobe.fitted(wear, VIEW)
    assert [planned.row for planned in fitted.plan.entries] == [2]
    assert fitted.notes == ("row 1 (a) is off: its region is nowhere in this picture",)


def test_masks_of_a_request_are_kept_by_their_hash(library: Library, tmp_path: Path) -> None:
    store = MaskStore(tmp_path)
    drawing = MaskPicture(2, 1, b"\xff\0")
    masks = {"left": packed(drawing), "unused": packed(MaskPicture(1, 1, b"\xff")), "gone": "0" * 16}
    request = asked(library, {"region": "mask:left"}, masks=masks, store=store)
    assert request.drawings == (("left", drawing),)
    kept = dict(request.stack.masks)
    assert kept["left"] == drawing.hash and kept["gone"] == "0" * 16
    assert store.path(kept["left"]) is not None and store.path(kept["unused"]) is not None


def test_a_new_model_has_new_plans(library: Library, wardrobe: Wardrobe) -> None:
    wear = wardrobe.wear(processing(), asked(library, {}))
    plan = wardrobe.fitted(wear, VIEW).plan
    assert wardrobe.fitted(wear, VIEW).plan is plan
    wardrobe.forget()
    assert wardrobe.fitted(wear, VIEW).plan is not plan
