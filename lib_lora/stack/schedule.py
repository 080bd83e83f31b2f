"""When a row acts while a picture is sampled: a curve over the steps, and a window.

    schedule   0@0,1@0.5        factor@position, straight lines between; positions up to 1 are fractions
               0@1,1@10         positions beyond 1 are steps, counted from 1
               late:0@0,1@0.5   fractions of the steps from the second on, as loractl's tags have them
    start      0.25  25%  6  sigma:7     from this fraction, step (whole number) or noise level on
    stop       0.75  75%  15 sigma:0.5   up to this fraction (exclusive), step (inclusive) or noise level
    te_schedule  0.5@0,1@1  same         nothing is constant, `same` the curve and window above

Factors multiply the row's weight in the UNet. The text encoder is asked before the first step: once, or with
a curve of its own once for each of its key frames. The curve's syntax is loractl's (cheald). The same request
means the same on every host: a fraction counts the steps that really run (img2img runs only some), a step is
that of the progress bar.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..errors import EntryValueError
from .entry import WEIGHT_LIMIT, shown

POINT_LIMIT = 200
LATE = "late:"
SAME = "same"
"""Word of `te_schedule`: the text encoder follows the row's own curve and window."""


@dataclass(frozen=True)
class Moment:
    """Where sampling is: step from 0, how many run in this pass, and the noise level (None: unknown)."""

    step: int
    steps: int
    sigma: float | None = None

    @property
    def fraction(self) -> float:
        """The part of the steps that is done."""
        return self.step / self.steps if self.steps > 0 else 0.0


BEGINNING = Moment(0, 1)


@dataclass(frozen=True)
class Edge:
    """One end of a window: a number of a kind, `fraction`, `step` or `sigma`."""

    kind: str
    value: float

    def reached(self, moment: Moment) -> bool:
        """Whether a window that starts here has started."""
        if self.kind == "sigma":
            return moment.sigma is not None and moment.sigma <= self.value
        if self.kind == "step":
            return moment.step + 1 >= self.value
        return moment.fraction >= self.value - 1e-9

    def passed(self, moment: Moment) -> bool:
        """Whether a window that stops here is over."""
        if self.kind == "sigma":
            return moment.sigma is not None and moment.sigma < self.value
        if self.kind == "step":
            return moment.step + 1 > self.value
        return moment.fraction >= self.value - 1e-9


@dataclass(frozen=True)
class Schedule:
    """A factor at every moment.

    by_step: positions of the points are steps and not fractions. late: fractions begin at the second step.
    """

    points: tuple[tuple[float, float], ...] = ()  # position, factor
    by_step: bool = False
    start: Edge | None = None
    stop: Edge | None = None
    late: bool = False

    @property
    def constant(self) -> bool:
        """Whether the factor is 1 at every moment."""
        return not self.points and self.start is None and self.stop is None

    @property
    def needs_sigma(self) -> bool:
        """Whether an end of the window is a noise level."""
        return any(edge is not None and edge.kind == "sigma" for edge in (self.start, self.stop))

    def told(self, steps: int) -> tuple[str, ...]:
        """Say in which of so many steps the row acts; nothing where it always does, or the noise decides."""
        if self.constant or self.needs_sigma:
            return ()
        acting = [step + 1 for step in range(steps) if self.factor(Moment(step, steps)) != 0]
        if not acting:
            return (f"acts in none of {steps} steps",)
        return (f"acts in steps {acting[0]} to {acting[-1]} of {steps}",)

    def factor(self, moment: Moment) -> float:
        """Return the factor at a moment."""
        if self.start is not None and not self.start.reached(moment):
            return 0.0
        if self.stop is not None and self.stop.passed(moment):
            return 0.0
        if not self.points:
            return 1.0
        if self.by_step:
            return _between(self.points, moment.step + 1)
        first = 1 if self.late else 0
        last = max(moment.steps - 1 - first, 1)
        return _between(self.points, max(moment.step - first, 0) / last)


CONSTANT = Schedule()


def read_schedule(schedule: str, start: str = "", stop: str = "") -> Schedule:
    """Read the three fields of a row; raises EntryValueError naming the field."""
    points, by_step, late = _points(schedule)
    found = Schedule(points, by_step, _edge("start", start), _edge("stop", stop), late)
    first, last = found.start, found.stop
    if first is not None and last is not None and first.kind == last.kind:
        backwards = first.value < last.value if first.kind == "sigma" else first.value > last.value
        if backwards:
            raise EntryValueError(f"start {start} comes after stop {stop}, so the row would never act.")
    return found


