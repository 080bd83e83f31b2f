"""The shell every WebUI shares: what the door in scripts/ calls, and nothing that names one host.

A `Door` owns all state of the extension. Reload UI makes a new door; the old one takes its wraps off when the
host unloads its script. What a start needs is imported here; everything else is in the workshop, which the
first picture or question opens.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lib_lora.hosts import legacy_script, options
from lib_lora.hosts.infotext import SENT, paste_fields
from lib_lora.hosts.wraps import Around, Wraps
from lib_lora.stack.names import TITLE

if TYPE_CHECKING:
    from lib_lora.hosts.workshop import Workshop
    from lib_lora.library.library import Library
    from lib_lora.ui.tab import LibraryTab

WRAPPED = (
    ("setup_conds", "around"),
    ("calculate_hr_conds", "around_hires"),
    ("sample_hr_pass", "around_hires"),
    ("get_conds_with_caching", "around_texts"),
    ("sample", "around_sample"),
    ("cached_params", "cached_params"),
    ("close", "closing"),
)
"""Methods of the host's processing, and what the lifecycle does around each."""


BUILT = "lora_stack_components"
NOT_SERVED = (
    "LoRA Stack: this WebUI makes pictures in a way that no stack can act in, so this picture is without it. "
    "Write <lora:…> tags in the prompt, or use AUTOMATIC1111's WebUI or Forge."
)


class Door:
    """Everything between the WebUI's hooks and the house."""

    def __init__(self) -> None:
        self._wraps = Wraps()
        self._served = True
        self._generation = 0
        self._opened: Workshop | None = None
        self._lock = threading.Lock()

    # Called by the host's callbacks

    def install(self) -> None:
        """Put our wraps on the host's processing; safe to call again."""
        from modules import processing

        for owner in (
            processing.StableDiffusionProcessing,
            processing.StableDiffusionProcessingTxt2Img,
            processing.StableDiffusionProcessingImg2Img,
        ):
            for method, ours in WRAPPED:
                self._wraps.place(owner, method, self._acting(ours))
        # SD.Next has none: it makes pictures by another way, on which a stack would be left out.
        self._served = hasattr(processing.StableDiffusionProcessing, "setup_conds")
        if models := sys.modules.get("modules.sd_models"):
            self._wraps.place(models, "unload_model_weights", self._unloading)

    def before_ui(self) -> None:
        """Add our axes to the plot script if it is loaded; it builds its controls later."""
        from lib_lora.hosts.xyz import Axes

        Axes(TITLE, self._library, options.presets).add()

    def uninstall(self) -> None:
        """Give the host its methods and its model back."""
        self._wraps.remove()
        if self._opened is not None:
            self._opened.remove()

    def before_step(self, params: Any) -> None:
        """Look after the stack before every step."""
        self._workshop().before_step(params)

    def model_loaded(self, _sd_model: Any) -> None:
        """Forget what was computed from the weights that have just been replaced."""
        self._generation += 1
        if self._opened is not None:
            self._opened.lifecycle.forget_model()

    def add_routes(self, demo: Any, app: Any) -> None:
        """Serve the page's questions, from the first one on."""
        from lib_lora.hosts.answers import answer_errors
        from lib_lora.ui.compat import is_closing, user_of
        from lib_lora.ui.deferred import defer_routes

        def add(answering: Any) -> None:
            answer_errors(answering)
            closing = None if demo is None else lambda: is_closing(demo)
            self._workshop().add_routes(answering, user_of(app), closing)

        answer_errors(app)
        defer_routes(app, add)

    def build_tabs(self) -> list[tuple[LibraryTab, str, str]]:
        """Return the tabs of our own: the Library."""
        from lib_lora.ui.tab import build_tab

        return build_tab()

    # Called by the script

    def build_ui(self, script: Any, is_img2img: bool) -> list[Any]:
        """Build the panel of one tab and return the two arguments of the script: enabled, stack.

        The API calls this twice more for the defaults alone: the components of the page tell them as well.
        """
        built: list[Any] | None = getattr(script, BUILT, None)
        if built is not None:
            return built
        from modules import ui_components

        from lib_lora.ui.panel import PanelFacts, build_panel

        tab = "img2img" if is_img2img else "txt2img"
        panel = build_panel(
            PanelFacts(
                tab=tab,
                element_id=script.elem_id,
                accordion=getattr(ui_components, "InputAccordion", None),
                language=options.language(),
                localization=options.localization(),
            )
        )
        with_legacy = not legacy_script.old_extension_loaded()
        script.infotext_fields = paste_fields(panel.enabled, panel.stack, with_legacy)
        script.paste_field_names = list(SENT)
        built = [panel.enabled, panel.stack]
        setattr(script, BUILT, built)
        return built

    def build_legacy_ui(self, script: Any) -> list[Any]:
        """Return the hidden arguments of AddNet's script."""
        return legacy_script.build_ui(script)

    def process(self, p: Any, args: tuple[Any, ...]) -> None:
        """Keep what the panel asks for on `p`; where no stack could act, say so and write none into it."""
        if self._served:
            self._workshop().process(p, args)
        elif args and args[0]:
            logging.getLogger(__name__).warning("%s", NOT_SERVED)
            getattr(p, "comment", print)(NOT_SERVED)

    def process_legacy(self, p: Any, args: tuple[Any, ...]) -> None:
        """Keep what AddNet's arguments ask for, beside the panel's."""
        if self._served:
            self._workshop().process_legacy(p, args)

    def share_hashes(self, p: Any) -> None:
        """Name our files in the host's `Lora hashes`."""
        if self._served:
            self._workshop().share_hashes(p)

    def tell(self, p: Any, processed: Any) -> None:
        """Put the report into the answer's `info`."""
        self._workshop().tell(p, processed)

    # Our own parts

    def _workshop(self) -> Workshop:
        if self._opened is None:
            from lib_lora.hosts.workshop import Workshop

            with self._lock:
                if self._opened is None:
                    self._opened = Workshop(lambda: self._generation)
        return self._opened

    def _library(self) -> Library:
        return self._workshop().library()

    def _unloading(self, _sd_model: Any, call: Callable[[], Any]) -> Any:
        """Free our memory before the host frees its own: who unloads a checkpoint wants the memory."""
        if self._opened is not None:
            self._opened.lifecycle.let_go()
        return call()

    def _acting(self, name: str) -> Around:
        """Return a method of the lifecycle, which is not there before the first picture."""
        return lambda p, call: getattr(self._workshop().lifecycle, name)(p, call)
