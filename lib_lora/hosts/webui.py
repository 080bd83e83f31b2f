"""The shell every WebUI shares: what the door in scripts/ calls, and nothing that names one host.

A `Door` owns all state of the extension: the library, the session on the model, the reports and the wraps.
Reload UI makes a new door; the old one takes its wraps off when the host unloads its script.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from lib_lora.engine.view import ModelView
from lib_lora.errors import LoraStackError
from lib_lora.hosts import legacy_script, models, options, sources
from lib_lora.hosts.checkpoint import LoadedCheckpoint
from lib_lora.hosts.infotext import paste_fields, share_hashes
from lib_lora.hosts.lifecycle import REPORT_ATTRIBUTE, Lifecycle, Signs
from lib_lora.hosts.moments import moment_of
from lib_lora.hosts.reports import Reports
from lib_lora.hosts.request import request_of
from lib_lora.hosts.tags import Sorted, sort_tags
from lib_lora.hosts.takeover import Takeover
from lib_lora.hosts.use import note_use
from lib_lora.hosts.wraps import Wraps
from lib_lora.hosts.xyz import Axes
from lib_lora.library.library import Library
from lib_lora.stack import infotext

TITLE = "LoRA Stack"
REPORT_KEY = f"{TITLE} report"


def strengths(path: Path) -> dict[str, Any]:
    """Return how strongly a file changes each block. Raises FileError."""
    from lib_lora.inspection.values import check_values  # reads all numbers: needed by one page only

    return check_values(path)


class Door:
    """Everything between the WebUI's hooks and the house."""

    def __init__(self) -> None:
        self._wraps = Wraps()
        self._reports = Reports()
        self._generation = 0
        self._library: Library | None = None
        self._library_lock = threading.Lock()
        self._checkpoint = LoadedCheckpoint()
        self._lifecycle = Lifecycle(self._view_of, options.mode, self._reports, self._signs_of)
        self._axes = Axes(TITLE, self.library, options.presets)
        self._takeover = Takeover(self._sort_tags, self._tags_changed)

    # Called by the host's callbacks

    def install(self) -> None:
        """Put our wraps on the host's processing; safe to call again."""
        from modules import processing

        base = processing.StableDiffusionProcessing
        text_to_image = processing.StableDiffusionProcessingTxt2Img
        image_to_image = processing.StableDiffusionProcessingImg2Img
        around, sample = self._lifecycle.around, self._lifecycle.around_sample
        for owner in (base, text_to_image, image_to_image):
            self._wraps.place(owner, "setup_conds", around)
            self._wraps.place(owner, "calculate_hr_conds", self._lifecycle.around_hires)
            self._wraps.place(owner, "sample_hr_pass", self._lifecycle.around_hires)
            self._wraps.place(owner, "get_conds_with_caching", self._lifecycle.around_texts)
            self._wraps.place(owner, "sample", sample)
            self._wraps.place(owner, "cached_params", self._lifecycle.cached_params)
            self._wraps.place(owner, "close", self._lifecycle.closing)

    def before_ui(self) -> None:
        """Add our axes to the plot script, which is loaded by now and builds its controls next."""
        self._axes.add()

    def uninstall(self) -> None:
        """Give the host its methods and its model back."""
        self._wraps.remove()
        self._takeover.remove()
        self._lifecycle.detach()

    def before_step(self, params: Any) -> None:
        """Look after the stack before every step; older hosts do not say whose step it is."""
        p = getattr(getattr(params, "denoiser", None), "p", None)
        self._lifecycle.before_step(p, moment_of(params), params)

    def model_loaded(self, _sd_model: Any) -> None:
        """Forget what was computed from the weights that have just been replaced."""
        self._generation += 1
        self._lifecycle.forget_model()

    def add_routes(self, demo: Any, app: Any) -> None:
        """Serve the page's questions: which files there are, what a role means, what was applied."""
        from fastapi import Depends

        from lib_lora.hosts.answers import answer_errors
        from lib_lora.hosts.interference import interference_of
        from lib_lora.ui.compat import user_of
        from lib_lora.ui.fits import Fits
        from lib_lora.ui.guards import require_known_host, require_login, require_same_origin
        from lib_lora.ui.interference import add_interference_route
        from lib_lora.ui.mask_routes import add_mask_routes
        from lib_lora.ui.panel_routes import add_panel_routes
        from lib_lora.ui.ports import LibraryPorts
        from lib_lora.ui.routes import add_routes

        answer_errors(app)
        asked = user_of(app)
        login = require_login(asked, options.passwords(), page=demo is not None)
        known = require_known_host(options.own_names, login=asked is not None)
        guard = [Depends(login), Depends(require_same_origin), Depends(known)]
        fits = Fits(lambda: self._checkpoint.target(self._generation))
        ports = LibraryPorts(self.library, self._shelf, self._architecture, strengths)
        own = options.block_presets, options.block_preset_problems
        add_routes(app, self.library, self._reports, guard, fits.of, ports, *own)
        add_panel_routes(app, options.presets, guard)
        add_interference_route(app, lambda text: interference_of(text, self.library()), guard)
        add_mask_routes(app, options.mask_store, guard)

    def build_tabs(self) -> list[tuple[Any, str, str]]:
        """Return the tabs of our own: the Library."""
        from lib_lora.ui.tab import build_tab

        return build_tab()

    # Called by the script

    def build_ui(self, script: Any, is_img2img: bool) -> list[Any]:
        """Build the panel of one tab and return the two arguments of the script: enabled, stack."""
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
        script.paste_field_names = [infotext.KEY]
        return [panel.enabled, panel.stack]

    def process(self, p: Any, args: tuple[Any, ...]) -> None:
        """Keep what the panel asks for on `p`; what is wrong too, to be raised where the user sees it."""
        setattr(p, REPORT_ATTRIBUTE, None)
        sources.take_panel(p, args, self.library, options.mask_store)
        self.share_hashes(p)
        self._takeover.ensure()

    def build_legacy_ui(self, script: Any) -> list[Any]:
        """Return the hidden arguments of AddNet's script."""
        return legacy_script.build_ui(script)

    def process_legacy(self, p: Any, args: tuple[Any, ...]) -> None:
        """Keep what AddNet's arguments ask for, beside the panel's."""
        sources.take_legacy(p, args, legacy_script.slots(), self.library, options.mask_store)
        self.share_hashes(p)

    def tell(self, p: Any, processed: Any) -> None:
        """Put the report into the answer's `info`; the picture's own text keeps the stack only."""
        report = getattr(p, REPORT_ATTRIBUTE, None)
        if report is not None:
            processed.extra_generation_params = {
                **processed.extra_generation_params,
                REPORT_KEY: report.to_json(),
            }
            note_use(request_of(p), self.library)

    def share_hashes(self, p: Any) -> None:
        """Name our files in the host's `Lora hashes`, by which picture sites recognise them."""
        if options.writes_hashes():
            share_hashes(p, request_of(p))

    # Our own parts

    def library(self) -> Library:
        """Return the library over the folders configured now, scanned once when first asked for."""
        library = self._shelf()
        library.look(options.folders())
        return library

    def _shelf(self) -> Library:
        """Return the library as it is, perhaps in the middle of a scan."""
        with self._library_lock:
            if self._library is None:
                self._library = Library(options.folders(), data=options.data_folder())
            return self._library

    def _architecture(self) -> str:
        target = self._checkpoint.target(self._generation)
        return target.name if target else ""

    def _sort_tags(self, p: Any, tags: list[Any]) -> Sorted:
        """Sort the tags of a prompt into ours and the host's; all are the host's where we cannot serve."""
        if tags and options.takes_over():
            try:
                view = self._view_of(p)
            except LoraStackError:
                return Sorted(None, tuple(tags))
            return sort_tags(p, tags, view, self.library(), self._lifecycle.problem_of)
        return Sorted(None, tuple(tags))

    def _tags_changed(self, p: Any) -> None:
        self._lifecycle.changed(p)
        self.share_hashes(p)

    def _signs_of(self, p: Any) -> Signs:
        return Signs(models.model_key(p.sd_model, self._generation), models.builtin_networks(p.sd_model))

    def _view_of(self, p: Any) -> ModelView:
        return models.view_of_model(p.sd_model, self._generation)