def read_text_schedule(text: str, whole: Schedule) -> Schedule:
    """Read `te_schedule` of a row whose other fields are `whole`; raises EntryValueError naming the field."""
    if text.strip().lower() == SAME:
        if whole.needs_sigma:
            raise EntryValueError(
                "te_schedule: the text is encoded before the first step, when no noise level is known yet. "
                "Give start and stop as fractions or steps, or write a curve such as 0@0,1@0.5."
            )
        return whole
    points, by_step, late = _points(text, "te_schedule")
    return Schedule(points, by_step, late=late)


def key_steps(schedules: Sequence[Schedule], steps: int) -> tuple[int, ...]:
    """Return the steps, from 0, whose factors tell those of all others by straight lines between them."""
    factors = [
        tuple(schedule.factor(Moment(step, steps)) for schedule in schedules) for step in range(max(steps, 1))
    ]
    last = len(factors) - 1

    def bends(step: int) -> bool:
        around = zip(factors[step - 1], factors[step], factors[step + 1], strict=True)
        return any(abs(before - 2 * here + after) > 1e-9 for before, here, after in around)

    found = tuple(step for step in range(last + 1) if step in (0, last) or bends(step))
    return found[:1] if len(set(factors)) == 1 else found


def _points(text: str, field: str = "schedule") -> tuple[tuple[tuple[float, float], ...], bool, bool]:
    """Return the points, whether their positions are steps, and whether they are late."""
    curve = text.strip().removeprefix(LATE)
    parts = [part.strip() for part in curve.replace(";", ",").split(",") if part.strip()]
    if not parts:
        return (), False, False
    if len(parts) > POINT_LIMIT:
        raise EntryValueError(f"{field} has {len(parts)} points; the most is {POINT_LIMIT}.")
    points = []
    for part in parts:
        value, sign, place = part.replace("~", "@").partition("@")
        points.append((_number(field, place) if sign else 1.0, _number(field, value)))
    positions = [position for position, _ in points]
    if any(later < earlier for earlier, later in pairwise(positions)):
        raise EntryValueError(
            f"{field}: the positions after @ must rise, but {shown(text)} goes back. Sort its points."
        )
    if positions[0] < 0:
        raise EntryValueError(f"{field}: a position cannot be below 0.")
    if any(abs(value) > WEIGHT_LIMIT for _, value in points):
        limit = f"{WEIGHT_LIMIT:g}"
        raise EntryValueError(f"{field}: numbers before @ must be from -{limit} to {limit}.")
    late, by_step = curve != text.strip(), positions[-1] > 1
    if late and by_step:
        raise EntryValueError(f"{field}: after '{LATE}' positions are fractions, up to 1, not steps.")
    return tuple(points), by_step, late


def _edge(name: str, text: str) -> Edge | None:
    text = text.strip().lower()
    if not text:
        return None
    if text.startswith("sigma"):
        edge = Edge("sigma", _number(name, text[len("sigma") :].strip(" :=")))
    elif text.endswith("%"):
        edge = Edge("fraction", _number(name, text[:-1]) / 100)
    else:
        value = _number(name, text)
        edge = Edge("step" if text.isdecimal() and value >= 1 else "fraction", value)
    if edge.value < 0 or (edge.kind == "fraction" and edge.value > 1):
        raise EntryValueError(
            f"{name} {shown(text)} lies outside the picture's making. "
            "Write a fraction from 0 to 1 (0.5 or 50%), a whole step (12), or a noise level (sigma:3)."
        )
    return edge


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        example = "0@0,1@0.5" if name.endswith("schedule") else "0.25, 25%, 6 or sigma:7"
        raise EntryValueError(f"{name}: {shown(text.strip())} is not a number. Write it such as {example}.")
    return value


def _between(points: tuple[tuple[float, float], ...], position: float) -> float:
    """Straight lines between the points, level before the first and after the last."""
    before = None
    for place, value in points:
        if place >= position:
            if before is None or place == before[0]:
                return value
            share = (position - before[0]) / (place - before[0])
            return before[1] + share * (value - before[1])
        before = (place, value)
    return points[-1][1]
