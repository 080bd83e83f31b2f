"""The checkpoint that is loaded, as something that files can be compared with; it never loads one."""

from __future__ import annotations

from typing import Any

from lib_lora.errors import ModelUnavailableError
from lib_lora.hosts import models
from lib_lora.keys import find_architecture
from lib_lora.keys.targets import LoadedTarget


class LoadedCheckpoint:
    """Looks at the host's checkpoint anew when it is another one."""

    def __init__(self) -> None:
        self._key: object = None
        self._target: LoadedTarget | None = None

    def target(self, generation: int) -> LoadedTarget | None:
        """Return the loaded checkpoint, the same object while it stays; None for none, or an unknown kind."""
        model = _loaded()
        try:
            key = None if model is None else models.model_key(model, generation)
        except AttributeError:
            key = None  # the host's stand-in until something is loaded
        if key != self._key:
            self._key, self._target = key, None if key is None else _target_of(model, generation)
        return self._target


def _loaded() -> Any:
    """Return the model that is in memory; `shared.sd_model` would load one."""
    from modules import sd_models

    return getattr(getattr(sd_models, "model_data", None), "sd_model", None)


def _target_of(model: Any, generation: int) -> LoadedTarget | None:
    try:
        view = models.view_of_model(model, generation)
    except (ModelUnavailableError, AttributeError):
        return None
    known = find_architecture(view.architecture)
    return LoadedTarget(known.name, known.label, known, sizes=view.shapes)
