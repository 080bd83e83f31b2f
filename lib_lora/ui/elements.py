"""The pieces of the panel that gradio draws: everything else is drawn by javascript/ into the mount."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any

import gradio as gr

from .compat import on_change


@contextmanager
def switched_accordion(accordion: Callable[..., Any] | None, label: str, elem_id: str) -> Iterator[Any]:
    """Open an accordion with a switch and yield the switch, whose value is a bool.

    `accordion` is the host's InputAccordion, which carries the switch in its title; without one, a plain
    accordion holds a check box.
    """
    if accordion is not None:
        with accordion(False, label=label, elem_id=elem_id) as enabled:
            yield enabled
        return
    with gr.Accordion(label, open=False, elem_id=elem_id):
        yield gr.Checkbox(False, label="Enable", elem_id=f"{elem_id}_enabled")


def stack_text(elem_id: str) -> Any:
    """Return the hidden text box that holds the stack.

    Hidden components are in the page of both gradio versions, so javascript reads and writes it. It is kept
    out of ui-config.json, which would bring an old stack back for ever.
    """
    box = gr.Textbox("", label="Stack", elem_id=elem_id, visible=False)
    box.do_not_save_to_config = True
    return box


def tell_page(tab: str, *components: Any) -> None:
    """Let javascript hear of every new value of `components`: a paste sets them without an event."""
    for component in components:
        on_change(component, f"() => {{ globalThis.LoraStack?.changed?.({json.dumps(tab)}); }}")


def mount(data: Mapping[str, str], note: str, css_class: str = "lora-stack-mount") -> Any:
    """Return a place where javascript draws; `note` is read by who has javascript switched off."""
    attributes = " ".join(f'data-{name}="{escape(value, quote=True)}"' for name, value in data.items())
    return gr.HTML(f'<div class="{css_class}" {attributes}><p>{escape(note)}</p></div>')
