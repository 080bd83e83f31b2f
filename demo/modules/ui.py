"""The page: tabs of the host, tabs of extensions, settings."""

from __future__ import annotations

import html

import gradio as gr
from modules import (
    gradio_extensions,
    infotext_utils,
    script_callbacks,
    scripts,
    ui_common,
    ui_img2img,
    ui_txt2img,
)
from modules.gradio_extensions import image_upload
from modules.images import read_info_from_image
from modules.infotext_utils import ParamBinding
from modules.ui_common import plaintext_to_html
from modules.ui_settings import UiSettings


def _watch_components() -> None:
    def before(component, **kwargs):
        if scripts.scripts_current is not None:
            scripts.scripts_current.before_component(component, **kwargs)
        script_callbacks.before_component_callback(component, **kwargs)

    def after(component, **kwargs):
        script_callbacks.after_component_callback(component, **kwargs)
        if scripts.scripts_current is not None:
            scripts.scripts_current.after_component(component, **kwargs)

    gradio_extensions.watch_components(before, after)


def run_pnginfo(image):
    """(html, parameters) of a dropped picture."""
    if image is None:
        return "", ""
    parameters, items = read_info_from_image(image)
    if not parameters and not items:
        return "<p>Nothing found in the image.</p>", ""
    table = {"parameters": parameters or "", **items}
    blocks = [
        f"<div><b>{html.escape(key)}</b>{plaintext_to_html(value)}</div>"
        for key, value in table.items()
        if value
    ]
    return "".join(blocks), parameters or ""


def create_pnginfo() -> gr.Blocks:
    with gr.Blocks(analytics_enabled=False) as interface:
        with gr.Row():
            with gr.Column(variant="panel"):
                image = image_upload("pnginfo_image", label="Source", height=420, image_mode=None)
            with gr.Column(variant="panel"):
                text = gr.HTML(elem_id="pnginfo_html_info")
                info = gr.Textbox(visible=False, elem_id="pnginfo_generation_info")
                with gr.Row(elem_id="pnginfo_buttons"):
                    for target in ("txt2img", "img2img", "inpaint"):
                        button = gr.Button(f"Send to {target}", elem_id=f"{target}_tab")
                        source = image if target != "txt2img" else None
                        infotext_utils.register_paste_params_button(
                            ParamBinding(button, target, info, source)
                        )
        image.change(fn=run_pnginfo, inputs=[image], outputs=[text, info], show_progress=False)
    return interface


def create_ui() -> gr.Blocks:
    """Build everything, in the order extensions rely on."""
    _watch_components()
    infotext_utils.reset()
    ui_common.pending_sends.clear()
    settings = UiSettings()
    settings.register_settings()
    scripts.scripts_current = None
    with gr.Blocks(analytics_enabled=False) as txt2img_interface:
        ui_txt2img.create_txt2img()
    with gr.Blocks(analytics_enabled=False) as img2img_interface:
        ui_img2img.create_img2img()
    pnginfo_interface = create_pnginfo()
    script_callbacks.ui_train_tabs_callback(script_callbacks.UiTrainTabParams([]))
    interfaces = [
        (txt2img_interface, "txt2img", "txt2img"),
        (img2img_interface, "img2img", "img2img"),
        (pnginfo_interface, "PNG Info", "pnginfo"),
        *script_callbacks.ui_tabs_callback(),
        (settings.create_ui(), "Settings", "settings"),
    ]
    with gr.Blocks(
        theme=gradio_extensions.local_theme(), analytics_enabled=False, title="Stable Diffusion"
    ) as page:
        settings.add_quicksettings()
        with gr.Tabs(elem_id="tabs"):
            for interface, label, elem_id in interfaces:
                with gr.TabItem(label, id=elem_id, elem_id=f"tab_{elem_id}"):
                    interface.render()
        infotext_utils.connect_paste_params_buttons()
        ui_common.connect_sends()
        settings.add_functionality()
    return page
