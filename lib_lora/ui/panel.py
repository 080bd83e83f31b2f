"""The accordion of one tab: it takes facts instead of asking a host, and returns the script's arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .address import PREFIX
from .elements import mount, stack_text, switched_accordion, tell_page

LABEL = "LoRA Stack"
NOTE = "The rows of the stack appear here when the page has loaded its scripts."


@dataclass(frozen=True)
class PanelFacts:
    """What the panel must know of the page it stands on."""

    tab: str  # "txt2img" or "img2img"; the prompt is looked for under `#<tab>_prompt`
    element_id: Callable[[str], str]  # the host's way to make ids that nobody else uses
    accordion: Callable[..., Any] | None = None  # the host's InputAccordion, where it has one
    language: str = ""  # the language that the user set; empty: as the page or the browser is
    localization: str = ""  # the host's own, by its name


@dataclass(frozen=True)
class PanelComponents:
    """The two arguments of the script, in their order."""

    enabled: Any
    stack: Any


def build_panel(facts: PanelFacts) -> PanelComponents:
    """Build the panel inside the current gradio blocks; may be called any number of times."""
    with switched_accordion(facts.accordion, LABEL, facts.element_id("panel")) as enabled:
        stack = stack_text(facts.element_id("stack"))
        tell_page(facts.tab, enabled, stack)
        fields = {"enabled": enabled.elem_id, "text": stack.elem_id}
        languages = {"language": facts.language, "localization": facts.localization}
        mount({"tab": facts.tab, "routes": PREFIX.strip("/"), **fields, **languages}, NOTE)
    return PanelComponents(enabled, stack)
