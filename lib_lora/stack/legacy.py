"""AddNet's spellings (sd-webui-additional-networks): its script arguments and its keys in a picture's text.

AddNet's weight A is the UNet's and B the text encoder's; `<lora:>` tags have them the other way round.
A slot without model, or with both weights 0, is off.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PureWindowsPath

from ..errors import EntryValueError
from .addnet import MODULE, REFRESH, SLOTS, TITLE, default_arguments
from .entry import Entry, shown
from .stack import VERSION

ENABLED_KEY = "AddNet Enabled"

_NO_MODEL = (None, "", "None")
_MODEL = re.compile(r"(.+?)\s*\((0[xX])?([0-9a-fA-F]{8,64})\)")
_MODEL_KEY = re.compile(r"AddNet Model (\d{1,4})")
_ABSOLUTE = re.compile(r"/|[A-Za-z]:[\\/]")
_SUFFIX = re.compile(r"\.(safetensors|ckpt|pt)$", re.IGNORECASE)


def read_arguments(args: Sequence[object], slots: int = SLOTS) -> tuple[Entry, ...]:
    """Return a row for every used slot; none when the first argument switches AddNet off.

    Three layouts are told apart: up to v0.3 `enabled, (module, model, weight)…`, v0.4 `enabled, separate,
    (module, model, UNet, text encoder)…`, later with a mask before the last. `separate` never acted. Missing
    arguments count as AddNet's defaults; the mask is `mask_argument`'s. Raises EntryValueError.
    """
    if not args or not _switch(args[0]):
        return ()
    if len(args) > 1 and isinstance(args[1], str):
        found = _early_slots(args)
    else:
        given = (*args, *default_arguments(slots)[len(args) :])
        found = [given[at : at + 4] for at in range(2, 2 + 4 * slots, 4)]
        mask_argument(args, slots)
    rows = (_row(number, *slot) for number, slot in enumerate(found, 1))
    return tuple(row for row in rows if row is not None)


def read_keys(params: Mapping[str, object]) -> dict[str, object] | None:
    """Return AddNet's keys as a document of the stack text, None where there are none.

    `AddNet Weight n` of v0.1 to v0.3 counts for both parts. A weight that is no number stays as it is,
    for `decode` to refuse it by name.
    """
    entries: list[dict[str, object]] = []
    numbers = (match[1] for key in params if (match := _MODEL_KEY.fullmatch(key)))
    for number in sorted(numbers, key=int):
        model = params[f"AddNet Model {number}"]
        if model in _NO_MODEL:
            continue
        both = params.get(f"AddNet Weight {number}")
        unet = _number(params.get(f"AddNet Weight A {number}", both))
        te = _number(params.get(f"AddNet Weight B {number}", both), unet)
        name, digest = split_model(str(model))
        entry: dict[str, object] = {"network": name, "weight": unet}
        entry |= {"hash": digest} if digest else {}
        entries.append(entry | ({"te": te} if te != unet else {}))
    return {"version": VERSION, "entries": entries} if entries else None


def is_enabled(params: Mapping[str, object]) -> bool:
    """Return whether the keys switch AddNet on; it wrote them only when it was, so only False is off."""
    return str(params.get(ENABLED_KEY, "True")).strip().lower() != "false"


def write_keys(entries: Iterable[Entry]) -> dict[str, object]:
    """Return the keys AddNet wrote for its slots, for tools that look for them; never a False."""
    keys: dict[str, object] = {ENABLED_KEY: "True"}
    for number, entry in enumerate(entries, 1):
        name = entry.network.rpartition("/")[2].replace(",", "_")
        keys[f"AddNet Module {number}"] = MODULE
        keys[f"AddNet Model {number}"] = f"{name}({entry.hash})" if entry.hash else name
        keys[f"AddNet Weight A {number}"] = entry.unet_weight
        keys[f"AddNet Weight B {number}"] = entry.te_weight
    return keys if len(keys) > 1 else {}


def split_model(text: str) -> tuple[str, str]:
    """Return name and hash of `Name(c97665df9b71)`; the hash is empty where there is none worth the name."""
    match = _MODEL.fullmatch(text.strip())
    name = match[1] if match else text.strip()
    if _ABSOLUTE.match(name):
        name = _SUFFIX.sub("", PureWindowsPath(name).name)
    # OneTrainer wrote hashes that begin with 0x: they are of nothing that can be recomputed.
    return name, match[3].lower() if match and not match[2] else ""


def _switch(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, int) and value in (0, 1):
        return value == 1
    raise EntryValueError(f"{TITLE}: the first argument switches it on: true or false, not {shown(value)}.")


def _early_slots(args: Sequence[object]) -> list[Sequence[object]]:
    """Return the slots of v0.1 to v0.3, each with one weight for both parts.

    The host fills the list up with defaults of the later layout, so reading ends where the pattern does.
    """
    found: list[Sequence[object]] = []
    for at in range(1, len(args), 3):
        slot = args[at : at + 3]
        if not isinstance(slot[0], str) or slot[0].strip().lower() != MODULE.lower():
            break
        module, model, weight = (*slot, "None", 1.0)[:3] if len(slot) < 2 else (*slot, 1.0)[:3]
        found.append((module, model, weight, weight))
    if not found:
        raise EntryValueError(
            f'{TITLE}: the second argument must be true, false or "{MODULE}", not {shown(args[1])}.'
        )
    return found


def mask_argument(args: Sequence[object], slots: int = SLOTS) -> object | None:
    """Return the mask image among the arguments, None where there is none.

    Raises EntryValueError where more slots stand in its place than there are.
    """
    at = 2 + 4 * slots
    if len(args) <= at or isinstance(args[1], str):
        return None
    mask = args[at]
    if isinstance(mask, str) and mask.strip().lower() == MODULE.lower():
        raise EntryValueError(
            f"{TITLE}: there are {slots} slots, and more were sent. Send a stack to 'LoRA Stack', which "
            "takes any number, or start the WebUI with --addnet-max-model-count."
        )
    empty = mask is None or (isinstance(mask, str) and mask in ("", REFRESH))
    return None if empty else mask


def _row(number: int, module: object, model: object, unet: object, te: object) -> Entry | None:
    if model in _NO_MODEL:
        return None
    title = f"{TITLE}, slot {number}"
    if not isinstance(model, str):
        raise EntryValueError(f'{title}: the model must be text like "name(c97665df9b71)".')
    title = f"{title} ({model[:80]})"
    if module is not None and str(module).strip().lower() != MODULE.lower():
        raise EntryValueError(f'{title}: the network module must be "{MODULE}", not {shown(module)}.')
    unet, te = (1.0 if weight is None else weight for weight in (unet, te))
    name, digest = split_model(model)
    try:
        entry = Entry(network=name, hash=digest, weight=unet, te=te)  # type: ignore[arg-type]
    except EntryValueError as error:
        raise EntryValueError(f"{title}: {error}") from None
    if entry.te == entry.weight:
        entry = replace(entry, te=None)
    return None if entry.unet_weight == entry.te_weight == 0 else entry


def _number(value: object, missing: object = 1) -> object:
    if value is None:
        return missing
    try:
        return float(str(value))
    except ValueError:
        return value
