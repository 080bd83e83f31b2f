"""The part of the Library tab that gradio draws."""

from __future__ import annotations

import gradio as gr

from lib_lora.ui.address import PREFIX
from lib_lora.ui.tab import ELEM_ID, build_tab


def test_the_tab_is_what_a_host_takes() -> None:
    ((blocks, label, elem_id),) = build_tab()
    assert isinstance(blocks, gr.Blocks)
    assert (label, elem_id) == ("LoRA Library", ELEM_ID)


def test_its_place_is_told_where_to_ask_and_is_no_panel() -> None:
    ((blocks, _, _),) = build_tab()
    (place,) = [block for block in blocks.blocks.values() if isinstance(block, gr.HTML)]
    assert f'data-routes="{PREFIX.strip("/")}"' in str(place.value)
    assert 'class="lora-stack-library-mount"' in str(place.value)
