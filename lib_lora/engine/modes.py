"""The names of the ways to apply a stack, for whoever chooses one; see `budget.py` for what they mean."""

from __future__ import annotations

AUTO, MERGED, LEAST_MEMORY, BYPASS = "auto", "merged", "least memory", "bypass"
MODES = (AUTO, MERGED, LEAST_MEMORY, BYPASS)
