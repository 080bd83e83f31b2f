"""The Library tab: a place on the page that javascript fills when somebody looks at it."""

from __future__ import annotations

from .address import PREFIX
from .elements import mount

LABEL = "LoRA Library"
ELEM_ID = "lora_stack_library"
NOTE = "The files appear here when the page has loaded its scripts."


class LibraryTab:
    """What a host does with the blocks of a tab: it renders them in its own, and looks for what to remember.

    Blocks of gradio would do no more, and make a web server of their own: a third of what our start cost.
    """

    children: tuple[object, ...] = ()

    def render(self) -> None:
        """Put the place into the blocks that are being built."""
        mount({"routes": PREFIX.strip("/")}, NOTE, "lora-stack-library-mount")


def build_tab() -> list[tuple[LibraryTab, str, str]]:
    """Return the tab as the host takes it: its content, what is written on it, its id."""
    return [(LibraryTab(), LABEL, ELEM_ID)]
