"""Prompt editing: `[from:to:when]`, `[add:when]`, `[drop::when]`, `[a|b]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"^\s*\d*\.?\d+\s*$")


@dataclass(frozen=True)
class _Edit:
    """Text that changes at a step."""

    before: tuple
    after: tuple
    when: float
    is_fraction: bool


@dataclass(frozen=True)
class _Alternate:
    """Text that changes at every step."""

    options: tuple[tuple, ...]


def _parse(text: str, at: int, stops: str) -> tuple[tuple, int]:
    """Read nodes (str, _Edit, _Alternate) up to one of `stops` at this depth."""
    nodes: list = []
    plain = ""
    while at < len(text) and text[at] not in stops:
        if text[at] == "\\" and at + 1 < len(text):
            plain += text[at : at + 2]
            at += 2
        elif text[at] == "[":
            node, at = _bracket(text, at)
            nodes.extend([plain, node])
            plain = ""
        else:
            plain += text[at]
            at += 1
    nodes.append(plain)
    return tuple(nodes), at


def _bracket(text: str, start: int) -> tuple[object, int]:
    """Read one [...]; what is no edit stays plain text, such as the weight `[word]`."""
    parts: list[tuple] = []
    seps = ""
    at = start + 1
    while True:
        nodes, at = _parse(text, at, ":|]")
        parts.append(nodes)
        if at >= len(text):
            return text[start:], len(text)
        sep = text[at]
        at += 1
        if sep == "]":
            break
        seps += sep
    last = parts[-1][0] if len(parts[-1]) == 1 else ""
    if seps and set(seps) == {":"} and len(parts) in (2, 3) and _NUMBER.match(last):
        before = parts[0] if len(parts) == 3 else ("",)
        return _Edit(before, parts[-2], float(last), "." in last), at
    if seps and set(seps) == {"|"}:
        return _Alternate(tuple(parts)), at
    inner: list = ["["]
    for index, part in enumerate(parts):
        inner.extend(part)
        inner.append(seps[index] if index < len(seps) else "]")
    return tuple(inner), at


def _steps(nodes: tuple, steps: int) -> set[int]:
    found = {steps}
    for node in nodes:
        if isinstance(node, _Edit):
            when = node.when * steps if node.is_fraction else node.when
            if 0 < int(when) < steps:
                found.add(int(when))
            found |= _steps(node.before, steps) | _steps(node.after, steps)
        elif isinstance(node, _Alternate):
            found |= set(range(1, steps + 1))
        elif isinstance(node, tuple):
            found |= _steps(node, steps)
    return found


def _text_at(nodes: tuple, step: int, steps: int) -> str:
    """The prompt in force during `step` (1-based)."""
    text = ""
    for node in nodes:
        if isinstance(node, _Edit):
            when = int(node.when * steps if node.is_fraction else node.when)
            text += _text_at(node.before if step <= when else node.after, step, steps)
        elif isinstance(node, _Alternate):
            text += _text_at(node.options[(step - 1) % len(node.options)], step, steps)
        elif isinstance(node, tuple):
            text += _text_at(node, step, steps)
        else:
            text += node
    return text


def get_learned_conditioning_prompt_schedules(
    prompts, base_steps: int, hires_steps: int | None = None, use_old_scheduling: bool = False
) -> list[list[list]]:
    """For each prompt the list of [last step, text]; the second pass counts its own steps."""
    steps = base_steps if hires_steps is None else hires_steps
    schedules = []
    for prompt in prompts:
        nodes, _ = _parse(prompt, 0, "")
        schedules.append([[end, _text_at(nodes, end, steps)] for end in sorted(_steps(nodes, steps))])
    return schedules
