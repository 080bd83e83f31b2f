"""Noticing that a host's parameter is not the one we merged from any more, without copying or reading it."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from torch import Tensor

Marks = tuple[Callable[[], "Tensor | None"], int, "int | None"]
"""A reference to a parameter, its place, and its version where it counts any."""


class Fingerprint:
    """Identity, place and version of a parameter; holds no strong reference to it.

    An in-place write raises the version, moving or swapping the data changes the place. Tensors born in
    inference mode count no versions: `tracked` is False for them, and they must be read again whenever
    others had the model.
    """

    __slots__ = ("_place", "_reference", "_version", "tracked")

    def __init__(self, tensor: Tensor) -> None:
        self._reference = weakref.ref(tensor)
        self._place = tensor.data_ptr()
        self.tracked = not tensor.is_inference()
        self._version = tensor._version if self.tracked else -1

    @property
    def marks(self) -> Marks:
        """What `still` looks at, for who asks it of many parameters at every step."""
        return self._reference, self._place, self._version if self.tracked else None

    def unwritten(self, tensor: Tensor | None) -> bool:
        """Tell the same wherever the parameter lies now: hosts move weights in and out of a card's memory."""
        return (
            tensor is not None
            and self._reference() is tensor
            and (not self.tracked or self._version == tensor._version)
        )

    def still(self, tensor: Tensor | None) -> bool:
        """Tell whether `tensor` is the parameter seen before, where it was and not written since."""
        return tensor is not None and self._place == tensor.data_ptr() and self.unwritten(tensor)
