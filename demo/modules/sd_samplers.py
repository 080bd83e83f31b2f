"""The samplers that can be chosen."""

from __future__ import annotations

from modules.sd_samplers_common import SamplerData
from modules.sd_samplers_kdiffusion import samplers_data_k_diffusion

all_samplers: list[SamplerData] = [*samplers_data_k_diffusion]
all_samplers_map = {sampler.name: sampler for sampler in all_samplers}
samplers = all_samplers
samplers_for_img2img = all_samplers
samplers_map = {alias.lower(): s.name for s in all_samplers for alias in (s.name, *s.aliases)}
samplers_hidden: set[str] = set()


class UnknownSampler(ValueError):
    """A name that is no sampler."""

    def __init__(self, name: str) -> None:
        known = ", ".join(all_samplers_map)
        super().__init__(f"Sampler '{name}' not found. Known samplers: {known}.")


def find_sampler_config(name: str | None) -> SamplerData | None:
    if name is None:
        return all_samplers[0]
    return all_samplers_map.get(samplers_map.get(name.lower(), name))


def create_sampler(name: str, model):
    """A new sampler object of that name."""
    config = find_sampler_config(name)
    if config is None:
        raise UnknownSampler(name)
    sampler = config.constructor(model)
    sampler.config = config
    return sampler


def visible_samplers() -> list[SamplerData]:
    return all_samplers


def visible_sampler_names() -> list[str]:
    return [sampler.name for sampler in all_samplers]
