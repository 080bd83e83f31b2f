"""Noting which files a picture was made with, for the list of recent ones."""

from __future__ import annotations

import logging
from collections.abc import Callable

from lib_lora.errors import LoraStackError
from lib_lora.hosts.request import Request
from lib_lora.library.library import Library


def note_use(request: Request | None, library: Callable[[], Library]) -> None:
    """Note the files of a request that was drawn; a picture is never lost because that cannot be kept."""
    if request is None or request.failure is not None or not request.files:
        return
    weights = [entry.weight for entry in request.stack.active()]
    try:
        library().use(
            request.files, weights if len(weights) == len(request.files) else [None] * len(request.files)
        )
    except LoraStackError as error:
        logging.getLogger(__name__).warning("LoRA Stack: %s", error)
