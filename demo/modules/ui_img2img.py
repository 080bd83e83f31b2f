"""The img2img tab: whole pictures, a painted mask, or a mask from a file."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
from modules import call_queue, infotext_utils, scripts, ui_common, ui_controls
from modules.gradio_extensions import image_upload, js
from modules.img2img import RESIZE_MODES, img2img
from modules.ui_components import FormRow
from modules.ui_toprow import Toprow

HEIGHT = 420


def _pictures(controls: SimpleNamespace) -> None:
    with gr.Tabs(elem_id="mode_img2img"):
        with gr.TabItem("img2img", id="img2img", elem_id="img2img_img2img_tab") as first:
            controls.init_img = image_upload(
                "img2img_image", label="Image for img2img", show_label=False, image_mode="RGBA", height=HEIGHT
            )
        with gr.TabItem("Inpaint", id="inpaint", elem_id="img2img_inpaint_tab") as second:
            controls.painted = image_upload(
                "img2maskimg", label="Picture to paint the mask on", show_label=False, height=HEIGHT
            )
            controls.painted_mask = gr.Textbox("", visible=False, elem_id="img2maskimg_mask")
            gr.HTML('<div class="mask-tools" data-image="img2maskimg" data-mask="img2maskimg_mask"></div>')
        with gr.TabItem("Inpaint upload", id="inpaint_upload", elem_id="img2img_inpaint_upload_tab") as third:
            controls.base = image_upload("img_inpaint_base", label="Picture", height=HEIGHT)
            controls.mask = image_upload(
                "img_inpaint_mask", label="Mask: white where it may change", height=HEIGHT
            )
    controls.mode = gr.Number(value=0, visible=False, elem_id="img2img_selected_tab")
    with FormRow(visible=False, elem_id="inpaint_controls") as controls.inpaint_controls:
        _inpaint_controls(controls)
    for number, tab in enumerate((first, second, third)):
        tab.select(
            fn=lambda number=number: (number, gr.update(visible=number > 0)),
            inputs=[],
            outputs=[controls.mode, controls.inpaint_controls],
            show_progress=False,
        )


def _inpaint_controls(controls: SimpleNamespace) -> None:
    with gr.Column():
        with FormRow():
            controls.mask_blur = gr.Slider(
                label="Mask blur", minimum=0, maximum=64, step=1, value=2, elem_id="img2img_mask_blur"
            )
        with FormRow():
            controls.mask_mode = gr.Radio(
                label="Mask mode",
                choices=["Inpaint masked", "Inpaint not masked"],
                value="Inpaint masked",
                type="index",
                elem_id="img2img_mask_mode",
            )
        with FormRow():
            controls.fill = gr.Radio(
                label="Masked content",
                choices=["fill", "original", "latent noise", "latent nothing"],
                value="original",
                type="index",
                elem_id="img2img_inpainting_fill",
            )
        with FormRow():
            controls.full_res = gr.Radio(
                label="Inpaint area",
                choices=["Whole picture", "Only masked"],
                value="Whole picture",
                type="index",
                elem_id="img2img_inpaint_full_res",
            )
            controls.padding = gr.Slider(
                label="Only masked padding, pixels",
                minimum=0,
                maximum=256,
                step=4,
                value=32,
                elem_id="img2img_inpaint_full_res_padding",
            )


def _paste_fields(toprow, controls: SimpleNamespace) -> list:
    return [
        *ui_controls.common_paste_fields(toprow, controls),
        (controls.denoising_strength, "Denoising strength"),
        (controls.mask_blur, "Mask blur"),
        (controls.mask_mode, "Mask mode"),
        (controls.fill, "Masked content"),
        (controls.full_res, "Inpaint area"),
        (controls.padding, "Masked area padding"),
        *scripts.scripts_img2img.infotext_fields,
    ]


def create_img2img() -> None:
    """Build the tab inside the current blocks."""
    scripts.scripts_current = scripts.scripts_img2img
    scripts.scripts_img2img.initialize_scripts(is_img2img=True)
    controls = SimpleNamespace()
    toprow = Toprow(is_img2img=True)
    task = gr.Textbox(visible=False)
    with gr.Row(elem_classes=["resize-handle-row"]):
        with gr.Column(variant="compact", elem_id="img2img_settings", scale=1):
            _pictures(controls)
            with FormRow():
                controls.resize_mode = gr.Radio(
                    label="Resize mode",
                    elem_id="resize_mode",
                    choices=list(RESIZE_MODES),
                    type="index",
                    value=RESIZE_MODES[0],
                )
            scripts.scripts_img2img.prepare_ui()
            ui_controls.sampler_row("img2img", controls)
            ui_controls.size_and_batch("img2img", controls)
            ui_controls.cfg_row("img2img", controls)
            with FormRow():
                controls.denoising_strength = gr.Slider(
                    minimum=0.0,
                    maximum=1.0,
                    step=0.01,
                    label="Denoising strength",
                    value=0.75,
                    elem_id="img2img_denoising_strength",
                )
            ui_controls.seed_row("img2img", controls)
            with gr.Group(elem_id="img2img_script_container", elem_classes=["script-container"]):
                inputs = scripts.scripts_img2img.setup_ui()
        with gr.Column(elem_id="img2img_results", scale=1):
            output = ui_common.create_output_panel("img2img")
    arguments = {
        "fn": call_queue.wrap_gradio_gpu_call(img2img, extra_outputs=[None, "", ""]),
        "inputs": [
            task,
            controls.mode,
            toprow.prompt,
            toprow.negative_prompt,
            controls.init_img,
            controls.painted,
            controls.painted_mask,
            controls.base,
            controls.mask,
            controls.steps,
            controls.sampler,
            controls.scheduler,
            controls.mask_blur,
            controls.fill,
            controls.batch_count,
            controls.batch_size,
            controls.cfg_scale,
            controls.denoising_strength,
            controls.height,
            controls.width,
            controls.resize_mode,
            controls.full_res,
            controls.padding,
            controls.mask_mode,
            controls.seed,
            controls.subseed,
            controls.subseed_strength,
            *inputs,
        ],
        "outputs": [output.gallery, output.generation_info, output.infotext, output.html_log],
        "show_progress": False,
    }
    code = f'(...args) => submitTask("img2img", args.slice(0, {len(arguments["inputs"])}))'
    toprow.submit.click(**arguments, **js(code))
    fields = _paste_fields(toprow, controls)
    infotext_utils.add_paste_fields("img2img", controls.init_img, fields)
    infotext_utils.add_paste_fields("inpaint", controls.painted, fields)
    infotext_utils.connect_paste(toprow.paste, fields, toprow.prompt, tabname="img2img")
    scripts.scripts_current = None
