"""What programs outside know the stack by."""

from __future__ import annotations

TITLE = "LoRA Stack"
"""Of the script, by which API callers name it."""
KEY = "LoRA Stack"
"""In a picture's parameters; its value is the stack text."""
