"""A row with a schedule acts at each step exactly as a row with that step's number would."""

from __future__ import annotations

import pytest
import torch

from lib_lora.errors import EngineError, EntryValueError
from lib_lora.network import Network
from lib_lora.plan import Plan, make_plan
from lib_lora.session import Session
from lib_lora.stack.entry import Entry
from lib_lora.stack.schedule import Moment
from lib_lora.stack.stack import Stack
from tests.builders import ToyModel, toy_sd1
from tests.sessions import MODES, Output, is_untouched, open_networks, plan_of, same

STEPS = 5


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Network]:
    return open_networks(tmp_path_factory.mktemp("loras"))


@pytest.fixture
def toy() -> ToyModel:
    return toy_sd1()


def planned(networks: dict[str, Network], toy: ToyModel, *entries: Entry) -> Plan:
    return make_plan(Stack(entries), [networks[entry.network] for entry in entries], toy.view())


def sampled(session: Session, toy: ToyModel) -> list[Output]:
    pictures = []
    for step in range(STEPS):
        session.step(Moment(step, STEPS))
        pictures.append(toy.run())
    return pictures


@pytest.mark.parametrize("mode", MODES)
def test_each_step_is_that_of_its_number(toy: ToyModel, networks: dict[str, Network], mode: str) -> None:
    view, before = toy.view(), toy.digests()
    with Session() as session:
        entry = Entry("a", weight=0.8, te=0.8, schedule="0@0,1@1")
        session.attach(view, planned(networks, toy, entry, Entry("b", weight=0.5)), mode)
        pictures = sampled(session, toy)
    assert toy.digests() == before
    assert is_untouched(toy)
    for step, picture in enumerate(pictures):
        with Session() as session:
            rows = Entry("a", te=0.8, unet=0.8 * step / (STEPS - 1)), Entry("b", weight=0.5)
            session.attach(view, planned(networks, toy, *rows), mode)
            for ours, expected in zip(picture, toy.run(), strict=True):
                torch.testing.assert_close(ours, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_outside_its_window_the_model_is_the_bare_one(
    toy: ToyModel, networks: dict[str, Network], mode: str
) -> None:
    plain, view = toy.run(), toy.view()
    with Session() as session:
        session.attach(view, planned(networks, toy, Entry("a", te=0, start="2", stop="3")), mode)
        pictures = sampled(session, toy)
        calls = session.report().unet_calls
    assert [same(picture, plain) for picture in pictures] == [True, False, False, True, True]
    assert same(pictures[1], pictures[2])
    assert calls == STEPS * 4, "idle layers count too: the stack was there"


@pytest.mark.parametrize("mode", MODES)
def test_a_window_after_another_weight_is_that_of_its_own(
    toy: ToyModel, networks: dict[str, Network], mode: str
) -> None:
    """Idle layers are passed over when the others are merged: what is in them may be of something else."""
    view = toy.view()
    window = planned(networks, toy, Entry("a", weight=0.8, te=0, start="2"))
    with Session() as session:
        session.attach(view, window, mode)
        fresh = sampled(session, toy)
    with Session() as session:
        session.attach(view, plan_of(networks, view, a=0.3), mode)
        toy.run()
        session.attach(view, window, mode)
        again = sampled(session, toy)
    assert all(map(same, again, fresh))


@pytest.mark.parametrize("mode", MODES)
def test_what_an_earlier_picture_merged_is_not_what_a_window_opens_on(
    toy: ToyModel, networks: dict[str, Network], mode: str
) -> None:
    """Before the window nothing is merged, so the weights of the picture before still lie there."""
    view = toy.view()
    with Session() as session:
        session.attach(view, planned(networks, toy, Entry("a")), mode)
        expected = toy.run()
    session = Session()
    for row in (Entry("a", weight=0.5), Entry("a", start="2", te_schedule="same")):
        with session:
            session.attach(view, planned(networks, toy, row), mode)
            for step in range(2):
                session.encode("positive", Moment(step, 2))
                session.step(Moment(step, 2))
                last = toy.run()
    assert same(last, expected)


def test_nothing_is_merged_where_nothing_changes(toy: ToyModel, networks: dict[str, Network]) -> None:
    view = toy.view()
    with Session() as session:
        session.attach(view, planned(networks, toy, Entry("a", te=0, stop="0.6")))
        merges = []
        for step in range(STEPS):
            session.step(Moment(step, STEPS))
            toy.run()
            merges.append(sum(part.merging.merges for part in session._attached))
    assert merges == [4] * STEPS


def test_the_text_encoder_keeps_its_weight(toy: ToyModel, networks: dict[str, Network]) -> None:
    view = toy.view()
    plan = planned(networks, toy, Entry("a", weight=0.7, start="0.5"))
    assert plan.te_key == plan_of(networks, view, a=0.7).te_key
    with Session() as session:
        session.attach(view, plan)
        session.step(Moment(0, STEPS))
        text = toy.run()[0]
    with Session() as session:
        session.attach(view, plan_of(networks, view, a=0.7))
        assert torch.equal(text, toy.run()[0])


def test_without_steps_a_schedule_is_an_error_and_not_silence(
    toy: ToyModel, networks: dict[str, Network]
) -> None:
    with Session() as session:
        session.attach(toy.view(), planned(networks, toy, Entry("a", start="0.5")))
        with pytest.raises(EngineError, match="does not tell which step"):
            toy.run()
    assert is_untouched(toy)


def test_the_report_says_when(toy: ToyModel, networks: dict[str, Network]) -> None:
    with Session() as session:
        rows = Entry("a", start="0.4"), Entry("b"), Entry("a", stop="0")
        session.attach(toy.view(), planned(networks, toy, *rows))
        session.step(Moment(0, STEPS))
        toy.run()
        notes = [entry.notes for entry in session.report().entries]
    assert notes == [("acts in steps 3 to 5 of 5",), (), ("acts in none of 5 steps",)]


@pytest.mark.parametrize("mode", MODES)
def test_a_text_encoder_has_a_curve_of_its_own(
    toy: ToyModel, networks: dict[str, Network], mode: str
) -> None:
    """It is encoded for moments; the UNet's steps leave it alone, and it them."""
    view, before = toy.view(), toy.digests()
    curved = planned(networks, toy, Entry("a", weight=0.8, te_schedule="0@0,1@1"))
    assert curved.text_schedules and curved.te_key != plan_of(networks, view, a=0.8).te_key
    texts = []
    with Session() as session:
        session.attach(view, curved, mode)
        with pytest.raises(EngineError, match="te_schedule"):
            toy.run()
        for step in (0, 2, 4):
            session.encode("positive", Moment(step, STEPS))
            session.step(Moment(4 - step, STEPS))
            texts.append(toy.run())
    assert toy.digests() == before and is_untouched(toy)
    for text, te in zip(texts, (0.0, 0.4, 0.8), strict=True):
        with Session() as session:
            session.attach(view, planned(networks, toy, Entry("a", weight=0.8, te=te)), mode)
            for ours, expected in zip(text, toy.run(), strict=True):
                torch.testing.assert_close(ours, expected, rtol=1e-6, atol=1e-6)


def test_the_report_tells_of_the_text_encoder_s_curve(toy: ToyModel, networks: dict[str, Network]) -> None:
    rows = Entry("a", te_schedule="0@0,1@1"), Entry("b", te_schedule="0@0,1@1", blocks="ALL;BASE::0")
    notes = [entry.notes for entry in planned(networks, toy, *rows).entries]
    assert notes[0] == ("its text encoder weight changes over the steps",)
    assert notes[1][0].endswith("so 'te_schedule' changes nothing")


def test_same_is_the_curve_and_window_of_the_row(toy: ToyModel, networks: dict[str, Network]) -> None:
    row = Entry("a", start="0.5", te_schedule="same")
    (schedule,) = planned(networks, toy, row).text_schedules
    assert [schedule.factor(Moment(step, 4)) for step in range(4)] == [0, 0, 1, 1]
    with pytest.raises(EntryValueError, match=r"row 1 \(a\): te_schedule.*noise level"):
        planned(networks, toy, Entry("a", start="sigma:7", te_schedule="same"))
