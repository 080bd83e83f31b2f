"""Measuring several ways of doing the same in turns, so that whatever disturbs them disturbs all of them."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Work = Callable[[int], object]
"""One way; it is told the round, to set another weight in each."""


@dataclass(frozen=True)
class Times:
    """Seconds of processor time of every way, round by round."""

    by_way: Mapping[str, list[float]]

    def median(self, way: str) -> float:
        """The median, in milliseconds."""
        return 1000 * statistics.median(self.by_way[way])

    def ratio(self, way: str, other: str) -> float:
        """The median of the ratios of the same rounds."""
        pairs = zip(self.by_way[way], self.by_way[other], strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)

    def noise(self, way: str, other: str) -> float:
        """How far off `ratio` may be."""
        ratios = [mine / theirs for mine, theirs in zip(self.by_way[way], self.by_way[other], strict=True)]
        return noise_of(ratios)

    def detail(self) -> dict[str, float]:
        """The medians of all ways, in milliseconds."""
        return {name: round(self.median(name), 3) for name in self.by_way}


def noise_of(ratios: Sequence[float]) -> float:
    """Return twice the standard error of a median; the middle deviation is not moved by a few bad rounds."""
    middle = statistics.median(ratios)
    deviation = 1.4826 * statistics.median(abs(ratio - middle) for ratio in ratios)
    return 2 * 1.2533 * deviation / len(ratios) ** 0.5


def race(ways: Mapping[str, Work], rounds: int, clock: Callable[[], float] = time.process_time) -> Times:
    """Run all ways in turns; the first round, in which memory is got, does not count."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    gc.collect()
    gc.disable()  # a collection would be charged to whoever is running
    try:
        for number in range(rounds + 1):
            for name, work in ways.items():
                start = clock()
                work(number)
                if number:
                    taken[name].append(clock() - start)
    finally:
        gc.enable()
    return Times(taken)


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, the figure, and the goal where there is one.

    at_most: whether the goal is an upper limit. detail: milliseconds of every way, for the JSON file. floor:
    what bare copies and products take of the same, measured in the same rounds. noise: how far off the figure
    may be, for goals that hold within it.
    """

    name: str
    case: str
    value: float
    goal: float | None = None
    at_most: bool = True
    unit: str = "×"
    detail: Mapping[str, float] = field(default_factory=dict)
    floor: float | None = None
    noise: float = 0.0

    @property
    def met(self) -> bool | None:
        """Whether the goal is met, None where there is none."""
        if self.goal is None:
            return None
        return self.value - self.noise <= self.goal if self.at_most else self.value + self.noise >= self.goal

    def line(self) -> str:
        """Return the row as text."""
        goal = "" if self.goal is None else f"{'≤' if self.at_most else '≥'} {self.goal:g}{self.unit}"
        told = {True: "met", False: "NOT MET", None: ""}[self.met]
        beside = "" if self.floor is None else f"  floor {self.floor:.3g}{self.unit}"
        beside += f"  ± {self.noise:.2g}" if self.noise else ""
        figure = f"{self.value:9.3g}{self.unit:3} {goal:>10}  {told:7}{beside}"
        return f"{self.name:54} {self.case:42} {figure}".rstrip()
