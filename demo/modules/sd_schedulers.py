"""Schedules of sigmas that can be chosen beside the sampler."""

from __future__ import annotations

from dataclasses import dataclass

from modules import k_sampling


@dataclass(frozen=True)
class Scheduler:
    """A row of the schedule list; `function(n, sigma_min, sigma_max)` or None for the model's own."""

    name: str
    label: str
    function: object
    aliases: tuple[str, ...] = ()


schedulers = [
    Scheduler("automatic", "Automatic", None),
    Scheduler("uniform", "Uniform", None),
    Scheduler("karras", "Karras", k_sampling.get_sigmas_karras),
    Scheduler("exponential", "Exponential", k_sampling.get_sigmas_exponential),
]
schedulers_map = {
    **{scheduler.name: scheduler for scheduler in schedulers},
    **{scheduler.label: scheduler for scheduler in schedulers},
}
