"""Runs the hooks of all scripts of one tab, in order, printing and swallowing what they raise."""

from __future__ import annotations

from pathlib import Path

from modules import errors
from modules.script_class import AlwaysVisible, OnComponent


def wrap_call(function, filename, funcname, *args, default=None, **kwargs):
    """Call something of a script; report its failure and answer with the default."""
    try:
        return function(*args, **kwargs)
    except Exception:
        errors.report(f"Error calling: {filename}/{funcname}", exc_info=True)
    return default


class ScriptRunner:
    """The scripts of a tab: instances, controls, and where their arguments lie in the list of all."""

    def __init__(self):
        self.scripts = []
        self.selectable_scripts = []
        self.alwayson_scripts = []
        self.titles = []
        self.title_map = {}
        self.infotext_fields = []
        self.paste_field_names = []
        # The first argument is the selected script's number.
        self.inputs = [None]
        self.is_img2img = False

    def initialize_scripts(self, is_img2img: bool) -> None:
        """Make new instances of all script classes; those whose show() says so take part."""
        from modules.scripts import scripts_data

        self.scripts.clear()
        self.selectable_scripts.clear()
        self.alwayson_scripts.clear()
        self.is_img2img = is_img2img
        for data in scripts_data:
            try:
                script = data.script_class()
            except Exception:
                errors.report(f"Error # failed to initialize Script {data.module}: ", exc_info=True)
                continue
            script.filename = data.path
            script.is_txt2img = not is_img2img
            script.is_img2img = is_img2img
            script.tabname = "img2img" if is_img2img else "txt2img"
            visibility = wrap_call(script.show, script.filename, "show", script.is_img2img, default=False)
            if visibility == AlwaysVisible:
                self.scripts.append(script)
                self.alwayson_scripts.append(script)
                script.alwayson = True
            elif visibility:
                self.scripts.append(script)
                self.selectable_scripts.append(script)

    def prepare_without_ui(self, args_by_title: dict[str, list]) -> tuple:
        """Give scripts their arguments where no page exists; return the list of all arguments.

        Scripts that are not named take part with none, as after an API request that does not know them.
        """
        values: list = [0]
        for script in self.scripts:
            script.name = wrap_call(script.title, script.filename, "title", default=script.filename).lower()
            script.args_from = len(values)
            values.extend(args_by_title.get(script.name, []))
            script.args_to = len(values)
        return tuple(values)

    def create_script_ui(self, script) -> None:
        """Build one script's controls in place; without them it has no arguments."""
        script.args_from = script.args_to = len(self.inputs)
        try:
            self._create_script_ui(script)
        except Exception:
            errors.report(f"Error creating UI for {script.name}: ", exc_info=True)

    def _create_script_ui(self, script) -> None:
        from modules.api import models

        controls = wrap_call(script.ui, script.filename, "ui", script.is_img2img)
        script.controls = controls
        if controls is None:
            return
        script.name = wrap_call(script.title, script.filename, "title", default=script.filename).lower()
        for control in controls:
            control.custom_script_source = Path(script.filename).name
        script.api_info = models.script_item_info(script, controls)
        if script.infotext_fields is not None:
            self.infotext_fields += script.infotext_fields
        if script.paste_field_names is not None:
            self.paste_field_names += script.paste_field_names
        self.inputs += controls
        script.args_to = len(self.inputs)

    def prepare_ui(self) -> None:
        self.inputs = [None]

    def setup_ui(self) -> list:
        """Build all scripts' controls; return all inputs."""
        import gradio as gr

        self.titles = [
            wrap_call(script.title, script.filename, "title") or f"{script.filename} [error]"
            for script in self.selectable_scripts
        ]
        self.title_map = {
            title.lower(): script for title, script in zip(self.titles, self.selectable_scripts, strict=True)
        }
        for script in self.alwayson_scripts:
            with gr.Group(elem_classes=["lite-group"]):
                self.create_script_ui(script)
        tab = "img2img" if self.is_img2img else "txt2img"
        dropdown = gr.Dropdown(
            label="Script",
            elem_id=f"{tab}_script_list",
            choices=["None", *self.titles],
            value="None",
            type="index",
            visible=bool(self.titles),
        )
        self.inputs[0] = dropdown
        groups = []
        for script in self.selectable_scripts:
            with gr.Group(visible=False) as group:
                self.create_script_ui(script)
            groups.append(group)
        if groups:
            dropdown.change(
                fn=lambda index: [gr.update(visible=index == at + 1) for at in range(len(groups))],
                inputs=[dropdown],
                outputs=groups,
                show_progress=False,
            )
        return self.inputs

    def run(self, p, *args):
        """Run the selected script, if any."""
        index = args[0]
        if index == 0 or index is None:
            return None
        script = self.selectable_scripts[index - 1]
        return script.run(p, *args[script.args_from : script.args_to])

    def script(self, title: str):
        """The selectable script of that title, or None."""
        return self.title_map.get(title.lower())

    def set_named_arg(self, args, script_name: str, arg_elem_id: str, value, fuzzy: bool = False):
        """Put a value into the argument list by the control's id."""
        script = next((x for x in self.scripts if x.name == script_name.lower()), None)
        if script is None:
            raise RuntimeError(f"script {script_name} not found")
        for index, control in enumerate(script.controls):
            if arg_elem_id in control.elem_id if fuzzy else arg_elem_id == control.elem_id:
                args[script.args_from + index] = value
                return args
        raise RuntimeError(f"arg_elem_id {arg_elem_id} not found in script {script_name}")

    def _each(self, hook: str, p, *before, scripts=None, **kwargs) -> None:
        """Call a hook of every always-on script; `before` comes between p and the script's own arguments."""
        for script in self.alwayson_scripts if scripts is None else scripts:
            try:
                own = p.script_args[script.args_from : script.args_to]
                getattr(script, hook)(p, *before, *own, **kwargs)
            except Exception:
                errors.report(f"Error running {hook}: {script.filename}", exc_info=True)

    def setup_scrips(self, p, *, is_ui=True):
        scripts = [s for s in self.alwayson_scripts if is_ui or not s.setup_for_ui_only]
        self._each("setup", p, scripts=scripts)

    def before_process(self, p):
        self._each("before_process", p)

    def process(self, p):
        self._each("process", p)

    def before_process_batch(self, p, **kwargs):
        self._each("before_process_batch", p, **kwargs)

    def after_extra_networks_activate(self, p, **kwargs):
        self._each("after_extra_networks_activate", p, **kwargs)

    def process_batch(self, p, **kwargs):
        self._each("process_batch", p, **kwargs)

    def process_before_every_sampling(self, p, **kwargs):
        self._each("process_before_every_sampling", p, **kwargs)

    def before_hr(self, p):
        self._each("before_hr", p)

    def post_sample(self, p, ps):
        self._each("post_sample", p, ps)

    def on_mask_blend(self, p, mba):
        self._each("on_mask_blend", p, mba)

    def postprocess_batch(self, p, images, **kwargs):
        self._each("postprocess_batch", p, images=images, **kwargs)

    def postprocess_batch_list(self, p, pp, **kwargs):
        self._each("postprocess_batch_list", p, pp, **kwargs)

    def postprocess_image(self, p, pp):
        self._each("postprocess_image", p, pp)

    def postprocess_maskoverlay(self, p, ppmo):
        self._each("postprocess_maskoverlay", p, ppmo)

    def postprocess_image_after_composite(self, p, pp):
        self._each("postprocess_image_after_composite", p, pp)

    def postprocess(self, p, processed):
        self._each("postprocess", p, processed)

    def before_component(self, component, **kwargs):
        self._component("before", component, kwargs)

    def after_component(self, component, **kwargs):
        self._component("after", component, kwargs)

    def _component(self, when: str, component, kwargs) -> None:
        for script in self.scripts:
            wanted = getattr(script, f"on_{when}_component_elem_id") or []
            for elem_id, callback in wanted:
                if elem_id == kwargs.get("elem_id"):
                    wrap_call(
                        callback, script.filename, f"on_{when}_component", OnComponent(component=component)
                    )
            hook = f"{when}_component"
            wrap_call(getattr(script, hook), script.filename, hook, component, **kwargs)
