"""The txt2img tab."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
from modules import call_queue, images, infotext_utils, scripts, shared, ui_common, ui_controls
from modules.gradio_extensions import js
from modules.infotext_utils import PasteField
from modules.txt2img import txt2img
from modules.ui_components import FormRow, InputAccordion
from modules.ui_toprow import Toprow


def _hires(controls: SimpleNamespace) -> None:
    choices = [*shared.latent_upscale_modes, *images.UPSCALERS]
    with InputAccordion(False, label="Hires. fix", elem_id="txt2img_hr") as controls.enable_hr:
        with FormRow(elem_id="txt2img_hires_fix_row1"):
            controls.hr_upscaler = gr.Dropdown(
                label="Upscaler", elem_id="txt2img_hr_upscaler", choices=choices, value="Latent"
            )
            controls.hr_second_pass_steps = gr.Slider(
                minimum=0, maximum=150, step=1, label="Hires steps", value=0, elem_id="txt2img_hires_steps"
            )
            controls.denoising_strength = gr.Slider(
                minimum=0.0,
                maximum=1.0,
                step=0.01,
                label="Denoising strength",
                value=0.7,
                elem_id="txt2img_denoising_strength",
            )
        with FormRow(elem_id="txt2img_hires_fix_row2"):
            controls.hr_scale = gr.Slider(
                minimum=1.0, maximum=4.0, step=0.05, label="Upscale by", value=2.0, elem_id="txt2img_hr_scale"
            )
            controls.hr_resize_x = gr.Slider(
                minimum=0,
                maximum=2048,
                step=8,
                label="Resize width to",
                value=0,
                elem_id="txt2img_hr_resize_x",
            )
            controls.hr_resize_y = gr.Slider(
                minimum=0,
                maximum=2048,
                step=8,
                label="Resize height to",
                value=0,
                elem_id="txt2img_hr_resize_y",
            )
        with gr.Accordion("Prompts of the second pass", open=False, elem_id="txt2img_hires_prompts"):
            controls.hr_prompt = gr.Textbox(
                value="",
                label="Hires prompt",
                elem_id="hires_prompt",
                lines=2,
                placeholder="Leave empty for the same prompt",
            )
            controls.hr_negative_prompt = gr.Textbox(
                value="",
                label="Hires negative prompt",
                elem_id="hires_neg_prompt",
                lines=2,
                placeholder="Leave empty for the same negative prompt",
            )


def _paste_fields(toprow, controls: SimpleNamespace) -> list:
    return [
        *ui_controls.common_paste_fields(toprow, controls),
        PasteField(controls.denoising_strength, "Denoising strength", api="denoising_strength"),
        PasteField(
            controls.enable_hr, lambda d: "Denoising strength" in d and _has_hires(d), api="enable_hr"
        ),
        PasteField(controls.hr_scale, "Hires upscale", api="hr_scale"),
        PasteField(controls.hr_upscaler, "Hires upscaler", api="hr_upscaler"),
        PasteField(controls.hr_second_pass_steps, "Hires steps", api="hr_second_pass_steps"),
        PasteField(controls.hr_resize_x, "Hires resize-1", api="hr_resize_x"),
        PasteField(controls.hr_resize_y, "Hires resize-2", api="hr_resize_y"),
        PasteField(controls.hr_prompt, "Hires prompt", api="hr_prompt"),
        PasteField(controls.hr_negative_prompt, "Hires negative prompt", api="hr_negative_prompt"),
        *scripts.scripts_txt2img.infotext_fields,
    ]


def _has_hires(params: dict) -> bool:
    return "Hires upscale" in params or "Hires upscaler" in params or params.get("Hires resize-1", 0) != 0


def create_txt2img() -> None:
    """Build the tab inside the current blocks."""
    scripts.scripts_current = scripts.scripts_txt2img
    scripts.scripts_txt2img.initialize_scripts(is_img2img=False)
    controls = SimpleNamespace()
    toprow = Toprow(is_img2img=False)
    task = gr.Textbox(visible=False)
    with gr.Row(elem_classes=["resize-handle-row"]):
        with gr.Column(variant="compact", elem_id="txt2img_settings", scale=1):
            scripts.scripts_txt2img.prepare_ui()
            ui_controls.sampler_row("txt2img", controls)
            _hires(controls)
            ui_controls.size_and_batch("txt2img", controls)
            ui_controls.cfg_row("txt2img", controls)
            ui_controls.seed_row("txt2img", controls)
            with gr.Group(elem_id="txt2img_script_container", elem_classes=["script-container"]):
                inputs = scripts.scripts_txt2img.setup_ui()
        with gr.Column(elem_id="txt2img_results", scale=1):
            output = ui_common.create_output_panel("txt2img")
    arguments = {
        "fn": call_queue.wrap_gradio_gpu_call(txt2img, extra_outputs=[None, "", ""]),
        "inputs": [
            task,
            toprow.prompt,
            toprow.negative_prompt,
            controls.steps,
            controls.sampler,
            controls.scheduler,
            controls.batch_count,
            controls.batch_size,
            controls.cfg_scale,
            controls.height,
            controls.width,
            controls.seed,
            controls.subseed,
            controls.subseed_strength,
            controls.enable_hr,
            controls.denoising_strength,
            controls.hr_scale,
            controls.hr_upscaler,
            controls.hr_second_pass_steps,
            controls.hr_resize_x,
            controls.hr_resize_y,
            controls.hr_prompt,
            controls.hr_negative_prompt,
            *inputs,
        ],
        "outputs": [output.gallery, output.generation_info, output.infotext, output.html_log],
        "show_progress": False,
    }
    code = f'(...args) => submitTask("txt2img", args.slice(0, {len(arguments["inputs"])}))'
    toprow.submit.click(**arguments, **js(code))
    fields = _paste_fields(toprow, controls)
    infotext_utils.add_paste_fields("txt2img", None, fields)
    infotext_utils.connect_paste(toprow.paste, fields, toprow.prompt, tabname="txt2img")
    scripts.scripts_current = None
