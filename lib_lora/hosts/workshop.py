"""What a picture or a question of the page needs, made when the first of them comes.

A WebUI's start waits for whatever its extensions import: the engine, the library and the routes of the page
take longer than all that a start needs, and nothing of them is asked for before it is over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib_lora.engine.view import ModelView
from lib_lora.errors import LoraStackError
from lib_lora.hosts import legacy_script, models, options, sources
from lib_lora.hosts.checkpoint import LoadedCheckpoint
from lib_lora.hosts.infotext import share_hashes
from lib_lora.hosts.lifecycle import Lifecycle, Signs
from lib_lora.hosts.moments import moment_of
from lib_lora.hosts.reports import Reports
from lib_lora.hosts.request import request_of
from lib_lora.hosts.tags import Sorted, sort_tags
from lib_lora.hosts.takeover import Takeover
from lib_lora.hosts.telling import REPORT_ATTRIBUTE
from lib_lora.hosts.use import note_use
from lib_lora.library.library import Library

REPORT_KEY = "LoRA Stack report"


class Workshop:
    """The library, the session on the model and the reports of one door.

    generation: counts the loads of checkpoints, which the door hears of.
    """

    def __init__(self, generation: Callable[[], int]) -> None:
        self._generation = generation
        self._reports = Reports()
        self._library: Library | None = None
        self._library_lock = threading.Lock()
        self._checkpoint = LoadedCheckpoint()
        self._takeover = Takeover(self._sort_tags, self._tags_changed)
        self.lifecycle = Lifecycle(self._view_of, options.mode, self._reports, self._signs_of)

    def remove(self) -> None:
        """Give the host its model and its tags back."""
        self._takeover.remove()
        self.lifecycle.detach()

    def before_step(self, params: Any) -> None:
        """Look after the stack before every step; older hosts do not say whose step it is."""
        p = getattr(getattr(params, "denoiser", None), "p", None) or self.lifecycle.running
        self.lifecycle.before_step(p, lambda noise: moment_of(params, p, noise), params)

    def process(self, p: Any, args: tuple[Any, ...]) -> None:
        """Keep what the panel asks for on `p`; what is wrong too, to be raised where the user sees it."""
        setattr(p, REPORT_ATTRIBUTE, None)
        sources.take_panel(p, args, self.library, options.mask_store)
        self.share_hashes(p)
        self._takeover.ensure()

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

    def library(self) -> Library:
        """Return the library over the folders configured now, scanned once when first asked for."""
        library = self._shelf()
        library.look(options.folders(), options.absent_folders())
        return library

    def add_routes(
        self, app: Any, user_of: Callable[[Any], Any] | None, closing: Callable[[], bool] | None
    ) -> None:
        """Answer the page's questions on `app`: which files there are, what was applied.

        user_of: who tells whose request it is, None without a login. closing: whether the page's server is
        about to end, None where there is no page beside the API.
        """
        from fastapi import Depends

        from lib_lora.hosts.interference import interference_of
        from lib_lora.ui.fits import Fits
        from lib_lora.ui.guards import require_known_host, require_login, require_same_origin
        from lib_lora.ui.interference import add_interference_route
        from lib_lora.ui.mask_routes import add_mask_routes
        from lib_lora.ui.panel_routes import add_panel_routes
        from lib_lora.ui.ports import LibraryPorts
        from lib_lora.ui.routes import add_routes

        login = require_login(user_of, options.passwords(), page=closing is not None)
        known = require_known_host(options.own_names, login=user_of is not None)
        guard = [Depends(login), Depends(require_same_origin), Depends(known)]
        fits = Fits(lambda: self._checkpoint.target(self._generation()))
        ports = LibraryPorts(
            self.library, self._shelf, self._architecture, _strengths, closing or (lambda: False)
        )
        own = options.block_presets, options.block_preset_problems
        add_routes(app, self.library, self._reports, guard, fits.of, ports, *own)
        add_panel_routes(app, options.presets, guard, lambda network: self.library().tag_name(network))
        add_interference_route(app, lambda text: interference_of(text, self.library()), guard)
        add_mask_routes(app, options.mask_store, guard)

    def _shelf(self) -> Library:
        """Return the library as it is, perhaps in the middle of a scan."""
        with self._library_lock:
            if self._library is None:
                self._library = Library(options.folders(), data=options.data_folder())
            return self._library

    def _architecture(self) -> str:
        target = self._checkpoint.target(self._generation())
        return target.name if target else ""

    def _sort_tags(self, p: Any, tags: list[Any]) -> Sorted:
        """Sort the tags of a prompt into ours and the host's; all are the host's where we cannot serve."""
        if tags and options.takes_over():
            try:
                view = self._view_of(p)
            except LoraStackError:
                return Sorted(None, tuple(tags))
            return sort_tags(p, tags, view, self.library(), self.lifecycle.problem_of)
        return Sorted(None, tuple(tags))

    def _tags_changed(self, p: Any) -> None:
        self.lifecycle.changed(p)
        self.share_hashes(p)

    def _signs_of(self, p: Any) -> Signs:
        return Signs(models.model_key(p.sd_model, self._generation()), models.builtin_networks(p.sd_model))

    def _view_of(self, p: Any) -> ModelView:
        return models.view_of_model(p.sd_model, self._generation())


def _strengths(path: Path) -> dict[str, Any]:
    """Return how strongly a file changes each block. Raises FileError."""
    from lib_lora.inspection.values import check_values  # reads all numbers: needed by one page only

    return check_values(path)
