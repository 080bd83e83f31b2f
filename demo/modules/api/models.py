"""What requests to the API look like, and what is told of a script's arguments."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import BaseModel


@dataclass
class ScriptArg:
    """One argument of a script, as /sdapi/v1/script-info shows it."""

    label: str = ""
    value: Any = None
    minimum: Any = None
    maximum: Any = None
    step: Any = None
    choices: Any = None


@dataclass
class ScriptInfo:
    """A script and its arguments."""

    name: str = ""
    is_alwayson: bool = False
    is_img2img: bool = False
    args: list[ScriptArg] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def script_item_info(script, controls) -> ScriptInfo:
    """Describe a script's controls."""
    args = []
    for control in controls:
        arg = ScriptArg(label=control.label or "")
        for name in ("value", "minimum", "maximum", "step"):
            value = getattr(control, name, None)
            if value is not None:
                setattr(arg, name, value)
        choices = getattr(control, "choices", None)
        if choices is not None:
            arg.choices = [choice[0] if isinstance(choice, tuple) else choice for choice in choices]
        args.append(arg)
    return ScriptInfo(script.name, script.alwayson, script.is_img2img, args)


class GenerationRequest(BaseModel):
    """What txt2img and img2img have in common."""

    prompt: str = ""
    negative_prompt: str = ""
    styles: list[str] | None = None
    seed: int = -1
    subseed: int = -1
    subseed_strength: float = 0
    sampler_name: str | None = None
    sampler_index: str | None = None
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
    eta: float | None = None
    denoising_strength: float | None = None
    s_min_uncond: float | None = None
    override_settings: dict[str, Any] | None = None
    override_settings_restore_afterwards: bool = True
    refiner_checkpoint: str | None = None
    refiner_switch_at: float | None = None
    disable_extra_networks: bool = False
    comments: dict[str, Any] | None = None
    script_name: str | None = None
    script_args: list[Any] = []
    send_images: bool = True
    save_images: bool = False
    alwayson_scripts: dict[str, Any] = {}
    infotext: str | None = None
    force_task_id: str | None = None


class Txt2ImgRequest(GenerationRequest):
    """POST /sdapi/v1/txt2img."""

    enable_hr: bool = False
    hr_scale: float = 2.0
    hr_upscaler: str | None = None
    hr_second_pass_steps: int = 0
    hr_resize_x: int = 0
    hr_resize_y: int = 0
    hr_checkpoint_name: str | None = None
    hr_sampler_name: str | None = None
    hr_scheduler: str | None = None
    hr_prompt: str = ""
    hr_negative_prompt: str = ""


class Img2ImgRequest(GenerationRequest):
    """POST /sdapi/v1/img2img."""

    init_images: list[str] | None = None
    resize_mode: int = 0
    mask: str | None = None
    mask_blur: int | None = None
    mask_blur_x: int = 4
    mask_blur_y: int = 4
    mask_round: bool = True
    inpainting_fill: int = 0
    inpaint_full_res: bool = True
    inpaint_full_res_padding: int = 0
    inpainting_mask_invert: int = 0
    initial_noise_multiplier: float | None = None
    include_init_images: bool = False


class PNGInfoRequest(BaseModel):
    """POST /sdapi/v1/png-info."""

    image: str
