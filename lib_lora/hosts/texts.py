"""Prompts whose encoding changes over the steps, because text encoder weights of rows do.

The host has a carrier for that, prompt editing: for every prompt a list of conditionings, each with the last
call of the model that it is for (`end_at_step`, from 0). So each key frame is encoded once, the steps between
two of them get their mixture, and all of it lies in the host's own lists, kept as any encoded prompt is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lib_lora.errors import EngineError
from lib_lora.stack.schedule import Moment, Schedule, key_steps

Call = Callable[[], Any]
Encode = Callable[[Moment], None]
"""Gives the text encoders the strengths of a moment."""


@dataclass(frozen=True)
class Timeline:
    """How many steps a pass makes, and how many calls of the model: some samplers make two a step."""

    steps: int
    calls: int


@dataclass(frozen=True)
class Span:
    """Calls up to `last` with a mixture of two key frames; share: of the second, 0 to 1."""

    last: int
    first: int
    second: int
    share: float


def timeline_of(p: Any, call: Call) -> Timeline:
    """Return the steps of the pass that a call of `get_conds_with_caching` encodes for."""
    given = _arguments(call)
    steps, calls, hires = int(p.steps), int(given["steps"]), given.get("hires_steps")
    if hires is not None:
        steps, calls = int(getattr(p, "hr_second_pass_steps", 0) or steps), int(hires)
    each = max(calls // max(steps, 1), 1)
    if hires is None and hasattr(p, "init_images"):
        from modules import sd_samplers_common

        steps = int(sd_samplers_common.setup_img2img_steps(p)[1]) + 1  # the strength leaves some out
    return Timeline(steps, steps * each)


def over_steps(call: Call, schedules: Sequence[Schedule], timeline: Timeline, encode: Encode) -> Any:
    """Run the host's call so that what it encodes follows the schedules; what it has kept stays kept."""
    function = _arguments(call)["function"]
    frames = key_steps(schedules, timeline.steps)

    def encoded(*args: Any, **kwargs: Any) -> Any:
        known: dict[tuple[float, ...], Any] = {}
        results = []
        for step in frames:
            moment = Moment(step, timeline.steps)
            factors = tuple(schedule.factor(moment) for schedule in schedules)
            if factors not in known:
                encode(moment)
                known[factors] = function(*args, **kwargs)
            results.append(known[factors])
        return joined(results, spans(frames, timeline))

    return _with_function(call, encoded)()


def spans(frames: Sequence[int], timeline: Timeline) -> tuple[Span, ...]:
    """Return between which key frames each call of the model is, equal calls together, in order."""
    found: list[Span] = []
    for call in range(timeline.calls):
        step = min(call * timeline.steps // timeline.calls, timeline.steps - 1)
        first = max(index for index, frame in enumerate(frames) if frame <= step)
        second = min(first + 1, len(frames) - 1)
        width = frames[second] - frames[first]
        span = Span(call, first, second, (step - frames[first]) / width if width else 0.0)
        if found and replace(found[-1], last=call) == span:
            found.pop()
        found.append(span)
    return tuple(found)


def joined(results: Sequence[Any], over: Sequence[Span]) -> Any:
    """Return one answer of the host's function made of those for each key frame.

    Raises EngineError where it does not have the host's own shape: lists of (last call, conditioning), for a
    prompt itself inside parts joined by AND.
    """
    if all(result is results[0] for result in results):
        return results[0]
    try:
        if not hasattr(results[0], "batch"):
            return [_schedule(lists, over) for lists in zip(*results, strict=True)]
        batch = [
            [_part(parts, over) for parts in zip(*pictures, strict=True)]
            for pictures in zip(*(result.batch for result in results), strict=True)
        ]
        return type(results[0])(shape=results[0].shape, batch=batch)
    except (AttributeError, TypeError, ValueError) as error:
        raise EngineError(
            "This WebUI encodes prompts in a way that cannot change over the steps. Clear 'te_schedule' in "
            "the rows that have one."
        ) from error


def _part(frames: Sequence[Any], over: Sequence[Span]) -> Any:
    schedules = _schedule([frame.schedules for frame in frames], over)
    return type(frames[0])(schedules=schedules, weight=frames[0].weight)


def _schedule(frames: Sequence[Sequence[Any]], over: Sequence[Span]) -> list[Any]:
    """Return the conditionings of one prompt over the steps; it may be edited over them by itself."""
    found: list[Any] = []
    begin = 0
    end = max(over[-1].last, frames[0][-1].end_at_step)
    for span in over:
        last = end if span is over[-1] else span.last
        edits = list(zip(frames[span.first], frames[span.second], strict=True))
        for index, (before, after) in enumerate(edits):
            until = last if index == len(edits) - 1 else min(before.end_at_step, last)
            if begin <= until:
                cond = mixed(before.cond, after.cond, span.share)
                found.append(before._replace(end_at_step=until, cond=cond))
                begin = until + 1
    return found


def mixed(before: Any, after: Any, share: float) -> Any:
    """Return the mixture of two conditionings: tensors, or SDXL's tables of them."""
    if share == 0 or before is after:
        return before
    if isinstance(before, Mapping):
        return {name: mixed(before[name], after[name], share) for name in before}
    return (before.float() + (after.float() - before.float()) * share).to(before.dtype)


def _arguments(call: Call) -> dict[str, Any]:
    """Return what `get_conds_with_caching` is called with, by name."""
    assert isinstance(call, functools.partial)
    names = ("self", "function", "required_prompts", "steps", "caches", "extra_network_data", "hires_steps")
    return {**dict(zip(names, call.args, strict=False)), **call.keywords}


def _with_function(call: Call, function: Callable[..., Any]) -> Call:
    assert isinstance(call, functools.partial)
    if "function" in call.keywords:
        return functools.partial(call.func, *call.args, **{**call.keywords, "function": function})
    return functools.partial(call.func, call.args[0], function, *call.args[2:], **call.keywords)
