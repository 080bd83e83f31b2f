"""How AddNet's script looks from outside: its title, the layout of its arguments, its key for the host."""

from __future__ import annotations

TITLE = "Additional networks for generating"
SLOTS = 5  # AddNet's default, and what API callers count on
MODULE = "LoRA"
REFRESH = "Refresh models"  # label and value of AddNet's last argument, a button
MODULE_KEY = "AddNet Module 1"
"""While some script pastes this key, the built-in Lora leaves AddNet's keys alone instead of making tags."""


def default_arguments(slots: int = SLOTS) -> tuple[object, ...]:
    """Return the arguments of AddNet 0.5 and later as its page had them: 24 for five slots."""
    return (False, False, *(MODULE, "None", 1.0, 1.0) * slots, None, REFRESH)
