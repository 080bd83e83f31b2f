"""Strengths that change at every step: merged anew or beside the layer, whichever costs less."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from lib_lora.engine.pace import calls_to_pay
from lib_lora.engine.view import LINEAR, Layer, ModelView
from lib_lora.network import Network
from lib_lora.plan import make_plan
from lib_lora.session import Session
from lib_lora.stack.entry import Entry
from lib_lora.stack.schedule import Moment
from lib_lora.stack.stack import Stack
from tests.engine.changes import lora

STEPS = 6
EVERY_STEP, WINDOW = {"schedule": "0@0,1@1"}, {"start": "3"}


class Two(nn.Module):
    """A layer that many rows go through, and one that few do."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow = nn.Linear(16, 16), nn.Linear(16, 16)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.wide(x), self.narrow(y)


def prepared(**schedule: str) -> tuple[Two, ModelView, Session]:
    torch.manual_seed(0)
    root = Two().requires_grad_(False)
    layers = {
        f"unet.{name}": Layer(f"unet.{name}", LINEAR, getattr(root, name)) for name in ("wide", "narrow")
    }
    view = ModelView("sd1", "two", {"unet": root}, layers)
    adapters = {name: lora((16, 16), seed=seed) for seed, name in enumerate(layers)}
    network = Network(Path("0"), ("two", 0), "sd1", adapters, (), ())
    session = Session()
    plan = make_plan(Stack((Entry("0", weight=0.8, **schedule),)), [network], view)
    session.attach(view, plan)
    return root, view, session


def inputs(rows: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(rows, 16, generator=generator), torch.randn(1, 16, generator=generator)


def ways(session: Session) -> dict[str, str]:
    patches = [patch for part in session._attached for patch in part.patches]
    return {patch.name: "beside" if patch.beside else "merged" for patch in patches}


def sample(root: Two, session: Session, rows: int = 64) -> list[tuple[torch.Tensor, ...]]:
    pictures = []
    for step in range(STEPS):
        session.step(Moment(step, STEPS))
        pictures.append(root(*inputs(rows)))
    return pictures


def test_what_few_rows_go_through_goes_beside_when_it_changes_at_every_step() -> None:
    root, _, session = prepared(**EVERY_STEP)
    pictures = sample(root, session)
    assert ways(session) == {"unet.wide": "merged", "unet.narrow": "beside"}
    assert "1 weights change their strength too often" in session.report().one_line()
    for step, found in enumerate(pictures):
        expected = []
        for name, x in zip(("wide", "narrow"), inputs(), strict=True):
            layer, adapter = getattr(root, name), lora((16, 16), seed=("wide", "narrow").index(name))
            change = 0.8 * step / (STEPS - 1) * adapter.delta(layer.weight)
            expected.append(nn.functional.linear(x, layer.weight + change, layer.bias))
        for ours, right in zip(found, expected, strict=True):
            torch.testing.assert_close(ours, right, rtol=1e-5, atol=1e-5)
    session.detach()


def test_a_window_is_merged_as_it_changes_once() -> None:
    root, _, session = prepared(**WINDOW)
    sample(root, session)
    assert set(ways(session).values()) == {"merged"}
    session.detach()


def test_the_next_picture_is_the_same_to_the_last_bit() -> None:
    """It begins merged again, whatever the one before ended with; of another size it is decided anew."""
    root, _, session = prepared(**EVERY_STEP)
    first = sample(root, session)
    again = sample(root, session)
    assert all(
        torch.equal(a, b)
        for one, two in zip(first, again, strict=True)
        for a, b in zip(one, two, strict=True)
    )
    sample(root, session, rows=1)
    assert set(ways(session).values()) == {"beside"}
    session.detach()


@pytest.mark.parametrize(
    ("shape", "rows", "calls"),
    [
        ((320, 320), 8192, 0.02),
        ((1280, 1280), 128, 5.0),
        ((1280, 768), 154, 3.12),
        ((1280, 1280, 3, 3), 512, 4.5),
    ],
)
def test_calls_to_pay(shape: tuple[int, ...], rows: int, calls: float) -> None:
    """Figures measured on a processor for SD 1.5's layers."""
    assert calls_to_pay(shape, rows) == pytest.approx(calls, rel=0.05)
