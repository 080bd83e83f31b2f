"""What strengths that change at every step add to a run, against the cheaper of two plain ways."""

from __future__ import annotations

from typing import Any

import torch

from lib_lora.engine.modes import AUTO, BYPASS, MERGED
from lib_lora.engine.pace import Pace
from lib_lora.plan import make_plan
from lib_lora.session import Session
from lib_lora.stack.entry import Entry
from lib_lora.stack.schedule import Moment
from lib_lora.stack.stack import Stack
from tests.bench import models
from tests.bench.race import Row, Work, race

STEPS = 6
MERGE_ALL, BESIDE_ALL, OURS = "merge at every step", "beside everywhere", "ours"


class Always(Pace):
    """Merges at every change, whatever it costs."""

    def _pays(self, *_: Any) -> bool:
        return True


def every_step(structure: str, side: int, rounds: int) -> Row:
    """Three networks of rank 32, one of them with a strength that rises from step to step."""
    own = models.build(structure, torch.float32)
    given = models.inputs(own, side)
    nets = models.draw(models.targets(own, False), [32] * 3, torch.float32)
    networks = models.opened(nets, structure)
    stack = Stack((Entry("0", schedule="0.2@0,1@1"), Entry("1", weight=0.5), Entry("2", weight=0.3)))

    def run_own(number: int) -> None:
        for _ in range(STEPS):
            own(**given)

    def run_of(mode: str, always: bool) -> Work:
        unet, session = models.twin(own), Session()
        view = models.view_of(unet, structure)
        plan = make_plan(stack, networks, view)

        def run(number: int) -> None:
            with session:
                session.attach(view, plan, mode)
                for part in session._attached if always else ():
                    part._pace = Always()
                for step in range(STEPS):
                    session.step(Moment(step, STEPS))
                    unet(**given)

        return run

    ways: dict[str, Work] = {
        "own": run_own,
        OURS: run_of(AUTO, False),
        MERGE_ALL: run_of(MERGED, True),
        BESIDE_ALL: run_of(BYPASS, False),
    }
    times = race(ways, rounds)
    added = {name: times.median(name) - times.median("own") for name in (OURS, MERGE_ALL, BESIDE_ALL)}
    return Row(
        "added by a strength that changes / the cheaper way",
        f"{structure}, attention, 3×32, {side}×{side}",
        added[OURS] / max(1e-9, min(added[MERGE_ALL], added[BESIDE_ALL])),
        1.1,
        detail={name: round(times.median(name) / STEPS, 3) for name in times.by_way},
    )
