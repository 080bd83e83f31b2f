"""Wraps around methods of host classes: put on once, taken off cleanly, never doubled by Reload UI.

On the class and not on the object, because hosts and other extensions copy processing objects: a wrap on
the object would go on acting for the original.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

Around = Callable[[Any, Callable[[], Any]], Any]

_SLOTS = "_lora_stack_wraps"


class _Slot:
    """One wrapped method: what it was, what stands there now, and who acts around it."""

    def __init__(self, original: Callable[..., Any], around: Around) -> None:
        self.original = original
        self.around: Around | None = around

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            call = functools.partial(original, *args, **kwargs)
            return call() if self.around is None else self.around(args[0] if args else None, call)

        self.wrapper = wrapper


class Wraps:
    """All wraps of one door; `remove()` gives the host its own methods back."""

    def __init__(self) -> None:
        self._placed: list[tuple[type | ModuleType, str]] = []

    def place(self, owner: type | ModuleType, name: str, around: Around) -> None:
        """Let `around(processing, call)` decide how the method, or function, `name` of `owner` runs.

        Does nothing where `owner` only inherits the method. If a wrap of ours is still there, under one that
        another extension put on top, it changes hands instead of being doubled.
        """
        if name not in owner.__dict__:
            return
        slots: dict[str, _Slot] = owner.__dict__.get(_SLOTS) or {}
        slot = slots.get(name)
        if slot is None:
            slot = slots[name] = _Slot(owner.__dict__[name], around)
            setattr(owner, name, slot.wrapper)
        else:
            slot.around = around
        setattr(owner, _SLOTS, slots)
        self._placed.append((owner, name))

    def remove(self) -> None:
        """Take every wrap off; one that somebody wrapped again stays in place and only calls through."""
        for owner, name in reversed(self._placed):
            slots: dict[str, _Slot] = owner.__dict__.get(_SLOTS) or {}
            slot = slots.get(name)
            if slot is None:
                continue
            slot.around = None
            if owner.__dict__.get(name) is slot.wrapper:
                setattr(owner, name, slot.original)
                del slots[name]
            if not slots and _SLOTS in owner.__dict__:
                delattr(owner, _SLOTS)
        self._placed.clear()
