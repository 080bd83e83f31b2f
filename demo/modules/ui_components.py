"""The WebUI's own components, the same in both versions of gradio."""

from __future__ import annotations

import inspect

import gradio as gr
from modules.gradio_extensions import form_component, js

FormRow = form_component(gr.Row, "FormRow", ("form-row",))
FormColumn = form_component(gr.Column, "FormColumn", ("form-column",))
FormGroup = form_component(gr.Group, "FormGroup", ("form-group",))
FormHTML = form_component(gr.HTML, "FormHTML")
FormColorPicker = form_component(gr.ColorPicker, "FormColorPicker")
DropdownMulti = form_component(gr.Dropdown, "DropdownMulti", multiselect=True)
DropdownEditable = form_component(gr.Dropdown, "DropdownEditable", allow_custom_value=True)
ToolButton = form_component(gr.Button, "ToolButton", ("tool",))
ResizeHandleRow = form_component(gr.Row, "ResizeHandleRow", ("resize-handle-row",))


def _signature_of(base: type):
    """Let gradio read a constructor's configuration as that of its base."""

    def mark(function):
        function.__signature__ = inspect.signature(base.__init__)
        return function

    return mark


class InputAccordion(gr.Checkbox):
    """An accordion with a switch in its title; its value is the switch, a bool.

    Use as `with InputAccordion(False, label=…, elem_id=…) as enabled:`. The switch itself is a hidden
    check box; page.js draws the visible one.
    """

    is_template = True
    global_index = 0

    @_signature_of(gr.Checkbox)
    def __init__(self, value=False, **kwargs):
        self.accordion_id = kwargs.pop("elem_id", None)
        if self.accordion_id is None:
            self.accordion_id = f"input-accordion-{InputAccordion.global_index}"
            InputAccordion.global_index += 1
        label = kwargs.get("label")
        super().__init__(value, **{**kwargs, "elem_id": f"{self.accordion_id}-checkbox", "visible": False})
        if kwargs.get("render") is False:
            return  # gradio 4 makes a copy for every value it sends back to the page
        code = f'(checked) => inputAccordionChecked("{self.accordion_id}", checked)'
        self.change(fn=None, inputs=[self], outputs=None, **js(code))
        self.accordion = gr.Accordion(
            label, open=value, elem_id=self.accordion_id, elem_classes=["input-accordion"]
        )

    def extra(self):
        """A place in the title of the accordion."""
        return gr.Column(
            elem_id=f"{self.accordion_id}-extra", elem_classes=["input-accordion-extra"], min_width=0
        )

    def __enter__(self):
        self.accordion.__enter__()
        return self

    def __exit__(self, kind, value, trace):
        self.accordion.__exit__(kind, value, trace)
