"""Parts of the page that both tabs have."""

from __future__ import annotations

import html
import json
from collections import namedtuple
from pathlib import Path

from modules import images, infotext_utils
from modules.paths_internal import default_output_dir
from PIL import Image

OutputPanel = namedtuple("OutputPanel", ["gallery", "generation_info", "infotext", "html_log"])


def plaintext_to_html(text: str, classname: str | None = None) -> str:
    content = "<br>\n".join(html.escape(line) for line in text.split("\n"))
    return f"<p class='{classname}'>{content}</p>" if classname else f"<p>{content}</p>"


def picture_outputs(processed):
    """(gallery, generation info, infotext as html, log as html) of a result."""
    files = []
    for image, text in zip(processed.images, processed.infotexts, strict=False):
        if not getattr(image, "already_saved_as", None):
            images.save_image(image, str(Path(default_output_dir) / "unsaved"), "", processed.seed, info=text)
        files.append(image.already_saved_as)
    info = json.loads(processed.js())
    info["files"] = files
    return (
        files,
        json.dumps(info),
        plaintext_to_html(processed.info, classname="infotext"),
        plaintext_to_html(processed.comments, classname="comments"),
    )


def _chosen(generation_info: str, index) -> tuple[str, Path | None]:
    """(infotext, file) of a picture of the last result; only our own output files count."""
    try:
        info = json.loads(generation_info or "{}")
        index = min(max(int(index), 0), len(info["infotexts"]) - 1)
        text, file = info["infotexts"][index], Path(info["files"][index]).resolve()
    except (ValueError, KeyError, IndexError, TypeError):
        return "", None
    from modules import shared

    roots = (default_output_dir, shared.opts.outdir_txt2img_samples, shared.opts.outdir_img2img_samples)
    inside = any(file.is_relative_to(Path(root).resolve()) for root in roots)
    return text, file if inside and file.is_file() else None


def update_generation_info(generation_info, html_info, index):
    """The infotext of the picture that is shown."""
    text, _ = _chosen(generation_info, index)
    return plaintext_to_html(text, classname="infotext") if text else html_info


def create_output_panel(tabname: str) -> OutputPanel:
    """Gallery, buttons that send a picture elsewhere, infotext, log."""
    import gradio as gr
    from modules.gradio_extensions import gallery as make_gallery
    from modules.gradio_extensions import js
    from modules.ui_components import FormRow, ToolButton

    with gr.Column(variant="panel", elem_id=f"{tabname}_results_panel"):
        with gr.Group(elem_id=f"{tabname}_gallery_container", elem_classes=["gallery-container"]):
            gallery = make_gallery(f"{tabname}_gallery", label="Output", show_label=False, columns=4)
        with FormRow(elem_id=f"image_buttons_{tabname}", elem_classes=["image-buttons"]):
            buttons = {
                target: ToolButton(symbol, elem_id=f"{tabname}_send_to_{target}", tooltip=tip)
                for target, symbol, tip in (
                    ("txt2img", "📝", "Send parameters to txt2img"),
                    ("img2img", "🖼️", "Send picture and parameters to img2img"),
                    ("inpaint", "🎨️", "Send picture and parameters to inpaint"),
                )
                if target != tabname
            }
        infotext = gr.HTML(elem_id=f"html_info_{tabname}", elem_classes="infotext")
        log = gr.HTML(elem_id=f"html_log_{tabname}", elem_classes="html-log")
        generation_info = gr.Textbox(visible=False, elem_id=f"generation_info_{tabname}")
        index = gr.Textbox("0", visible=False, elem_id=f"{tabname}_gallery_index")
        refresh = gr.Button(visible=False, elem_id=f"{tabname}_generation_info_button")
        refresh.click(
            fn=update_generation_info,
            inputs=[generation_info, infotext, index],
            outputs=[infotext],
            show_progress=False,
            **js(f'(info, text, index) => [info, text, selectedGalleryIndex("{tabname}")]'),
        )
    # The other tabs' fields exist only when the whole page does.
    pending_sends.extend(
        (tabname, target, button, generation_info, index) for target, button in buttons.items()
    )
    return OutputPanel(gallery, generation_info, infotext, log)


pending_sends: list[tuple] = []


def connect_sends() -> None:
    """Connect the buttons under the galleries to the fields of the other tabs."""
    from modules.gradio_extensions import js

    for tabname, target, button, generation_info, index in pending_sends:
        entry = infotext_utils.paste_fields[target]
        fields, picture = entry["fields"], entry["init_img"]

        def send(info, at, fields=fields, picture=picture):
            text, file = _chosen(info, at)
            params = infotext_utils.read_params(text)
            values = [infotext_utils.value_for(component, key, params) for component, key in fields]
            if picture is None:
                return values
            image = Image.open(file).convert("RGB") if file is not None else None
            return [*values, image]

        outputs = [field[0] for field in fields] + ([picture] if picture is not None else [])
        button.click(
            fn=send,
            inputs=[generation_info, index],
            outputs=outputs,
            show_progress=False,
            **js(f'(info, index) => [info, selectedGalleryIndex("{tabname}")]'),
        ).then(fn=None, inputs=None, outputs=None, **js(f'() => switchToTab("{target}")'))
    pending_sends.clear()


def create_refresh_button(refresh_component, refresh_method, refreshed_args, elem_id):
    """A small button that reads a list anew and shows it."""
    import gradio as gr
    from modules.ui_components import ToolButton

    components = refresh_component if isinstance(refresh_component, list) else [refresh_component]

    def refresh():
        refresh_method()
        args = refreshed_args() if callable(refreshed_args) else refreshed_args
        for component in components:
            for key, value in args.items():
                setattr(component, key, value)
        updates = [gr.update(**(args or {})) for _ in components]
        return updates if len(updates) > 1 else updates[0]

    button = ToolButton("\U0001f504", elem_id=elem_id)
    button.click(fn=refresh, inputs=[], outputs=components, show_progress=False)
    return button
