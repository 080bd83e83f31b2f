"""Our part of the picture's parameters: written by `Door.process`, read back into the panel here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lib_lora.errors import StackError
from lib_lora.stack import infotext
from lib_lora.stack.serialization import encode


def paste_fields(enabled: Any, stack: Any) -> list[tuple[Any, Callable[[Mapping[str, Any]], Any]]]:
    """Return the host's (component, reader) pairs for the script's two arguments.

    A picture made without a stack switches the panel off and leaves its rows alone.
    """
    return [(enabled, _read_enabled), (stack, _read_stack)]


def _read_enabled(params: Mapping[str, Any]) -> bool:
    return bool(params.get(infotext.KEY))


def _read_stack(params: Mapping[str, Any]) -> str | None:
    text = params.get(infotext.KEY)
    if not text:
        return None
    try:
        return encode(infotext.read(text))
    except StackError:
        # The panel shows what is wrong with a text that cannot be read; dropping it would lose it silently.
        return str(text)


def merge_hashes(present: str | None, named: Iterable[tuple[str, str]]) -> str:
    """Add `name: hash` pairs to the host's `Lora hashes`, each name once, in the host's own spelling."""
    pairs: dict[str, str] = {}
    for part in (present or "").split(","):
        name, colon, value = part.partition(":")
        if colon:
            pairs[name.strip()] = value.strip()
    for name, value in named:
        # The host's reader splits at colon and comma, so they cannot be part of a name.
        pairs.setdefault(name.replace(":", "").replace(",", ""), value)
    return ", ".join(f"{name}: {value}" for name, value in pairs.items())
