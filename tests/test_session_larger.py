"""A file on small models with the trees of SD 2, SDXL, its refiner, inpainting and editing: exact, undone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lib_lora.engine.modes import BYPASS, MERGED
from lib_lora.errors import NetworkMismatchError
from lib_lora.network import check_fit, open_network
from lib_lora.plan import make_plan
from lib_lora.session import Session
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack
from tests.larger import Larger, larger, merged_by_hand, write_lora

NAMES = ("sd2", "sdxl", "refiner", "sd1-inpaint", "sd1-ip2p", "sdxl-inpaint")
STRENGTH = 0.7


@pytest.fixture(scope="module", params=NAMES)
def model(request: pytest.FixtureRequest) -> Larger:
    return larger(request.param)


@pytest.mark.parametrize("mode", [MERGED, BYPASS])
def test_every_weight_is_changed_exactly_and_given_back(model: Larger, mode: str, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    factors = write_lora(path, model)
    before, plain = model.digests(), model.run()
    expected = merged_by_hand(model, factors, STRENGTH).run()
    view = model.view()
    network = open_network(path, model.architecture)
    fit = check_fit(network, view.shapes, model.architecture)
    assert set(fit.matched) == set(factors)
    assert fit.total == len(factors)
    assert fit.absent == fit.unmatched == ()
    plan = make_plan(Stack((Entry("x", weight=STRENGTH),)), [network], view)
    session = Session()
    session.attach(view, plan, mode)
    found = model.run()
    for part, output in expected.items():
        scale = output.norm()
        assert (output - plain[part]).norm() / scale > 1e-2
        assert (found[part] - output).norm() / scale < 2e-6, part
    report = session.report()
    assert report.unet_layers + report.te_layers == len(factors)
    assert report.te_layers == sum(not name.startswith("unet.") for name in factors)
    assert model.digests() == before
    session.detach()
    again = model.run()
    assert all(torch.equal(again[part], plain[part]) for part in plain)
    assert model.digests() == before


def test_the_text_encoders_and_the_unet_have_numbers_of_their_own(tmp_path: Path) -> None:
    """`te` counts for both text encoders of SDXL."""
    model, path = larger("sdxl"), tmp_path / "x.safetensors"
    factors = write_lora(path, model)
    texts = {name: found for name, found in factors.items() if not name.startswith("unet.")}
    expected, plain = merged_by_hand(model, texts, 0.4).run(), model.run()
    view = model.view()
    plan = make_plan(Stack((Entry("x", weight=1.0, te=0.4, unet=0.0),)), [open_network(path, "sdxl")], view)
    with Session() as session:
        session.attach(view, plan, MERGED)
        found = model.run()
    assert torch.equal(found["unet"], plain["unet"])
    for part in ("clip_l", "clip_g"):
        assert (found[part] - expected[part]).norm() / expected[part].norm() < 2e-6


@pytest.mark.parametrize(("trained", "loaded"), [(9, "sd1-ip2p"), (9, "sd1"), (8, "sd1")])
def test_a_file_that_reads_more_channels_than_the_checkpoint_has_does_not_fit(
    trained: int, loaded: str, tmp_path: Path
) -> None:
    path, model = tmp_path / "x.safetensors", larger(loaded)
    write_lora(path, model, input_channels=trained)
    with pytest.raises(NetworkMismatchError, match=r"input_blocks\.0\.0"):
        check_fit(open_network(path, "sd1"), model.view().shapes, "sd1")


def test_a_file_of_an_inpainting_checkpoint_fits_another_one(tmp_path: Path) -> None:
    path, model = tmp_path / "x.safetensors", larger("sd1-inpaint")
    write_lora(path, model, input_channels=9)
    fit = check_fit(open_network(path, "sd1"), model.view().shapes, "sd1")
    assert "unet.input_blocks.0.0" in fit.matched
