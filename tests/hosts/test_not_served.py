"""A WebUI that makes pictures by another way, as SD.Next does: no stack can act there, and that is said."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from lib_lora.hosts.webui import Door


def test_what_no_stack_can_act_in_is_told_and_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture's parameters would name files that it was made without."""
    modules, processing = ModuleType("modules"), ModuleType("modules.processing")
    for name in ("", "Txt2Img", "Img2Img"):
        setattr(
            processing,
            f"StableDiffusionProcessing{name}",
            type("Processing", (), {"close": lambda self: None}),
        )
    modules.processing = processing  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "modules", modules)
    monkeypatch.setitem(sys.modules, "modules.processing", processing)
    monkeypatch.delitem(sys.modules, "modules.sd_models", raising=False)
    door, told = Door(), []
    door.install()
    p = SimpleNamespace(comment=told.append, extra_generation_params={})
    door.process(p, (False, ""))
    door.share_hashes(p)
    door.process_legacy(p, (True, False, "LoRA", "a", 1, 1))
    assert told == []
    door.process(p, (True, '[{"network": "a"}]'))
    (message,) = told
    assert "without it" in message
    assert vars(p).keys() == {"comment", "extra_generation_params"} and p.extra_generation_params == {}
    door.uninstall()
