"""AddNet's script for old API callers: its title, its arguments, hidden on the page.

A picture's AddNet keys are pasted into the panel, where one sees them, and not into these arguments. One
field is registered all the same under AddNet's label: where nobody has it, the built-in Lora turns the keys
into prompt tags, and the LoRAs would act twice.
"""

from __future__ import annotations

from typing import Any

from lib_lora.hosts import options
from lib_lora.stack import addnet

TITLE = addnet.TITLE
_OLD_SCRIPT = "additional_networks.py"
_BUILT = "lora_stack_components"


def slots() -> int:
    """Return how many networks the arguments hold, as AddNet's own flag says."""
    from modules import shared

    return max(1, int(getattr(shared.cmd_opts, "addnet_max_model_count", addnet.SLOTS) or addnet.SLOTS))


def old_extension_loaded() -> bool:
    """Tell whether AddNet itself is installed: then title, arguments and keys are its own."""
    return options.installed(_OLD_SCRIPT)


def build_ui(script: Any) -> list[Any]:
    """Return hidden components with AddNet's labels and defaults, in the order of its arguments.

    The API calls this twice more for the defaults alone: the components of the page tell them as well.
    """
    built: list[Any] | None = getattr(script, _BUILT, None)
    if built is None:
        count = slots()
        values = addnet.default_arguments(count)
        built = [
            _hidden(label, value, script.elem_id(f"argument_{index}"))
            for index, (label, value) in enumerate(zip(_labels(count), values, strict=True))
        ]
        setattr(script, _BUILT, built)
    script.infotext_fields = [(built[2], addnet.MODULE_KEY)]
    script.paste_field_names = []
    return built


def _labels(count: int) -> list[str]:
    labels = ["Enable", "Separate UNet/Text Encoder weights"]
    for number in range(1, count + 1):
        labels += [f"Network module {number}", f"Model {number}"]
        labels += [f"UNet Weight {number}", f"TEnc Weight {number}"]
    return [*labels, "mask image:", addnet.REFRESH]


def _hidden(label: str, value: Any, elem_id: str) -> Any:
    import gradio as gr

    kinds = {bool: gr.Checkbox, float: gr.Number}
    component = kinds.get(type(value), gr.Textbox)(value, label=label, elem_id=elem_id, visible=False)
    component.do_not_save_to_config = True
    return component
