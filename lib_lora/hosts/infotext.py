"""Our part of a picture's parameters: read back into the panel, and our files among the host's hashes.

AddNet's keys are read here as well, so that they fill the panel by a paste and by the API's `infotext` alike:
for the API the host does not call its paste callback.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lib_lora.errors import StackError
from lib_lora.stack import infotext, legacy
from lib_lora.stack.serialization import decode, encode

Params = Mapping[str, Any]


def paste_fields(
    enabled: Any, stack: Any, with_legacy: bool = True
) -> list[tuple[Any, Callable[[Params], Any]]]:
    """Return the host's (component, reader) pairs for the script's two arguments.

    A picture made without a stack switches the panel off and leaves its rows alone. `with_legacy` reads
    AddNet's keys where there are none of ours; where AddNet is installed they are its own business.
    """

    def legacy_rows(params: Params) -> dict[str, object] | None:
        return legacy.read_keys(params) if with_legacy else None

    def read_enabled(params: Params) -> bool:
        if params.get(infotext.KEY):
            return True
        return legacy_rows(params) is not None and legacy.is_enabled(params)

    def read_stack(params: Params) -> str | None:
        text = params.get(infotext.KEY)
        if not text:
            document = legacy_rows(params)
            return None if document is None else _canonical(document)
        try:
            return encode(infotext.read(text))
        except StackError:
            # The panel shows what is wrong with a text that cannot be read; dropping it would be silent.
            return str(text)

    return [(enabled, read_enabled), (stack, read_stack)]


def _canonical(document: dict[str, object]) -> str:
    try:
        return encode(decode(document))
    except StackError:
        return json.dumps(document, ensure_ascii=False)


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
