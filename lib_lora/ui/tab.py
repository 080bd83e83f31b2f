"""The Library tab: a place on the page that javascript fills when somebody looks at it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from .address import PREFIX
from .elements import mount

LABEL = "LoRA Library"
ELEM_ID = "lora_stack_library"
NOTE = "The files appear here when the page has loaded its scripts."


def build_tab() -> list[tuple[Any, str, str]]:
    """Return the tab as the host takes it: its blocks, what is written on it, its id."""
    with gr.Blocks(analytics_enabled=False) as blocks:
        mount({"routes": PREFIX.strip("/")}, NOTE, "lora-stack-library-mount")
    return [(blocks, LABEL, ELEM_ID)]
