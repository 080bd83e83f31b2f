"""What a request for pictures is, and the encoded prompts it shares with other requests."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field
from typing import Any, ClassVar

from modules import devices, extra_networks, prompt_parser, sd_checkpoints, sd_samplers, shared
from modules.shared import opts


@dataclass(repr=False)
class StableDiffusionProcessing:
    """Base of txt2img and img2img; the encoded prompts are kept on the class, for all requests."""

    sd_model: InitVar[Any] = None
    outpath_samples: str | None = None
    outpath_grids: str | None = None
    prompt: str = ""
    prompt_for_display: str | None = None
    negative_prompt: str = ""
    styles: list[str] | None = None
    seed: int = -1
    subseed: int = -1
    subseed_strength: float = 0
    seed_resize_from_h: int = -1
    seed_resize_from_w: int = -1
    seed_enable_extras: bool = True
    sampler_name: str | None = None
    scheduler: str | None = None
    batch_size: int = 1
    n_iter: int = 1
    steps: int = 50
    cfg_scale: float = 7.0
    width: int = 512
    height: int = 512
    restore_faces: bool | None = None
    tiling: bool | None = None
    do_not_save_samples: bool = False
    do_not_save_grid: bool = False
    extra_generation_params: dict[str, Any] | None = None
    overlay_images: list | None = None
    eta: float | None = None
    do_not_reload_embeddings: bool = False
    denoising_strength: float | None = None
    ddim_discretize: str | None = None
    s_min_uncond: float | None = None
    s_churn: float | None = None
    s_tmax: float | None = None
    s_tmin: float | None = None
    s_noise: float | None = None
    override_settings: dict[str, Any] | None = None
    override_settings_restore_afterwards: bool = True
    sampler_index: int | None = None
    refiner_checkpoint: str | None = None
    refiner_switch_at: float | None = None
    token_merging_ratio: float = 0
    token_merging_ratio_hr: float = 0
    disable_extra_networks: bool = False
    firstpass_image: Any = None

    scripts_value: Any = field(default=None, init=False)
    script_args_value: Any = field(default=None, init=False)
    scripts_setup_complete: bool = field(default=False, init=False)

    cached_uc: ClassVar[list] = [None, None]
    cached_c: ClassVar[list] = [None, None]

    comments: dict[str, int] | None = None
    sampler: Any = field(default=None, init=False)
    is_using_inpainting_conditioning: bool = field(default=False, init=False)
    is_hr_pass: bool = field(default=False, init=False)
    is_api: bool = field(default=False, init=False)
    hr_prompts = None
    hr_negative_prompts = None
    hr_extra_network_data = None

    def __post_init__(self, sd_model) -> None:
        self.styles = self.styles or []
        self.sampler_noise_scheduler_override = None
        self.extra_generation_params = self.extra_generation_params or {}
        self.override_settings = self.override_settings or {}
        self.script_args = self.script_args or {}
        self.refiner_checkpoint_info = None
        if self.s_min_uncond is None:
            self.s_min_uncond = opts.s_min_uncond
        self.cached_uc = StableDiffusionProcessing.cached_uc
        self.cached_c = StableDiffusionProcessing.cached_c
        self.comments = self.comments or {}
        self.all_prompts = self.all_negative_prompts = None
        self.all_seeds = self.all_subseeds = None
        self.prompts = self.negative_prompts = self.seeds = self.subseeds = None
        self.iteration = 0
        self.main_prompt = self.main_negative_prompt = None
        self.c = self.uc = None
        self.rng = None
        self.step_multiplier = None
        self.firstpass_steps = None
        self.extra_network_data = None
        self.sd_model_name = self.sd_model_hash = None
        self.sd_vae_name = self.sd_vae_hash = None
        self.color_corrections = None
        self.image_mask = None
        self.mask = self.nmask = None
        self.paste_to = None

    @property
    def sd_model(self):  # noqa: F811 - the constructor takes it and the property answers, as in the real host
        return shared.sd_model

    @sd_model.setter
    def sd_model(self, value) -> None:
        """The model is always the shared one."""

    @property
    def scripts(self):
        return self.scripts_value

    @scripts.setter
    def scripts(self, value) -> None:
        self.scripts_value = value
        self._setup_scripts_when_complete()

    @property
    def script_args(self):
        return self.script_args_value

    @script_args.setter
    def script_args(self, value) -> None:
        self.script_args_value = value
        self._setup_scripts_when_complete()

    def _setup_scripts_when_complete(self) -> None:
        if self.scripts_value and self.script_args_value and not self.scripts_setup_complete:
            self.setup_scripts()

    def setup_scripts(self) -> None:
        self.scripts_setup_complete = True
        self.scripts.setup_scrips(self, is_ui=not self.is_api)

    def comment(self, text: str) -> None:
        """A remark shown under the picture."""
        self.comments[text] = 1

    def txt2img_image_conditioning(self, x, width=None, height=None):
        return x.new_zeros(x.shape[0], 5, 1, 1)

    def init(self, all_prompts, all_seeds, all_subseeds) -> None: ...

    def sample(self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts):
        raise NotImplementedError

    def close(self) -> None:
        """Let go of everything big; without the persistent cache the encoded prompts too."""
        self.sampler = None
        self.c = self.uc = None
        if not opts.persistent_cond_cache:
            StableDiffusionProcessing.cached_c = [None, None]
            StableDiffusionProcessing.cached_uc = [None, None]

    def get_token_merging_ratio(self, for_hr: bool = False) -> float:
        return self.token_merging_ratio_hr if for_hr else self.token_merging_ratio

    def setup_refiner(self) -> None:
        """Find the checkpoint that takes over in mid-sampling."""
        if self.refiner_checkpoint in (None, "", "None", "none"):
            return
        self.refiner_checkpoint_info = sd_checkpoints.get_closet_checkpoint_match(self.refiner_checkpoint)
        if self.refiner_checkpoint_info is None:
            raise ValueError(f"Could not find checkpoint with name {self.refiner_checkpoint}")

    def setup_prompts(self) -> None:
        """One prompt per picture of all batches."""
        total = self.batch_size * self.n_iter
        many = isinstance(self.prompt, list)
        self.all_prompts = list(self.prompt) if many else [self.prompt] * total
        many = isinstance(self.negative_prompt, list)
        self.all_negative_prompts = (
            list(self.negative_prompt) if many else [self.negative_prompt] * len(self.all_prompts)
        )
        if len(self.all_prompts) != len(self.all_negative_prompts):
            raise RuntimeError(
                f"{len(self.all_prompts)} prompts, but {len(self.all_negative_prompts)} negative prompts"
            )
        self.main_prompt = self.all_prompts[0]
        self.main_negative_prompt = self.all_negative_prompts[0]

    def cached_params(
        self, required_prompts, steps, extra_network_data, hires_steps=None, use_old_scheduling=False
    ) -> tuple:
        """The key of an encoded prompt; nothing of a script is in it unless the script adds to it."""
        return (
            required_prompts,
            steps,
            hires_steps,
            use_old_scheduling,
            opts.CLIP_stop_at_last_layers,
            shared.sd_model.sd_checkpoint_info,
            extra_network_data,
            opts.sdxl_crop_left,
            opts.sdxl_crop_top,
            self.width,
            self.height,
            opts.fp8_storage,
            opts.cache_fp16_weight,
            opts.emphasis,
        )

    def get_conds_with_caching(
        self, function, required_prompts, steps, caches, extra_network_data, hires_steps=None
    ):
        """Encode, or take it from a cache with an equal key; a new result goes into the first cache."""
        use_old_scheduling = opts.use_old_scheduling
        key = self.cached_params(required_prompts, steps, extra_network_data, hires_steps, use_old_scheduling)
        for cache in caches:
            if cache[0] is not None and cache[0] == key:
                return cache[1]
        cache = caches[0]
        with devices.autocast():
            cache[1] = function(shared.sd_model, required_prompts, steps, hires_steps, use_old_scheduling)
        cache[0] = key
        return cache[1]

    def setup_conds(self) -> None:
        """Encode this batch's prompts."""
        size = {"width": self.width, "height": self.height}
        prompts = prompt_parser.SdConditioning(self.prompts, **size)
        negative = prompt_parser.SdConditioning(self.negative_prompts, **size, is_negative_prompt=True)
        config = sd_samplers.find_sampler_config(self.sampler_name)
        total_steps = config.total_steps(self.steps) if config else self.steps
        self.step_multiplier = total_steps // self.steps
        self.firstpass_steps = total_steps
        self.uc = self.get_conds_with_caching(
            prompt_parser.get_learned_conditioning,
            negative,
            total_steps,
            [self.cached_uc],
            self.extra_network_data,
        )
        self.c = self.get_conds_with_caching(
            prompt_parser.get_multicond_learned_conditioning,
            prompts,
            total_steps,
            [self.cached_c],
            self.extra_network_data,
        )

    def get_conds(self):
        return self.c, self.uc

    def parse_extra_network_prompts(self) -> None:
        """Take the tags out of this batch's prompts."""
        self.prompts, self.extra_network_data = extra_networks.parse_prompts(self.prompts)

    def save_samples(self) -> bool:
        return opts.samples_save and not self.do_not_save_samples
