"""A stack out of whatever text somebody has: our own, a picture's parameters of any age, a prompt with tags.

{"version": 1, "entries": [...]}            the stack text, or a list of rows
a girl … LoRA Stack: "{\\"version\\": …}"     a picture made with this extension
… AddNet Model 1: ghibli(c97665df9b71)      one made with Additional Networks
a girl <lora:ghibli:0.8> … Lora hashes: …   one made with the WebUI's own Lora, or a prompt alone
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from ..errors import EntryValueError, StackSyntaxError
from . import infotext, legacy
from .entry import Entry
from .prompt import read_tags
from .serialization import decode, encode
from .stack import Stack

_OURS = re.compile(rf"(?:^|[,\n])\s*{infotext.KEY}:\s*")
_PARAMETER = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_NEGATIVE = "Negative prompt:"
_HASHES = "Lora hashes"
FEWEST = 3  # parameters in a line before it counts as parameters and not as prompt, as in the WebUI


def read_text(text: str) -> str:
    """Return the stack text that is in a text of any kind.

    A row of our own that cannot be read stays as it is, for the panel to show what is wrong with it. Raises
    StackSyntaxError where there is no stack, StackVersionError, and EntryValueError naming a tag.
    """
    found = text.strip().lstrip("\ufeff").strip()
    if found[:1] in ("{", "["):
        return _kept(found)
    if found[:1] == '"':
        return _unquoted(found)
    if match := _OURS.search(found):
        return _value_at(found, match.end())
    prompt, params = read_parameters(found)
    if (document := legacy.read_keys(params)) is not None:
        return _kept(json.dumps(document, ensure_ascii=False))
    _, entries = read_tags(prompt)
    if not entries:
        raise StackSyntaxError(
            "There is no stack in it: neither rows of LoRA Stack, nor parameters of a picture made with "
            "LoRAs, nor <lora:…> tags."
        )
    return encode(Stack(with_hashes(entries, params)))


def read_parameters(text: str) -> tuple[str, dict[str, str]]:
    """Return the prompt and the `key: value` pairs of a picture's parameters; a prompt alone has none."""
    *lines, last = text.strip().split("\n")
    found = _PARAMETER.findall(last)
    if len(found) < FEWEST:
        lines, found = [*lines, last], []
    prompt = "\n".join(lines).partition(_NEGATIVE)[0].strip()
    return prompt, {key.strip(): _plain(value.strip()) for key, value in found}


def with_hashes(entries: tuple[Entry, ...], params: Mapping[str, str]) -> tuple[Entry, ...]:
    """Return the rows with what `Lora hashes` says of their names."""
    pairs = (part.rpartition(":") for part in params.get(_HASHES, "").split(","))
    known = {name.strip(): value.strip().lower() for name, _, value in pairs if name}
    found = []
    for entry in entries:
        digest = known.get(entry.network, "")
        usable = re.fullmatch(r"[0-9a-f]{8,64}", digest) is not None
        found.append(replace(entry, hash=digest[:12]) if usable and not entry.hash else entry)
    return tuple(found)


def _value_at(text: str, start: int) -> str:
    rest = text[start:]
    if rest[:1] == '"':
        return _unquoted(rest)
    try:
        _, end = json.JSONDecoder().raw_decode(rest)
    except (ValueError, RecursionError):
        end = len(rest)  # the stack text's own reader says what is wrong
    return _kept(rest[:end])


def _unquoted(text: str) -> str:
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except ValueError:
        raise StackSyntaxError(
            f"The value of '{infotext.KEY}' ends in the middle. Copy the parameters again, to the last quote."
        ) from None
    return _kept(str(value).strip())


def _kept(text: str) -> str:
    try:
        return encode(decode(text))
    except EntryValueError:
        return text


def _plain(value: str) -> str:
    if value[:1] != '"':
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value
