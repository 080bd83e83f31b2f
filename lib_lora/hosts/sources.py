"""All the places a run can ask for LoRAs from, put together into its one request.

The panel, AddNet's arguments and the prompt's tags each keep their part on the processing object; whatever
changes a part makes the request anew. Parts are values, so that a copy of the object changes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from lib_lora.hosts import legacy_masks, xyz
from lib_lora.hosts.infotext import HASHES
from lib_lora.hosts.options import block_presets
from lib_lora.hosts.request import ATTRIBUTE, NO_PRESETS, Request, find_files, read_arguments
from lib_lora.library.library import Library
from lib_lora.library.masks import MaskPicture, MaskStore
from lib_lora.stack import infotext, legacy
from lib_lora.stack.entry import Entry
from lib_lora.stack.region import NOT, moved
from lib_lora.stack.serialization import decode
from lib_lora.stack.stack import Stack

PARTS_ATTRIBUTE = "lora_stack_parts"
SEEN_ATTRIBUTE = "lora_stack_seen"
SEEN_KEPT = 4  # two passes with their own tags, and something to spare

PANEL, LEGACY, TAGS = "panel", "legacy", "tags"
LibraryOf = Callable[[], Library]
StoreOf = Callable[[], "MaskStore | None"]


def no_store() -> None:
    """Where no masks are kept."""


@dataclass(frozen=True)
class Parts:
    """What each place asks for; None where it asks for nothing."""

    panel: Request | None = None
    legacy: Request | None = None
    tags: Request | None = None


def tab_of(p: Any) -> str:
    """Return which tab a processing object belongs to."""
    return "img2img" if hasattr(p, "init_images") else "txt2img"


def take_panel(p: Any, args: tuple[Any, ...], library: LibraryOf, store: StoreOf = no_store) -> None:
    """Keep what the panel's two arguments ask for, changed by the axes of a plot."""

    def read() -> Stack | None:
        enabled, text = read_arguments(args)
        return xyz.edited(p, decode(text)) if enabled or xyz.is_plotted(p) else None

    _take(p, PANEL, read, library, store)


def take_legacy(
    p: Any, args: tuple[Any, ...], slots: int, library: LibraryOf, store: StoreOf = no_store
) -> None:
    """Keep what the arguments of AddNet's script ask for."""
    _take(p, LEGACY, lambda: legacy_masks.read_stack(args, slots), library, store)


def take_tags(p: Any, tags: Request | None) -> None:
    """Keep what the tags of the prompt now being drawn ask for, in place of the last prompt's."""
    _set(p, replace(parts_of(p), tags=tags))


def inherit(p: Any, outer: Parts) -> None:
    """Give a run inside another one the outer's rows, where it has none of its own; its tags stay."""
    parts = parts_of(p)
    if parts.panel is None and parts.legacy is None:
        _set(p, replace(parts, panel=outer.panel, legacy=outer.legacy))


def _take(p: Any, part: str, read: Callable[[], Stack | None], library: LibraryOf, store: StoreOf) -> None:
    """Resolve one part; a failure is kept to be raised where the user sees it."""
    tab, request = tab_of(p), None
    parts = replace(parts_of(p), tags=None, **{part: None})
    try:
        stack = read()
        if stack is not None and stack.entries:
            named = any(entry.blocks for entry in stack.entries)
            presets = block_presets() if named else NO_PRESETS
            request = find_files(tab, stack, library(), store() if stack.masks else None, presets)
    except Exception as error:  # the host would swallow it, whatever it is, and draw the picture without us
        request = Request(tab, failure=error)
    _set(p, replace(parts, **{part: request}))
    _write_infotext(p)


def parts_of(p: Any) -> Parts:
    """Return what each place asks for on a processing object."""
    parts = getattr(p, PARTS_ATTRIBUTE, None)
    return parts if isinstance(parts, Parts) else Parts()


def _set(p: Any, parts: Parts) -> None:
    setattr(p, PARTS_ATTRIBUTE, parts)
    request = _seen(p, parts)
    setattr(p, ATTRIBUTE, request if request is not None and (request.failure or request.files) else None)


