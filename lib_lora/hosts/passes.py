"""Which pass of a picture a processing object is in: base, hires, refiner or detailer."""

from __future__ import annotations

from typing import Any

from lib_lora.stack.passes import BASE, DETAILER, HIRES, REFINER

INNER = "_ad_inner"
"""What ADetailer sets on its objects."""


def is_inner(p: Any) -> bool:
    """Tell whether an object draws a part of another one's picture anew."""
    return bool(getattr(p, INNER, False))


def pass_of(p: Any, hires: bool = False) -> str:
    """Return the pass; `hires`: whether the second pass is prepared, before the object says so itself."""
    if is_inner(p):
        return DETAILER
    if _on_refiner(p):
        return REFINER
    return HIRES if hires or getattr(p, "is_hr_pass", False) else BASE


def _on_refiner(p: Any) -> bool:
    """Tell whether the refiner has taken over: no hook says so, but the checkpoint is it, not the first."""
    wanted = getattr(p, "refiner_checkpoint_info", None)
    if wanted is None:
        return False
    loaded = getattr(getattr(p, "sd_model", None), "sd_checkpoint_info", None)
    if loaded is None or getattr(loaded, "filename", None) != getattr(wanted, "filename", None):
        return False
    return getattr(loaded, "name_for_extra", "") != getattr(p, "sd_model_name", None)
