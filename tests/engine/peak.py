"""How much memory is alive at once while something is computed."""

from __future__ import annotations

import weakref
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten


class Peak(TorchDispatchMode):
    """Bytes of tensors made inside and alive at the same time; what stands in `known` does not count."""

    def __init__(self, known: tuple[Tensor, ...]) -> None:
        super().__init__()
        self.known = {tensor.untyped_storage().data_ptr() for tensor in known}
        self.alive: dict[int, tuple[int, list[weakref.ref[Tensor]]]] = {}
        self.bytes = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for tensor in tree_flatten(result)[0]:
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                if storage.data_ptr() not in self.known:
                    _, found = self.alive.setdefault(storage.data_ptr(), (storage.nbytes(), []))
                    found.append(weakref.ref(tensor))
        self.alive = {
            place: (size, found)
            for place, (size, found) in self.alive.items()
            if any(ref() is not None for ref in found)
        }
        self.bytes = max(self.bytes, sum(size for size, _ in self.alive.values()))
        return result


def tensors_in(value: Any) -> list[Tensor]:
    """Every tensor an adapter holds."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, tuple):
        return [tensor for item in value for tensor in tensors_in(item)]
    if is_dataclass(value):
        return [tensor for field in fields(value) for tensor in tensors_in(getattr(value, field.name))]
    return []
