"""Rows with regions and sides over a whole session: what is told, what is forgotten, what is exact again."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

from lib_lora.engine.aimed import Aim
from lib_lora.engine.masks import Mask, Picture, box_mask, drawn_mask
from lib_lora.errors import EngineError
from lib_lora.network import Network
from lib_lora.plan import make_plan
from lib_lora.session import Session
from lib_lora.stack.entry import Entry
from lib_lora.stack.region import BOX, INPAINT, Region
from lib_lora.stack.schedule import Moment
from lib_lora.stack.stack import Stack
from tests.builders import ToyModel, toy_sd1
from tests.sessions import MODES, is_untouched, open_networks, same

PICTURE = Picture(40, 40)
LEFT = Region(BOX, box=(0, 0, 0.4, 1))
MASKS: Mapping[Region, Mask] = {LEFT: box_mask(LEFT.box, PICTURE)}
ROW = {"region": "box:0,0,0.4,1"}


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Network]:
    return open_networks(tmp_path_factory.mktemp("loras"))


@pytest.fixture
def toy() -> ToyModel:
    return toy_sd1()


def plan_of(networks: dict[str, Network], toy: ToyModel, *entries: Entry):
    return make_plan(Stack(entries), [networks[entry.network] for entry in entries], toy.view())


@pytest.mark.parametrize("mode", MODES)
def test_a_region_is_put_on_and_taken_off_without_trace(
    toy: ToyModel, networks: dict[str, Network], mode: str
) -> None:
    plain, before = toy.run(), toy.digests()
    with Session() as session:
        session.attach(toy.view(), plan_of(networks, toy, Entry("a", **ROW), Entry("b")), mode, Aim(MASKS))
        worn = toy.run()
        report = session.report()
    assert not same(worn, plain)
    assert toy.digests() == before and is_untouched(toy) and same(toy.run(), plain)
    assert report.bypassed >= 4 and (report.merged > 0) == (mode != "bypass")
    first, second = report.entries
    assert first.share == 0.4 and first.notes == ("acts in 40 % of the picture",)
    assert second.share is None and second.notes == ()
    assert "row 1 acts in 40 % of the picture" in report.one_line()


def test_where_and_when_are_told_together(toy: ToyModel, networks: dict[str, Network]) -> None:
    with Session() as session:
        row = Entry("a", te=0, stop="0.6", **ROW)
        session.attach(toy.view(), plan_of(networks, toy, row), "auto", Aim(MASKS))
        session.step(Moment(0, 20))
        toy.run()
        line = session.report().one_line()
    assert "row 1 acts in 40 % of the picture, in steps 1 to 12 of 20" in line


def test_other_masks_are_another_attachment(toy: ToyModel, networks: dict[str, Network]) -> None:
    plan, view = plan_of(networks, toy, Entry("a", region="inpaint")), toy.view()
    region = Region(INPAINT)

    def aim(columns: list[float]) -> Aim:
        return Aim({region: drawn_mask(tuple(columns), torch.tensor([columns]), PICTURE)})

    with Session() as session:
        outputs = []
        for columns in ([1.0, 0.0], [0.0, 1.0], [1.0, 0.0]):
            session.attach(view, plan, "auto", aim(columns))
            outputs.append(toy.run())
    assert same(outputs[0], outputs[2]) and not same(outputs[0], outputs[1])


def test_text_is_for_one_side(toy: ToyModel, networks: dict[str, Network]) -> None:
    plain = toy.run()[0]
    with Session() as session:
        session.attach(toy.view(), plan_of(networks, toy, Entry("a")), "auto")
        worn = toy.run()[0]
    row = Entry("a", unet=0, side="negative")
    with Session() as session:
        session.attach(toy.view(), plan_of(networks, toy, row), "auto")
        with pytest.raises(EngineError, match="does not tell which prompt it encodes"):
            toy.run()
        texts = []
        for side in ("positive", "negative", "positive"):
            session.encode(side)
            texts.append(toy.run()[0])
    assert torch.equal(texts[0], plain) and torch.equal(texts[2], plain)
    assert torch.equal(texts[1], worn)


@pytest.mark.parametrize("mode", MODES)
def test_a_side_after_another_weight_is_that_of_its_own(
    toy: ToyModel, networks: dict[str, Network], mode: str
) -> None:
    """The host encodes the negative prompt first, for which the row does nothing."""
    row = plan_of(networks, toy, Entry("a", unet=0, side="positive"))
    texts = []
    for before in (None, Entry("a", weight=0.3)):
        with Session() as session:
            if before is not None:
                session.attach(toy.view(), plan_of(networks, toy, before), mode)
                toy.run()
            session.attach(toy.view(), row, mode)
            for side in ("negative", "positive"):
                session.encode(side)
                texts.append(toy.run()[0])
    assert torch.equal(texts[0], texts[2]) and torch.equal(texts[1], texts[3])
    assert not torch.equal(texts[0], texts[1])