def _seen(p: Any, parts: Parts) -> Request | None:
    """Return the same request for equal parts, so that what was made for it is used again."""
    seen: tuple[tuple[Parts, Request | None], ...] = getattr(p, SEEN_ATTRIBUTE, ())
    for known, request in seen:
        if known == parts:
            return request
    request = combine(parts)
    setattr(p, SEEN_ATTRIBUTE, ((parts, request), *seen)[:SEEN_KEPT])
    return request


def combine(parts: Parts) -> Request | None:
    """Return one request for all parts, None where nothing is asked for.

    A file named by AddNet's arguments and in the panel counts once, as the arguments say: a picture's text
    fills the panel, and callers send it along with their arguments.
    """
    present = [part for part in (parts.panel, parts.legacy, parts.tags) if part is not None]
    if not present:
        return None
    for part in present:
        if part.failure is not None:
            return part
    if parts.panel is not None and parts.legacy is not None:
        present[0] = _without(parts.panel, parts.legacy)
    stack, drawings = _joined(present)
    return Request(
        present[0].tab,
        stack,
        tuple(file for part in present for file in part.files),
        tuple(name for part in present for name in part.names),
        tuple(note for part in present for note in part.notes),
        drawings,
    )


def _joined(parts: Sequence[Request]) -> tuple[Stack, tuple[tuple[str, MaskPicture], ...]]:
    """Put the rows of several parts below one another, with their masks.

    Rows that name rows keep naming the same ones. A mask whose name is another picture's in a part above gets
    a name of its own: AddNet's are called alike in every picture.
    """
    entries: list[Entry] = []
    masks: dict[str, str] = {}
    drawings: dict[str, MaskPicture] = {}
    for part in parts:
        names: dict[str, str] = {}
        for name, reference in part.stack.masks:
            if masks.get(name, reference) != reference:
                names[name] = _free(name, (*masks, *dict(part.stack.masks), *names.values()))
        entries += [moved(entry, len(entries), names) for entry in part.stack.entries]
        masks |= {names.get(name, name): reference for name, reference in part.stack.masks}
        drawings |= {names.get(name, name): drawing for name, drawing in part.drawings}
    stack = replace(parts[0].stack, entries=tuple(entries), masks=tuple(masks.items()))
    return stack, tuple(drawings.items())


def _free(name: str, taken: Collection[str]) -> str:
    return next(free for number in count(2) if (free := f"{name} {number}") not in taken)


def _without(panel: Request, arguments: Request) -> Request:
    """Return the panel's request without the files that the arguments name."""
    named = {file.path for file in arguments.files}
    entries, kept, notes = [], [], list(panel.notes)
    found = iter(zip(panel.files, panel.names, strict=True))
    counted = any(entry.region.strip().lower().startswith(f"{NOT}:") for entry in panel.stack.entries)
    for row, entry in enumerate(panel.stack.entries, 1):
        if entry.on:
            file, name = next(found)
            if file.path in named:
                notes.append(
                    f"row {row}: '{file.label}' is in AddNet's arguments too; it is used once, as they say"
                )
                if counted:  # rows are named by their numbers, so it stays where it is
                    entries.append(replace(entry, on=False))
                continue
            kept.append((file, name))
        entries.append(entry)
    return replace(
        panel,
        stack=replace(panel.stack, entries=tuple(entries)),
        files=tuple(file for file, _ in kept),
        names=tuple(name for _, name in kept),
        notes=tuple(notes),
    )


def _write_infotext(p: Any) -> None:
    """Write the stack into the picture's text, AddNet's keys too for what came by its arguments."""
    # Copies of an object share its table: a plot's cells would inherit from one another, and ADetailer, which
    # calls this for a copy in the middle of a run, would take the tags' hashes from the next picture's text.
    parts, params = parts_of(p), dict(p.extra_generation_params)
    p.extra_generation_params = params
    for key in [key for key in params if key in (infotext.KEY, HASHES) or key.startswith("AddNet ")]:
        del params[key]
    combined = combine(parts)
    if combined is None or combined.failure is not None:
        return
    params[infotext.KEY] = infotext.write(combined.stack)
    if parts.legacy is not None:
        params.update(legacy.write_keys(parts.legacy.stack.active()))
    for note in combined.notes:
        p.comment(f"LoRA Stack: {note}")
