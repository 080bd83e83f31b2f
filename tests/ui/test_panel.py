"""The part of the panel that gradio draws."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

import gradio as gr
import pytest

from lib_lora.ui.compat import javascript
from lib_lora.ui.panel import PanelFacts, build_panel


@contextmanager
def input_accordion(value: bool, label: str, elem_id: str) -> Iterator[Any]:
    """As in A1111 and Forge: an accordion, and beside it a hidden check box that is its value."""
    checkbox = gr.Checkbox(value, label=label, elem_id=f"{elem_id}-checkbox", visible=False)
    with gr.Accordion(label, elem_id=elem_id, open=value):
        yield checkbox


def facts(**options: Any) -> PanelFacts:
    return PanelFacts(tab="txt2img", element_id=lambda name: f"script_txt2img_lora_stack_{name}", **options)


def built(panel_facts: PanelFacts) -> tuple[Any, Any, str]:
    """The two arguments and the mount's markup."""
    with gr.Blocks() as page:
        panel = build_panel(panel_facts)
    (mount,) = [block for block in page.blocks.values() if isinstance(block, gr.HTML)]
    return panel.enabled, panel.stack, str(mount.value)


def attributes(markup: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in re.findall(r'data-(\w+)="([^"]*)"', markup)}


@pytest.mark.parametrize("accordion", [None, input_accordion], ids=["plain", "host's"])
def test_arguments_have_ids_labels_and_plain_defaults(accordion: Any) -> None:
    enabled, stack, _ = built(facts(accordion=accordion))
    assert (enabled.value, stack.value) == (False, "")
    for component in (enabled, stack):
        assert component.elem_id.startswith("script_txt2img_lora_stack_")
        assert component.label


def test_the_stack_is_hidden_and_kept_out_of_the_hosts_configuration() -> None:
    _, stack, _ = built(facts())
    assert stack.visible is False
    assert stack.do_not_save_to_config is True


@pytest.mark.parametrize("accordion", [None, input_accordion], ids=["plain", "host's"])
def test_the_mount_tells_javascript_where_everything_is(accordion: Any) -> None:
    enabled, stack, markup = built(facts(accordion=accordion, language="日本語", localization="zh_CN"))
    found = attributes(markup)
    assert found == {
        "tab": "txt2img",
        "routes": "lora-stack",
        "language": "日本語",
        "localization": "zh_CN",
        "enabled": enabled.elem_id,
        "text": stack.elem_id,
    }


def test_names_from_the_host_are_escaped() -> None:
    hostile = PanelFacts(tab='t"><script>', element_id=lambda name: f'<i>"{name}')
    _, _, markup = built(hostile)
    assert "<script>" not in markup
    assert "<i>" not in markup
    assert attributes(markup)["text"] == '<i>"stack'


def test_it_can_be_built_any_number_of_times() -> None:
    """The host builds it once for the page and twice more for the API."""
    first, second = built(facts()), built(facts())
    assert first[0] is not second[0]
    assert first[2] == second[2]


@pytest.mark.parametrize(
    ("version", "keyword"), [("3.41.2", "_js"), ("4.40.0", "js"), ("10.0", "js")], ids=["3", "4", "10"]
)
def test_gradio_versions_name_javascript_differently(version: str, keyword: str) -> None:
    assert javascript("code", version) == {keyword: "code"}
