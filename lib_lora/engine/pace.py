"""Strengths that change while a picture is sampled: what acts now, and whether merging anew is worth it.

A merge of a layer `[m, n]` costs 2·m·n·R operations, computing beside it 2·M·R·(m + n) at every call, where R
are the ranks and M the rows that go through the layer. So a merge has paid after k* = m·n / (M·(m + n))
calls, whatever the ranks are. At native sizes that is less than one for most layers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from lib_lora.engine.patch import Patch
from lib_lora.engine.view import CONV, LINEAR
from lib_lora.plan import Contribution
from lib_lora.stack.schedule import Moment, Schedule

KERNELS = 2.0
"""How many times quicker than its operations say a change beside a convolution with a kernel is; measured."""


class Pace:
    """The timed layers of one part during one run of the sampler."""

    def __init__(self) -> None:
        self._moment: Moment | None = None
        self._factors: dict[Schedule, float] = {}
        self._ahead: dict[tuple[Schedule, ...], int] = {}

    def step(self, timed: Sequence[tuple[Patch, tuple[Contribution, ...]]], moment: Moment) -> bool:
        """Give layers the strengths of a moment; tell whether there is anything to compute anew."""
        before, self._moment = self._moment, moment
        known, self._factors = self._factors, {}
        if before is None or moment.step < before.step or moment.steps != before.steps:
            for patch, _ in timed:
                patch.begin_run()
            known = {}
        schedules = known or {change.schedule for _, planned in timed for change in planned}
        factors = self._factors = {schedule: schedule.factor(moment) for schedule in schedules}
        if factors == known:
            return False
        self._ahead.clear()
        anew = False
        for patch, planned in timed:
            now = tuple(
                change.times(factor) for change in planned if (factor := factors[change.schedule]) != 0
            )
            if patch.take(now):
                anew = True
                if patch.runs and patch.merged is not None and not self._pays(patch, planned, moment):
                    patch.go_beside()
        return anew

    def _pays(self, patch: Patch, planned: Sequence[Contribution], moment: Moment) -> bool:
        """Tell whether merging at every change costs less than computing beside the layer until the end."""
        if patch.layer.kind not in (LINEAR, CONV) or not all(change.narrow for change in planned):
            return True
        left, ahead = max(1, moment.steps - moment.step), self._changes(planned, moment)
        calls = left * patch.runs / max(1, moment.step)
        shape = patch.layer.module.weight.shape
        return ahead * calls_to_pay(shape, patch.numbers // shape[0]) <= calls

    def _changes(self, planned: Sequence[Contribution], moment: Moment) -> int:
        """Return how often the strengths change from this moment on, this one included."""
        schedules = tuple(change.schedule for change in planned)
        if schedules not in self._ahead:
            steps = range(max(0, moment.step - 1), moment.steps)
            moments = [Moment(step, moment.steps, moment.sigma) for step in steps]
            factors = [[schedule.factor(then) for schedule in schedules] for then in moments]
            changes = sum(one != other for one, other in pairwise(factors))
            self._ahead[schedules] = max(1, changes)
        return self._ahead[schedules]


def calls_to_pay(shape: Sequence[int], rows: int) -> float:
    """Return after how many calls with so many rows a merge of a weight of that shape has paid: k*."""
    out, inner = shape[0], math.prod(shape[1:])
    pays = out * inner / (max(1, rows) * (out + inner))
    return pays * KERNELS if math.prod(shape[2:]) > 1 else pays
