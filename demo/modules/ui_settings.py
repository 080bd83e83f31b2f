"""The Settings tab and the quick settings above all tabs."""

from __future__ import annotations

import gradio as gr
from modules import script_callbacks, sd_checkpoints, sd_models, shared
from modules.call_queue import wrap_gradio_call, wrap_queued_call
from modules.gradio_extensions import js
from modules.ui_common import create_refresh_button
from modules.ui_components import FormRow

_BY_TYPE = {str: "Textbox", int: "Number", float: "Number", bool: "Checkbox", type(None): "Textbox"}


def option_component(key: str):
    """The component of one setting, showing its present value."""
    info = shared.opts.data_labels[key]
    args = info.component_args() if callable(info.component_args) else (info.component_args or {})
    value = shared.opts.data.get(key, info.default)
    make = info.component
    if make is None:
        kind = _BY_TYPE.get(type(info.default))
        if kind is None:
            return None
        make = getattr(gr, kind)
    elem_id = f"setting_{key}"
    if info.refresh is None:
        return make(label=info.label, value=value, elem_id=elem_id, **args)
    with FormRow():
        component = make(label=info.label, value=value, elem_id=elem_id, **args)
        create_refresh_button(component, info.refresh, info.component_args, f"refresh_{key}")
    return component


def _sections() -> dict[tuple, list[str]]:
    """Option names by section, in the order of their first appearance."""
    found: dict[tuple, list[str]] = {}
    for key, info in shared.opts.data_labels.items():
        if info.do_not_show:
            continue
        found.setdefault(tuple(info.section or ("other", "Other")), []).append(key)
    return found


class UiSettings:
    """Builds the tab; keeps which component shows which setting."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.components: list = []

    def register_settings(self) -> None:
        """Let extensions add theirs."""
        script_callbacks.ui_settings_callback()

    def create_ui(self) -> gr.Blocks:
        with gr.Blocks(analytics_enabled=False) as interface:
            with gr.Row():
                self.submit = gr.Button("Apply settings", variant="primary", elem_id="settings_submit")
                self.reload = gr.Button("Reload UI", elem_id="settings_restart_gradio")
            self.result = gr.HTML(elem_id="settings_result")
            with gr.Tabs(elem_id="settings"):
                for (section_id, *title), keys in _sections().items():
                    label = title[0] if title else section_id
                    with gr.TabItem(label, elem_id=f"settings_{section_id}", id=section_id):
                        self._section(keys)
        return interface

    def _section(self, keys: list[str]) -> None:
        for key in keys:
            info = shared.opts.data_labels[key]
            component = option_component(key)
            if info.comment_before or info.comment_after:
                gr.HTML(f"<div class='settings-comment'>{info.comment_before} {info.comment_after}</div>")
            if component is not None and not info.do_not_save:
                self.keys.append(key)
                self.components.append(component)
                shared.settings_components[key] = component

    def run_settings(self, *values):
        """Take all values over and save them."""
        changed = [key for key, value in zip(self.keys, values, strict=True) if shared.opts.set(key, value)]
        shared.opts.save(shared.config_filename)
        if "sd_model_checkpoint" in changed:
            sd_models.reload_model_weights()
        return (
            "",
            f"{len(changed)} settings changed: {', '.join(changed)}." if changed else "No setting changed.",
        )

    def add_quicksettings(self) -> None:
        """The row above the tabs."""
        with gr.Row(elem_id="quicksettings", variant="compact"):
            self.checkpoint = gr.Dropdown(
                label="Stable Diffusion checkpoint",
                choices=sd_checkpoints.checkpoint_tiles(),
                value=shared.opts.data.get("sd_model_checkpoint") or _first_checkpoint(),
                elem_id="setting_sd_model_checkpoint",
                allow_custom_value=True,
            )
            create_refresh_button(
                self.checkpoint,
                sd_checkpoints.list_models,
                lambda: {"choices": sd_checkpoints.checkpoint_tiles()},
                "refresh_sd_model_checkpoint",
            )

    def run_checkpoint(self, title):
        """Change the model."""
        info = sd_checkpoints.get_closet_checkpoint_match(title)
        if info is None:
            return gr.update(value=shared.opts.data.get("sd_model_checkpoint"))
        shared.opts.data["sd_model_checkpoint"] = info.title
        sd_models.reload_model_weights()
        title = sd_models.model_data.sd_model.sd_checkpoint_info.title
        shared.opts.data["sd_model_checkpoint"] = title
        shared.opts.save(shared.config_filename)
        return gr.update(value=title, choices=sd_checkpoints.checkpoint_tiles())

    def add_functionality(self) -> None:
        self.submit.click(
            fn=wrap_gradio_call(wrap_queued_call(self.run_settings), extra_outputs=[""]),
            inputs=self.components,
            outputs=[gr.HTML(visible=False), self.result],
        )
        self.reload.click(
            fn=shared.state.request_restart,
            inputs=[],
            outputs=[],
            queue=False,
            **js("() => restart_reload()"),
        )
        self.checkpoint.input(
            fn=wrap_queued_call(self.run_checkpoint), inputs=[self.checkpoint], outputs=[self.checkpoint]
        )


def _first_checkpoint() -> str | None:
    return next(iter(sd_checkpoints.checkpoint_tiles()), None)
