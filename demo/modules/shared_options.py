"""The settings the stand-in itself has, under the WebUI's names."""

from __future__ import annotations

from pathlib import Path

from modules.options import OptionInfo, options_section
from modules.paths_internal import default_output_dir


def _gradio(name: str):
    """A component made by name, so that gradio is imported only when the page is built."""

    def make(*args, **kwargs):
        import gradio as gr

        return getattr(gr, name)(*args, **kwargs)

    return make


def _checkpoints() -> dict[str, list[str]]:
    from modules import sd_models

    return {"choices": sd_models.checkpoint_tiles()}


def _list_models() -> None:
    from modules import sd_models

    sd_models.list_models()


def build_options() -> dict[str, OptionInfo]:
    """Return the table of the host's own settings."""
    number = {"minimum": 0, "maximum": 10, "step": 1}
    table: dict[str, OptionInfo] = {}
    table.update(
        options_section(
            ("saving-images", "Saving images"),
            {
                "samples_save": OptionInfo(True, "Always save all generated images"),
                "samples_format": OptionInfo("png", "File format for images"),
                "enable_pnginfo": OptionInfo(True, "Write the parameters into the PNG"),
                "outdir_txt2img_samples": OptionInfo(
                    str(Path(default_output_dir) / "txt2img"), "Output directory for txt2img images"
                ),
                "outdir_img2img_samples": OptionInfo(
                    str(Path(default_output_dir) / "img2img"), "Output directory for img2img images"
                ),
            },
        )
    )
    table.update(
        options_section(
            ("sd", "Stable Diffusion"),
            {
                "sd_model_checkpoint": OptionInfo(
                    None,
                    "Stable Diffusion checkpoint",
                    _gradio("Dropdown"),
                    _checkpoints,
                    refresh=_list_models,
                ),
                "CLIP_stop_at_last_layers": OptionInfo(
                    1, "Clip skip", _gradio("Slider"), {"minimum": 1, "maximum": 2, "step": 1}
                ),
                "enable_quantization": OptionInfo(
                    False, "Round the noise levels of the K samplers to the model's own"
                ),
                "emphasis": OptionInfo(
                    "Original", "Emphasis mode", _gradio("Radio"), {"choices": ["None", "Ignore", "Original"]}
                ),
                "randn_source": OptionInfo("CPU", "Random number generator source"),
                "sd_checkpoints_limit": OptionInfo(
                    1,
                    "Checkpoints kept in memory",
                    _gradio("Slider"),
                    {"minimum": 1, "maximum": 4, "step": 1},
                ),
                "initial_noise_multiplier": OptionInfo(
                    1.0,
                    "Noise multiplier for img2img",
                    _gradio("Slider"),
                    {"minimum": 0.0, "maximum": 1.5, "step": 0.001},
                    infotext="Noise multiplier",
                ),
                "img2img_fix_steps": OptionInfo(
                    False, "With img2img, do exactly the amount of steps asked for"
                ),
            },
        )
    )
    table.update(
        options_section(
            ("optimizations", "Optimizations"),
            {
                "persistent_cond_cache": OptionInfo(True, "Keep the encoded prompt between generations"),
                "batch_cond_uncond": OptionInfo(True, "Prompt and negative prompt in one model call"),
                "pad_cond_uncond": OptionInfo(False, "Pad prompt and negative prompt to the same length"),
                "s_min_uncond": OptionInfo(
                    0.0,
                    "Negative guidance minimum sigma",
                    _gradio("Slider"),
                    {"minimum": 0.0, "maximum": 15.0, "step": 0.01},
                    infotext="NGMS",
                ),
                "s_min_uncond_all": OptionInfo(False, "Negative guidance minimum sigma on all steps"),
                "skip_early_cond": OptionInfo(0.0, "Ignore the negative prompt during early sampling"),
                "hires_fix_use_firstpass_conds": OptionInfo(
                    False, "For hires fix, encode the prompts of the second pass before the first"
                ),
                "hires_fix_refiner_pass": OptionInfo(
                    "second pass",
                    "Hires fix: which pass the refiner is for",
                    _gradio("Radio"),
                    {"choices": ["first pass", "second pass", "both passes"]},
                    infotext="Hires refiner",
                ),
                "refiner_switch_by_sample_steps": OptionInfo(
                    False, "Switch to the refiner by steps", infotext="Refiner switch by sampling steps"
                ),
                "use_old_scheduling": OptionInfo(False, "Old prompt editing timelines"),
                "fp8_storage": OptionInfo("Disable", "FP8 weight"),
                "cache_fp16_weight": OptionInfo(False, "Cache FP16 weight for LoRA"),
                "sdxl_crop_top": OptionInfo(0, "crop top coordinate"),
                "sdxl_crop_left": OptionInfo(0, "crop left coordinate"),
            },
        )
    )
    table.update(
        options_section(
            ("ui", "User interface"),
            {
                "live_previews_enable": OptionInfo(True, "Show the picture while it is being made"),
                "show_progress_every_n_steps": OptionInfo(
                    4, "Preview every N steps", _gradio("Slider"), number
                ),
                "quicksettings_list": OptionInfo(["sd_model_checkpoint"], "Quicksettings list"),
                "disabled_extensions": OptionInfo([], "Disabled extensions"),
                "save_incomplete_images": OptionInfo(False, "Save interrupted images"),
            },
        )
    )
    # The checkpoint is chosen above the tabs; the others are the host's own business.
    for hidden in (
        "sd_model_checkpoint",
        "quicksettings_list",
        "disabled_extensions",
        "randn_source",
        "samples_format",
    ):
        table[hidden].do_not_show = True
    return table
