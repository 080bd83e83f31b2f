"""`<lora:name:te:unet>` tags of a prompt, read and written as the WebUI's own Lora reads them.

`name` first; then text encoder, UNet, dyn by position or as te=, unet=, dyn=. One number counts for both.
An item with exactly one `=` is named, whatever stands before it (A1111 `extra_networks.ExtraNetworkParams`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ..errors import EntryValueError
from .entry import DECIMALS, FIELDS, Entry, row_title, shown
from .stack import Stack

KINDS = ("lora", "lyco")
DYN = "dyn"  # extra field of a row: how many ranks of a DyLoRA
REST = "tag"  # extra field of a row: items of the tag that nobody knows, as they came
_TAG = re.compile(r"<(\w+):([^>]+)>")


def read_tags(prompt: str) -> tuple[str, tuple[Entry, ...]]:
    """Return the prompt without its lora tags, and a row for each; other tags stay.

    Raises EntryValueError naming the tag.
    """
    entries: list[Entry] = []

    def take(match: re.Match[str]) -> str:
        if match[1] not in KINDS:
            return match[0]
        entries.append(_read_tag(match[0], match[2]))
        return ""

    return _TAG.sub(take, prompt), tuple(entries)


def read_tag(items: Sequence[str]) -> Entry:
    """Return the row of one tag, given what stands between its colons; raises EntryValueError."""
    content = ":".join(items)
    return _read_tag(f"<{KINDS[0]}:{content}>", content)


def not_understood(entry: Entry) -> tuple[str, ...]:
    """Return what a tag's row says that this version cannot act on, in the tag's own words."""
    words = {"blocks": "lbw"}
    found = [
        words.get(known.name, known.name)
        for known in FIELDS
        if not known.acts and getattr(entry, known.name) != known.default
    ]
    rest = dict(entry.extra).get(REST, ())
    return (*found, *(str(item) for item in rest)) if isinstance(rest, tuple) else tuple(found)


def write_tags(stack: Stack, name_of: Callable[[Entry], str] = lambda entry: entry.network) -> str:
    """Return one tag for every row that is on, in order, separated by spaces.

    Raises EntryValueError where a tag cannot say it: a name with `:`, `>` or a single `=`, or a region, a
    schedule and the like.
    """
    return " ".join(
        _write_tag(row_title(index, entry.network), name_of(entry), entry)
        for index, entry in enumerate(stack.entries)
        if entry.on
    )


def _read_tag(tag: str, content: str) -> Entry:
    positional: list[str] = []
    named: dict[str, str] = {}
    for item in content.split(":"):
        name, sign, value = item.partition("=")
        if sign and "=" not in value:
            named[name] = value
        else:
            positional.append(item)
    if not positional:
        raise EntryValueError(f"{tag[:80]} names no file. Write <lora:name:0.8>.")
    te = _weight(tag, "te", named.pop("te", positional[1] if len(positional) > 1 else "1"))
    unet_text = named.pop("unet", positional[2] if len(positional) > 2 else None)
    unet = te if unet_text is None else _weight(tag, "unet", unet_text)
    dyn = named.pop(DYN, positional[3] if len(positional) > 3 else None)
    start, stop, blocks = (named.pop(name, "") for name in ("start", "stop", "lbw"))
    rest = (*positional[4:], *(f"{name}={value}" for name, value in named.items()))
    extra: dict[str, object] = ({} if dyn is None else {DYN: _ranks(tag, dyn)}) | (
        {REST: rest} if rest else {}
    )
    try:
        return Entry(
            network=positional[0],
            weight=unet,
            te=None if te == unet else te,
            start=start,
            stop=stop,
            blocks=blocks,
            extra=tuple(extra.items()),
        )
    except EntryValueError as error:
        raise EntryValueError(f"{tag[:80]}: {error}") from None


def _weight(tag: str, part: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise EntryValueError(
            f"{tag[:80]}: {part} must be a number such as 0.8, not {shown(text)}. "
            "Weights that change over the steps go into the row's schedule."
        ) from None


def _ranks(tag: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise EntryValueError(f"{tag[:80]}: dyn must be a whole number, not {shown(text)}.") from None


def _write_tag(title: str, name: str, entry: Entry) -> str:
    for known in FIELDS:
        if not known.acts and getattr(entry, known.name) != known.default:
            raise EntryValueError(
                f"{title}: a prompt tag cannot say '{known.name}'. Keep the row in the panel."
            )
    te, unet = _shortest(entry.te_weight), _shortest(entry.unet_weight)
    extra = dict(entry.extra)
    rest = extra.get(REST)
    items = ["lora", name, te]
    items += [unet] if unet != te or DYN in extra else []
    items += [f"{DYN}={extra[DYN]}"] if DYN in extra else []
    if ":" in entry.blocks or ";" in entry.blocks:
        raise EntryValueError(
            f"{title}: a prompt tag cannot say the rules in 'blocks'. Keep the row in the panel."
        )
    items += [f"lbw={entry.blocks}"] if entry.blocks else []
    items += [str(item) for item in rest] if isinstance(rest, tuple) else []
    if name.count("=") == 1 or any(sign in item for item in items for sign in ":>"):
        raise EntryValueError(
            f"{title}: a prompt tag cannot carry a name with ':', '>' or '='. "
            "Rename the file, or keep the row in the panel."
        )
    return f"<{':'.join(items)}>"


def _shortest(weight: float) -> str:
    return f"{weight:.{DECIMALS}f}".rstrip("0").rstrip(".")
