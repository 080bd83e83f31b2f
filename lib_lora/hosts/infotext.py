"""Our part of a picture's parameters: read back into the panel, and our files among the host's hashes.

AddNet's keys are read here as well, so that they fill the panel by a paste and by the API's `infotext` alike:
for the API the host does not call its paste callback.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lib_lora.errors import StackError
from lib_lora.stack.names import KEY

if TYPE_CHECKING:
    from lib_lora.hosts.request import Request

Params = Mapping[str, Any]
HASHES = "Lora hashes"
OWN_HASHES = "lora_stack_hashes"
SENT = (f"{KEY} enabled", KEY)
"""Names of the two arguments, by which the host's 'Send to img2img' takes them along."""


class Reader(str):
    """Reads a value out of pasted parameters when called; as text it is the name of the argument.

    The host copies fields from tab to tab by their names, which readers are for it.
    """

    read: Callable[[Params], Any]

    def __new__(cls, name: str, read: Callable[[Params], Any]) -> Reader:
        """Give a reader its name."""
        made = super().__new__(cls, name)
        made.read = read
        return made

    def __call__(self, params: Params) -> Any:
        """Return the value, None where the parameters have none."""
        return self.read(params)


def paste_fields(
    enabled: Any, stack: Any, with_legacy: bool = True
) -> list[tuple[Any, Callable[[Params], Any]]]:
    """Return the host's (component, reader) pairs for the script's two arguments.

    A picture made without a stack switches the panel off and leaves its rows alone. `with_legacy` reads
    AddNet's keys where there are none of ours; where AddNet is installed they are its own business.
    """

    def legacy_rows(params: Params) -> dict[str, object] | None:
        from lib_lora.stack import legacy  # here and below: nothing is pasted while a WebUI starts

        return legacy.read_keys(params) if with_legacy else None

    def read_enabled(params: Params) -> bool:
        from lib_lora.stack import legacy

        if params.get(KEY):
            return True
        return legacy_rows(params) is not None and legacy.is_enabled(params)

    def read_stack(params: Params) -> str | None:
        from lib_lora.stack import infotext
        from lib_lora.stack.serialization import encode

        text = params.get(KEY)
        if not text:
            document = legacy_rows(params)
            return None if document is None else _canonical(document)
        try:
            return encode(infotext.read(text))
        except StackError:
            # The panel shows what is wrong with a text that cannot be read; dropping it would be silent.
            return str(text)

    readers = (Reader(name, read) for name, read in zip(SENT, (read_enabled, read_stack), strict=True))
    return list(zip((enabled, stack), readers, strict=True))


def _canonical(document: dict[str, object]) -> str:
    from lib_lora.stack.serialization import decode, encode

    try:
        return encode(decode(document))
    except StackError:
        return json.dumps(document, ensure_ascii=False)


def share_hashes(p: Any, request: Request | None) -> None:
    """Name a request's files in the host's `Lora hashes`, beside what the built-in Lora wrote there.

    Hires prompts add theirs to the first pass'; the next batch begins anew, as the built-in does.
    """
    params = p.extra_generation_params
    own: dict[str, str] = dict(getattr(p, OWN_HASHES, {})) if getattr(p, "is_hr_pass", False) else {}
    present = _without_ours(params.get(HASHES), getattr(p, OWN_HASHES, {}))
    if request is not None and request.failure is None:
        entries = request.stack.active()
        own |= {
            _plain(name): entry.hash for name, entry in zip(request.names, entries, strict=True) if entry.hash
        }
    setattr(p, OWN_HASHES, own)
    if text := merge_hashes(present, own.items()):
        params[HASHES] = text
    else:
        params.pop(HASHES, None)


def _without_ours(present: str | None, ours: Mapping[str, str]) -> str:
    pairs = [part.strip() for part in (present or "").split(",")]
    return ", ".join(
        pair for pair in pairs if pair not in {f"{name}: {value}" for name, value in ours.items()}
    )


def _plain(name: str) -> str:
    """Return a name without the signs at which the host's reader splits, nor spaces that it takes off."""
    return name.replace(":", "").replace(",", "").strip()


def merge_hashes(present: str | None, named: Iterable[tuple[str, str]]) -> str:
    """Add `name: hash` pairs to the host's `Lora hashes`, each name once, in the host's own spelling."""
    pairs: dict[str, str] = {}
    for part in (present or "").split(","):
        name, colon, value = part.partition(":")
        if colon:
            pairs[name.strip()] = value.strip()
    for name, value in named:
        pairs.setdefault(_plain(name), value)
    return ", ".join(f"{name}: {value}" for name, value in pairs.items())
