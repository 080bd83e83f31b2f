"""AddNet's arguments on the page: hidden, built once, with its labels and defaults."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from lib_lora.hosts import legacy_script
from lib_lora.stack.addnet import MODULE_KEY, default_arguments


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The host's flags and scripts."""
    modules, shared, scripts = ModuleType("modules"), ModuleType("modules.shared"), ModuleType("scripts")
    found = SimpleNamespace(flags=SimpleNamespace(), scripts=[])
    shared.cmd_opts, scripts.scripts_data = found.flags, found.scripts  # type: ignore[attr-defined]
    modules.shared, modules.scripts = shared, scripts  # type: ignore[attr-defined]
    for name, module in (("modules", modules), ("modules.shared", shared), ("modules.scripts", scripts)):
        monkeypatch.setitem(sys.modules, name, module)
    return found


def build() -> tuple[Any, list[Any]]:
    script = SimpleNamespace(elem_id=lambda item: f"script_{item}")
    with gr.Blocks():
        return script, legacy_script.build_ui(script)


def test_hidden_and_out_of_the_saved_settings(host: SimpleNamespace) -> None:
    _, components = build()
    assert [component.value for component in components] == list(default_arguments())
    assert not any(component.visible for component in components)
    assert all(component.do_not_save_to_config for component in components)
    assert len({component.elem_id for component in components}) == 24


def test_the_label_that_keeps_the_builtin_from_making_tags(host: SimpleNamespace) -> None:
    script, components = build()
    assert script.infotext_fields == [(components[2], MODULE_KEY)]


def test_the_api_s_questions_build_nothing(host: SimpleNamespace) -> None:
    """It asks twice more, only for the defaults."""
    script, components = build()
    with gr.Blocks() as thrown_away:
        assert legacy_script.build_ui(script) is components
    assert not thrown_away.blocks
    assert script.infotext_fields == [(components[2], MODULE_KEY)]


@pytest.mark.parametrize(("flag", "expected"), [(7, 32), (None, 24), (0, 24)])
def test_as_many_slots_as_addnet_s_flag_says(host: SimpleNamespace, flag: int | None, expected: int) -> None:
    host.flags.addnet_max_model_count = flag
    assert len(build()[1]) == expected


def test_addnet_itself_is_noticed(host: SimpleNamespace) -> None:
    assert not legacy_script.old_extension_loaded()
    host.scripts.append(
        SimpleNamespace(path="extensions/sd-webui-additional-networks/scripts/additional_networks.py")
    )
    assert legacy_script.old_extension_loaded()
