"""Which side of the prompt each row of a UNet call is of, and how large the whole latent is.

The Forge family says it with every call (`cond_or_uncond`, a number for each part of the batch). A1111 lays
all rows out before a step, those of the prompt first, and hands them to the UNet in that order, whole or in
pieces: so the rows handed over since are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib_lora.stack.side import NEGATIVE, POSITIVE


class Rows:
    """Told of every step by `expect`; called at every call of the UNet."""

    def __init__(self) -> None:
        self._expected: tuple[str, ...] | None = None
        self._done = 0
        self._size: tuple[int, int] | None = None

    def expect(self, params: Any) -> None:
        """Take the layout of the step that begins (`CFGDenoiserParams`); None where it is not known yet."""
        self._done = 0
        shape = tuple(getattr(getattr(params, "x", None), "shape", ()))
        self._size = (int(shape[-2]), int(shape[-1])) if len(shape) == 4 else None
        positive, rows = _length(getattr(params, "text_cond", None)), _length(getattr(params, "x", None))
        known = positive is not None and rows is not None and rows >= positive
        self._expected = (POSITIVE,) * positive + (NEGATIVE,) * (rows - positive) if known else None  # type: ignore[operator]

    def size_of(self) -> tuple[int, int] | None:
        """Return height and width of the latent being sampled; other extensions have it drawn in pieces."""
        return self._size

    def sides_of(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Sequence[str] | None:
        """Return the side of each row of a call, None where nobody tells."""
        count = _length(args[0] if args else kwargs.get("x"))
        if count is None:
            return None
        options = kwargs.get("transformer_options")
        marks = options.get("cond_or_uncond") if isinstance(options, Mapping) else None
        if marks:
            each = count // len(marks)
            return [NEGATIVE if mark else POSITIVE for mark in marks for _ in range(each)]
        if self._expected is None:
            return None
        start, self._done = self._done, self._done + count
        return self._expected[start : self._done] if self._done <= len(self._expected) else None


def _length(value: Any) -> int | None:
    """Return how many rows a tensor has, or a table of tensors as SDXL's texts are."""
    if isinstance(value, Mapping):
        value = value.get("crossattn")
    shape = getattr(value, "shape", None)
    return int(shape[0]) if shape is not None and len(shape) else None


def side_of_texts(call: Any) -> str:
    """Return which side a call of `get_conds_with_caching` encodes: the host marks negative prompts."""
    given = (*getattr(call, "args", ()), *getattr(call, "keywords", {}).values())
    return NEGATIVE if any(getattr(value, "is_negative_prompt", False) for value in given) else POSITIVE
