"""The result of a request, and the text that describes how each picture was made."""

from __future__ import annotations

import json

from modules import infotext_format, sd_samplers, shared
from modules.shared import opts

VERSION = "demo-1.10"

JS_FIELDS = (
    *("prompt", "all_prompts", "negative_prompt", "all_negative_prompts"),
    *("seed", "all_seeds", "subseed", "all_subseeds", "subseed_strength"),
    *("width", "height", "sampler_name", "cfg_scale", "steps", "batch_size", "restore_faces"),
    *("sd_model_name", "sd_model_hash", "denoising_strength", "extra_generation_params"),
    *("index_of_first_image", "infotexts", "styles", "job_timestamp", "clip_skip", "version"),
)


class Processed:
    """Pictures with everything that made them."""

    def __init__(
        self,
        p,
        images_list,
        seed=-1,
        info="",
        subseed=None,
        all_prompts=None,
        all_negative_prompts=None,
        all_seeds=None,
        all_subseeds=None,
        index_of_first_image=0,
        infotexts=None,
        comments="",
    ):
        self.images = images_list
        self.prompt = p.prompt
        self.negative_prompt = p.negative_prompt
        self.seed = int(p.seed if seed == -1 else seed)
        self.subseed = subseed
        self.subseed_strength = p.subseed_strength
        self.info = info
        self.comments = "".join(f"{comment}\n" for comment in p.comments) + comments
        self.width = p.width
        self.height = p.height
        self.sampler_name = p.sampler_name
        self.cfg_scale = p.cfg_scale
        self.image_cfg_scale = getattr(p, "image_cfg_scale", None)
        self.steps = p.steps
        self.batch_size = p.batch_size
        self.restore_faces = p.restore_faces
        self.sd_model_name = p.sd_model_name
        self.sd_model_hash = p.sd_model_hash
        self.denoising_strength = p.denoising_strength
        self.extra_generation_params = p.extra_generation_params
        self.index_of_first_image = index_of_first_image
        self.styles = p.styles
        self.job_timestamp = shared.state.job_timestamp
        self.clip_skip = opts.CLIP_stop_at_last_layers
        self.all_prompts = all_prompts or p.all_prompts or [self.prompt]
        self.all_negative_prompts = all_negative_prompts or p.all_negative_prompts or [self.negative_prompt]
        self.all_seeds = all_seeds or p.all_seeds or [self.seed]
        self.all_subseeds = all_subseeds or p.all_subseeds or [self.subseed]
        self.infotexts = infotexts or [info] * len(images_list)
        self.version = VERSION

    def js(self) -> str:
        """The page and the API get this."""
        return json.dumps({name: getattr(self, name) for name in JS_FIELDS}, default=lambda value: None)

    def infotext(self, p, index: int) -> str:
        return create_infotext(
            p,
            self.all_prompts,
            self.all_seeds,
            self.all_subseeds,
            comments=[],
            position_in_batch=index % p.batch_size,
            iteration=index // p.batch_size,
        )


def _params(p, all_seeds, all_subseeds, index: int, position: int, iteration: int) -> dict[str, object]:
    """Everything in the last line, in order; None is left out."""
    sampler = sd_samplers.find_sampler_config(p.sampler_name)
    table: dict[str, object] = {
        "Steps": p.steps,
        "Sampler": sampler.name if sampler else p.sampler_name,
        "Schedule type": p.scheduler or "Automatic",
        "CFG scale": p.cfg_scale,
        "Seed": all_seeds[index],
        "Size": f"{p.width}x{p.height}",
        "Model hash": p.sd_model_hash,
        "Model": p.sd_model_name.replace(",", "").replace(":", "") if p.sd_model_name else None,
        "Batch size": None if p.batch_size < 2 else p.batch_size,
        "Batch pos": None if p.batch_size < 2 else position,
        "Variation seed": None if p.subseed_strength == 0 else all_subseeds[index],
        "Variation seed strength": None if p.subseed_strength == 0 else p.subseed_strength,
        "Denoising strength": p.denoising_strength if getattr(p, "enable_hr", False) else None,
        "Clip skip": None if opts.CLIP_stop_at_last_layers <= 1 else opts.CLIP_stop_at_last_layers,
        "NGMS": None if not p.s_min_uncond else p.s_min_uncond,
        **p.extra_generation_params,
        "Version": VERSION,
    }
    # A script may give one value per picture, or a function of the picture.
    for key, value in table.items():
        if isinstance(value, list):
            table[key] = value[index] if index < len(value) else None
        elif callable(value):
            table[key] = value(p=p, index=index, position_in_batch=position, iteration=iteration)
    return table


def create_infotext(
    p,
    all_prompts,
    all_seeds,
    all_subseeds,
    comments=None,
    iteration=0,
    position_in_batch=0,
    use_main_prompt=False,
    index=None,
    all_negative_prompts=None,
) -> str:
    """Prompt, negative prompt, and one line of `Key: value, …`."""
    if index is None:
        index = position_in_batch + iteration * p.batch_size
    negatives = all_negative_prompts or p.all_negative_prompts
    table = _params(p, all_seeds, all_subseeds, index, position_in_batch, iteration)
    line = ", ".join(
        key if key == value else f"{key}: {infotext_format.quote(value)}"
        for key, value in table.items()
        if value is not None
    )
    prompt = p.main_prompt if use_main_prompt else all_prompts[index]
    negative = p.main_negative_prompt if use_main_prompt else negatives[index]
    negative_text = f"\nNegative prompt: {negative}" if negative else ""
    return f"{prompt}{negative_text}\n{line}".strip()
