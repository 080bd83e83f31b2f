"""The part of the Library tab that gradio draws."""

from __future__ import annotations

import gradio as gr
import pytest
from gradio import routes

from lib_lora.ui.address import PREFIX
from lib_lora.ui.tab import ELEM_ID, build_tab


def test_the_tab_is_what_a_host_takes() -> None:
    ((tab, label, elem_id),) = build_tab()
    assert (label, elem_id) == ("LoRA Library", ELEM_ID)
    assert not tab.children  # a host keeps values of what is among them


def test_its_place_is_told_where_to_ask_and_is_no_panel() -> None:
    ((tab, _, _),) = build_tab()
    with gr.Blocks() as blocks, gr.Tabs(), gr.TabItem("LoRA Library") as item:
        tab.render()
    (place,) = [block for block in blocks.blocks.values() if isinstance(block, gr.HTML)]
    assert item.children == [place]
    assert f'data-routes="{PREFIX.strip("/")}"' in str(place.value)
    assert 'class="lora-stack-library-mount"' in str(place.value)


def test_it_makes_no_web_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every start of a WebUI would wait for it."""
    made: list[object] = []
    monkeypatch.setattr(routes.App, "create_app", lambda *args, **_: made.append(args))
    build_tab()
    assert not made
