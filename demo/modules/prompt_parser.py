"""From prompts to conditioning that may change with the steps, and back to the rows of one model call."""

from __future__ import annotations

import re
from collections import namedtuple

import torch
from modules.prompt_schedule import get_learned_conditioning_prompt_schedules
from modules.prompt_weights import parse_prompt_attention

__all__ = ["get_learned_conditioning_prompt_schedules", "parse_prompt_attention"]

ScheduledPromptConditioning = namedtuple("ScheduledPromptConditioning", ["end_at_step", "cond"])
ComposableScheduledPromptConditioning = namedtuple(
    "ComposableScheduledPromptConditioning", ["schedules", "weight"], defaults=[1.0]
)
MulticondLearnedConditioning = namedtuple("MulticondLearnedConditioning", ["shape", "batch"])

_AND = re.compile(r"\bAND\b")
_WEIGHT = re.compile(r"^((?:\s|.)*?)(?:\s*:\s*([-+]?(?:\d+\.?|\d*\.\d+)))?\s*$")


class SdConditioning(list):
    """Prompts with the picture size they are for."""

    def __init__(
        self,
        prompts,
        is_negative_prompt=False,
        width=None,
        height=None,
        copy_from=None,
        distilled_cfg_scale=None,
    ):
        super().__init__(prompts)
        source = copy_from if copy_from is not None else prompts
        self.is_negative_prompt = is_negative_prompt or getattr(source, "is_negative_prompt", False)
        self.width = width or getattr(source, "width", None)
        self.height = height or getattr(source, "height", None)


def get_learned_conditioning(model, prompts, steps, hires_steps=None, use_old_scheduling=False):
    """For each prompt a list of (last step, conditioning); equal prompts are encoded once."""
    known: dict[str, list] = {}
    result = []
    schedules = get_learned_conditioning_prompt_schedules(prompts, steps, hires_steps, use_old_scheduling)
    for prompt, schedule in zip(prompts, schedules, strict=True):
        if prompt not in known:
            texts = SdConditioning([text for _, text in schedule], copy_from=prompts)
            conds = model.get_learned_conditioning(texts)
            known[prompt] = [
                ScheduledPromptConditioning(end, conds[index]) for index, (end, _) in enumerate(schedule)
            ]
        result.append(known[prompt])
    return result


def get_multicond_prompt_list(prompts):
    """Split at AND: per prompt [(index into the flat list, weight)], and the flat list of parts."""
    flat: list[str] = []
    indexes = []
    for prompt in prompts:
        parts = []
        for part in _AND.split(prompt):
            match = _WEIGHT.search(part)
            text, weight = match.groups() if match is not None else (part, None)
            if text not in flat:
                flat.append(text)
            parts.append((flat.index(text), 1.0 if weight is None else float(weight)))
        indexes.append(parts)
    return indexes, SdConditioning(flat, copy_from=prompts)


def get_multicond_learned_conditioning(model, prompts, steps, hires_steps=None, use_old_scheduling=False):
    """As get_learned_conditioning, for prompts with AND."""
    indexes, flat = get_multicond_prompt_list(prompts)
    learned = get_learned_conditioning(model, flat, steps, hires_steps, use_old_scheduling)
    batch = [
        [ComposableScheduledPromptConditioning(learned[i], weight) for i, weight in parts]
        for parts in indexes
    ]
    return MulticondLearnedConditioning(shape=(len(prompts),), batch=batch)


def _in_force(schedule, step: int) -> torch.Tensor:
    for entry in schedule:
        if step <= entry.end_at_step:
            return entry.cond
    return schedule[-1].cond


def _padded(conds: list[torch.Tensor]) -> torch.Tensor:
    """Stack [tokens, width]; shorter ones repeat their last row."""
    most = max(cond.shape[0] for cond in conds)
    rows = []
    for cond in conds:
        if cond.shape[0] < most:
            cond = torch.vstack([cond, cond[-1:].repeat([most - cond.shape[0], 1])])
        rows.append(cond)
    return torch.stack(rows)


def reconstruct_cond_batch(c, current_step: int) -> torch.Tensor:
    """[batch, tokens, width] in force at a step."""
    return _padded([_in_force(schedule, current_step) for schedule in c])


def reconstruct_multicond_batch(c, current_step: int):
    """Per picture [(row, weight)], and all rows [rows, tokens, width]."""
    tensors: list[torch.Tensor] = []
    conds_list = []
    for composable in c.batch:
        rows = []
        for part in composable:
            rows.append((len(tensors), part.weight))
            tensors.append(_in_force(part.schedules, current_step))
        conds_list.append(rows)
    return conds_list, _padded(tensors)
