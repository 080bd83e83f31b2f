"""Taking the parameters of a picture back into the page."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path

from modules import script_callbacks
from modules.infotext_format import parse_generation_parameters, quote, unquote
from modules.paths_internal import default_output_dir

__all__ = ["parse_generation_parameters", "quote", "unquote"]

ParamBinding = namedtuple(
    "ParamBinding", ["paste_button", "tabname", "source_text_component", "source_image"]
)

# {"txt2img": {"init_img": component or None, "fields": [(component, label or function)]}}
paste_fields: dict[str, dict] = {}
registered_param_bindings: list[ParamBinding] = []


class PasteField(tuple):
    """(component, label or function), with the name the API knows it by."""

    def __new__(cls, component, target, *, api=None):
        return super().__new__(cls, (component, target))

    def __init__(self, component, target, *, api=None):
        super().__init__()
        self.api = api
        self.component = component
        self.label = target if isinstance(target, str) else None
        self.function = target if callable(target) else None


def reset() -> None:
    """A new page is about to be built."""
    paste_fields.clear()
    registered_param_bindings.clear()


def add_paste_fields(tabname, init_img, fields, override_settings_component=None) -> None:
    """Remember what pasting fills in a tab."""
    paste_fields[tabname] = {"init_img": init_img, "fields": list(fields or [])}


def register_paste_params_button(binding: ParamBinding) -> None:
    registered_param_bindings.append(binding)


def _is_update(value) -> bool:
    return isinstance(value, dict) and value.get("__type__") == "update"


def value_for(component, key, params: dict):
    """The update of one field; what the text does not name stays as it is."""
    import gradio as gr

    value = key(params) if callable(key) else params.get(key)
    if value is None:
        return gr.update()
    if callable(key) or _is_update(value):
        return value if _is_update(value) else gr.update(value=value)
    kind = type(getattr(component, "value", None))
    try:
        if kind is bool:
            value = value != "False" if isinstance(value, str) else bool(value)
        elif kind is int:
            value = float(value)
        elif kind is not type(None):
            value = kind(value)
    except (TypeError, ValueError):
        return gr.update()
    return gr.update(value=value)


def read_params(text: str) -> dict:
    """Parse a text; extensions may translate what they find before the fields see it."""
    params = parse_generation_parameters(text)
    script_callbacks.infotext_pasted_callback(text, params)
    return params


def last_parameters() -> str:
    """The parameters of the last picture, for the paste button over an empty prompt."""
    path = Path(default_output_dir) / "params.txt"
    return path.read_text(encoding="utf8") if path.is_file() else ""


def connect_paste(button, fields, input_comp, override_settings_component=None, tabname=None) -> None:
    """At a click, read the text in `input_comp` and fill the fields."""

    def paste(text):
        params = read_params(text.strip() or last_parameters())
        return [value_for(component, key, params) for component, key in fields]

    button.click(fn=paste, inputs=[input_comp], outputs=[field[0] for field in fields], show_progress=False)


def connect_paste_params_buttons() -> None:
    """Connect every button that sends a text, and perhaps a picture, to a tab."""
    from modules.gradio_extensions import js

    for binding in registered_param_bindings:
        target = paste_fields.get(binding.tabname)
        if target is None:
            continue
        fields = target["fields"]
        picture = target["init_img"] if binding.source_image is not None else None

        def send(text, image=None, fields=fields, picture=picture):
            params = read_params(text or "")
            values = [value_for(component, key, params) for component, key in fields]
            return [*values, image] if picture is not None else values

        inputs = [binding.source_text_component]
        outputs = [field[0] for field in fields]
        if picture is not None:
            inputs.append(binding.source_image)
            outputs.append(picture)
        binding.paste_button.click(fn=send, inputs=inputs, outputs=outputs, show_progress=False).then(
            fn=None, inputs=None, outputs=None, **js(f'() => switchToTab("{binding.tabname}")')
        )


def script_args_from_infotext(runner, args: list, text: str) -> None:
    """Set the script arguments that a text names; for the API's `infotext`.

    As in the real host no paste callback is called, and a value is cast to the control's type as it is: the
    text "False" switches a check box on.
    """
    params = parse_generation_parameters(text)
    for field in runner.infotext_fields:
        component, key = field[0], field[1]
        if component not in runner.inputs:
            continue
        value = key(params) if callable(key) else params.get(key)
        if _is_update(value):
            value = value.get("value")
        kind = type(getattr(component, "value", None))
        if value is None or kind is type(None):
            continue
        args[runner.inputs.index(component)] = value if isinstance(value, kind) else kind(value)
