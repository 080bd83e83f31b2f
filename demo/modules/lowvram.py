"""Moving parts of the model to save memory: never done here; the names are here because others ask."""

from __future__ import annotations


def is_enabled(sd_model) -> bool:
    return bool(getattr(sd_model, "lowvram", False))


def is_needed(sd_model) -> bool:
    return False
