"""Prompts encoded over the steps: key frames, mixtures, and the host's own lists."""

from __future__ import annotations

import functools
from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from lib_lora.errors import EngineError
from lib_lora.hosts.texts import Span, Timeline, joined, mixed, over_steps, spans, timeline_of
from lib_lora.stack.schedule import Moment, read_schedule

Entry = namedtuple("Entry", ["end_at_step", "cond"])
Part = namedtuple("Part", ["schedules", "weight"])
Many = namedtuple("Many", ["shape", "batch"])
LINE, JUMP = Timeline(5, 5), read_schedule("1@0,1@0.5,0@0.5")


class Host:
    """`get_conds_with_caching` as hosts have it, and text encoders that answer with the moment's factor."""

    def __init__(self, schedule: Any, edits: tuple[int, ...] = (5,)) -> None:
        self.schedule, self.edits, self.factor, self.encoded = schedule, edits, 1.0, 0

    def encode(self, moment: Moment) -> None:
        self.factor = self.schedule.factor(moment)

    def learned(self, model: Any, prompts: list[str], *_: Any) -> list[list[Entry]]:
        self.encoded += 1
        return [
            [
                Entry(end, torch.tensor([100.0 * number + self.factor]))
                for number, end in enumerate(self.edits)
            ]
            for _ in prompts
        ]

    def get(
        self, function: Any, prompts: list[str], steps: int, caches: list[Any], data: Any, hires: Any = None
    ) -> Any:
        cache = caches[0]
        if cache[0] is None:
            cache[:] = [prompts, function(None, prompts, steps, hires, False)]
        return cache[1]

    def over(self, timeline: Timeline, caches: list[Any] | None = None) -> list[list[float]]:
        """The conditioning of each call, for each prompt."""
        caches = caches or [[None, None]]
        call = functools.partial(Host.get, self, self.learned, ["a", "b"], timeline.calls, caches, None)
        found = over_steps(call, (self.schedule,), timeline, self.encode)
        return [[in_force(schedule, step) for step in range(timeline.calls)] for schedule in found]


def in_force(schedule: list[Entry], call: int) -> float:
    """As hosts look it up: the first entry whose end is not over; beyond all of them it is the first."""
    entry = next((entry for entry in schedule if call <= entry.end_at_step), schedule[0])
    return round(float(entry.cond), 6)


@pytest.mark.parametrize(
    ("curve", "expected", "encoded"),
    [
        pytest.param("0@0,1@1", [0, 0.25, 0.5, 0.75, 1], 2, id="a rise between two key frames"),
        pytest.param("1@0,1@0.5,0@0.5", [1, 1, 1, 0, 0], 2, id="a jump is one from a step to the next"),
        pytest.param("0@0,1@0.5,0@1", [0, 0.5, 1, 0.5, 0], 2, id="equal key frames are encoded once"),
        pytest.param("0.5", [0.5] * 5, 1, id="one number"),
    ],
)
def test_each_step_has_what_its_factor_encodes(curve: str, expected: list[float], encoded: int) -> None:
    host = Host(read_schedule(curve))
    assert host.over(LINE) == [expected, expected]
    assert host.encoded == encoded


def test_samplers_of_second_order_call_twice_a_step() -> None:
    assert Host(JUMP).over(Timeline(5, 10))[0] == [1] * 6 + [0] * 4


def test_a_prompt_may_be_edited_over_the_steps_by_itself() -> None:
    """`[a:b:0.4]` is in force up to its own step, inside and between key frames."""
    host = Host(read_schedule("0@0,1@1"), edits=(1, 5))
    assert host.over(LINE)[0] == [0, 0.25, 100.5, 100.75, 101]
    assert Host(JUMP, edits=(3, 5)).over(LINE)[0] == [1, 1, 1, 0, 100]


def test_what_the_host_keeps_is_not_encoded_again() -> None:
    host, caches = Host(read_schedule("0@0,1@1")), [[None, None]]
    assert host.over(LINE, caches) == host.over(LINE, caches)
    assert host.encoded == 2


def test_parts_joined_by_and_keep_their_weights() -> None:
    frames = [
        Many(
            (1,),
            [[Part([Entry(5, torch.tensor([value]))], 0.5), Part([Entry(5, torch.tensor([-value]))], 2.0)]],
        )
        for value in (0.0, 1.0)
    ]
    found = joined(frames, (Span(0, 0, 1, 0.0), Span(1, 0, 1, 0.25)))
    assert found.shape == (1,)
    first, second = found.batch[0]
    assert (first.weight, second.weight) == (0.5, 2.0)
    assert [in_force(part.schedules, 1) for part in (first, second)] == [0.25, -0.25]


def test_tables_of_sdxl_and_halves_are_mixed() -> None:
    before = {"crossattn": torch.zeros(2, 3, dtype=torch.float16), "vector": torch.zeros(4)}
    after = {"crossattn": torch.ones(2, 3, dtype=torch.float16), "vector": torch.full((4,), 2.0)}
    found = mixed(before, after, 0.5)
    assert found["crossattn"].dtype == torch.float16 and float(found["crossattn"][0, 0]) == 0.5
    assert float(found["vector"][0]) == 1.0
    assert mixed(before, after, 0.0) is before


def test_another_shape_of_answer_is_an_error_and_not_a_guess() -> None:
    with pytest.raises(EngineError, match="te_schedule"):
        joined([torch.zeros(2, 3), torch.ones(2, 3)], spans((0, 1), Timeline(2, 2)))


@pytest.mark.parametrize(
    ("p", "steps", "hires", "expected"),
    [
        pytest.param({"steps": 20}, 20, None, Timeline(20, 20), id="one call a step"),
        pytest.param({"steps": 20}, 40, None, Timeline(20, 40), id="two calls a step"),
        pytest.param({"steps": 20, "hr_second_pass_steps": 8}, 20, 8, Timeline(8, 8), id="the hires pass"),
        pytest.param(
            {"steps": 20, "hr_second_pass_steps": 0}, 20, 40, Timeline(20, 40), id="as many as before"
        ),
    ],
)
def test_the_steps_of_a_pass(p: dict[str, Any], steps: int, hires: int | None, expected: Timeline) -> None:
    given = SimpleNamespace(**p)
    call = functools.partial(Host.get, given, None, ["a"], steps, [], None)  # type: ignore[arg-type]
    if hires is not None:
        call = functools.partial(call, hires_steps=hires)
    assert timeline_of(given, call) == expected
