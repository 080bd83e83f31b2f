"""When a row acts: the same words mean the same steps everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_lora.errors import EntryValueError
from lib_lora.stack.schedule import CONSTANT, Moment, key_steps, read_schedule, read_text_schedule


def factors(steps: int, *fields: str) -> list[float]:
    found = read_schedule(*fields)
    return [round(found.factor(Moment(step, steps)), 6) for step in range(steps)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(("",), [1, 1, 1, 1, 1], id="nothing is always"),
        pytest.param(("0@0,1@1",), [0, 0.25, 0.5, 0.75, 1], id="a rise over all steps"),
        pytest.param(("1@0,0@0.5",), [1, 0.5, 0, 0, 0], id="level after the last point"),
        pytest.param(("0@0.5,1@1",), [0, 0, 0, 0.5, 1], id="level before the first point"),
        pytest.param(("0@1,1@5",), [0, 0.25, 0.5, 0.75, 1], id="positions beyond 1 are steps from 1"),
        pytest.param(
            ("late:0@0,1@1",), [0, 0, 0.333333, 0.666667, 1], id="fractions from the second step on"
        ),
        pytest.param(("0~0;1~1",), [0, 0.25, 0.5, 0.75, 1], id="other separators"),
        pytest.param(("0.5",), [0.5] * 5, id="one number"),
        pytest.param(("0@0,0@0.5,1@0.5",), [0, 0, 0, 1, 1], id="a jump: the earlier value at its place"),
        pytest.param(("", "0.4"), [0, 0, 1, 1, 1], id="start at a fraction"),
        pytest.param(("", "40%"), [0, 0, 1, 1, 1], id="start at percents"),
        pytest.param(("", "", "0.4"), [1, 1, 0, 0, 0], id="stop at a fraction"),
        pytest.param(("", "2"), [0, 1, 1, 1, 1], id="start at a step"),
        pytest.param(("", "", "2"), [1, 1, 0, 0, 0], id="stop after a step"),
        pytest.param(("", "2", "3"), [0, 1, 1, 0, 0], id="a window of steps"),
        pytest.param(("", "1", "1"), [1, 0, 0, 0, 0], id="the first step only"),
        pytest.param(("", "0", "1.0"), [1, 1, 1, 1, 1], id="the whole way as fractions"),
        pytest.param(("0@0,1@1", "0.5"), [0, 0, 0, 0.75, 1], id="a curve inside a window"),
        pytest.param(("", "9"), [0] * 5, id="a step that never comes"),
    ],
)
def test_factors(fields: tuple[str, ...], expected: list[float]) -> None:
    assert factors(5, *fields) == expected


@pytest.mark.parametrize("steps", [1, 2, 7, 20, 50])
def test_two_halves_are_a_whole(steps: int) -> None:
    first, second = factors(steps, "", "", "0.5"), factors(steps, "", "0.5")
    assert [a + b for a, b in zip(first, second, strict=True)] == [1] * steps


def test_noise_levels_count_down() -> None:
    window = read_schedule("", "sigma:7", "sigma 0.5")
    assert [window.factor(Moment(0, 9, sigma)) for sigma in (14, 7, 3, 0.5, 0.4)] == [0, 1, 1, 1, 0]
    assert window.needs_sigma
    assert not read_schedule("0@0", "2").needs_sigma


def test_nothing_is_constant() -> None:
    assert read_schedule("", "", "") == CONSTANT
    assert CONSTANT.constant
    assert not read_schedule("1@0").constant


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param(("abc",), ["schedule", '"abc"', "0@0,1@0.5"], id="a word"),
        pytest.param(("1@x",), ["schedule", '"x"'], id="a word for a position"),
        pytest.param(("1@0.5,0@0.2",), ["must rise"], id="backwards"),
        pytest.param(("1@-1",), ["below 0"], id="before the start"),
        pytest.param(("1000@0",), ["from -100 to 100"], id="a slip"),
        pytest.param(("1@0," * 201,), ["the most is 200"], id="too many points"),
        pytest.param(("late:1@1,0@9",), ["after 'late:'"], id="late steps"),
        pytest.param(("nan@0",), ["not a number"], id="NaN"),
        pytest.param(("", "half"), ["start", '"half"', "25%"], id="a word for a start"),
        pytest.param(("", "1.5"), ["start", "outside"], id="a fraction beyond 1"),
        pytest.param(("", "", "150%"), ["stop", "outside"], id="percents beyond 100"),
        pytest.param(("", "", "-1"), ["stop", "outside"], id="a negative stop"),
        pytest.param(("", "10", "5"), ["start 10 comes after stop 5"], id="a window that never opens"),
        pytest.param(("", "sigma:1", "sigma:5"), ["comes after"], id="noise levels the wrong way round"),
    ],
)
def test_mistakes(fields: tuple[str, ...], words: list[str]) -> None:
    with pytest.raises(EntryValueError) as error:
        read_schedule(*fields)
    assert all(word in str(error.value) for word in words), str(error.value)


@given(st.text(max_size=30), st.text(max_size=8), st.text(max_size=8), st.integers(0, 30))
def test_any_text_is_read_or_refused(schedule: str, start: str, stop: str, step: int) -> None:
    try:
        found = read_schedule(schedule, start, stop)
    except EntryValueError:
        return
    assert abs(found.factor(Moment(step, 20, 3.0))) <= 100


def test_the_text_encoder_is_constant_has_a_curve_or_follows() -> None:
    whole = read_schedule("0@0,1@1", "0.5")
    assert read_text_schedule("", whole) == CONSTANT
    assert read_text_schedule(" Same ", whole) == whole
    assert read_text_schedule("1@0,0@1", whole) == read_schedule("1@0,0@1")


@pytest.mark.parametrize(
    ("text", "start", "word"),
    [
        ("often", "", '"often"'),
        ("1@0.5,0@0.2", "", "must rise"),
        ("same", "sigma:5", "no noise level is known"),
    ],
)
def test_mistakes_of_the_text_encoder_s_curve_are_its_own(text: str, start: str, word: str) -> None:
    with pytest.raises(EntryValueError, match=f"te_schedule.*{word}"):
        read_text_schedule(text, read_schedule("", start))


@pytest.mark.parametrize(
    ("curves", "expected"),
    [
        pytest.param(("",), (0,), id="constant"),
        pytest.param(("0@0,1@1",), (0, 8), id="a straight line"),
        pytest.param(("0@0,1@0.5,0@1",), (0, 4, 8), id="a bend"),
        pytest.param(("1@0,1@0.5,0@0.5",), (0, 4, 5, 8), id="a jump needs both its sides"),
        pytest.param(("0@0,1@1", "1@0.5,0@1"), (0, 4, 8), id="bends of either"),
    ],
)
def test_key_steps_tell_all_others(curves: tuple[str, ...], expected: tuple[int, ...]) -> None:
    schedules = [read_schedule(curve) for curve in curves]
    assert key_steps(schedules, 9) == expected


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(-5, 5)), min_size=1, max_size=6), st.integers(1, 30)
)
def test_between_key_steps_factors_lie_on_straight_lines(points: list[tuple[int, int]], steps: int) -> None:
    curve = read_schedule(",".join(f"{value}@{place / 20}" for place, value in sorted(points)))
    frames = key_steps([curve], steps)
    for step in range(steps):
        before = max(frame for frame in frames if frame <= step)
        after = min((frame for frame in frames if frame >= step), default=before)
        share = (step - before) / (after - before) if after > before else 0
        ends = [curve.factor(Moment(frame, steps)) for frame in (before, after)]
        assert curve.factor(Moment(step, steps)) == pytest.approx(ends[0] + share * (ends[1] - ends[0]))
