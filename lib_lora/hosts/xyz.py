"""Axes in the WebUI's X/Y/Z plot: found where it is loaded, added once.

An axis only leaves its values on the copy of the processing object that draws the cell; the panel's part of
the request applies them. So nothing here knows where our arguments lie, in either tab.
"""

from __future__ import annotations

import csv
import inspect
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_lora.errors import EntryValueError
from lib_lora.hosts.options import block_presets
from lib_lora.stack import axis_fields as fields

if TYPE_CHECKING:  # what reads values is imported by the first plot: a WebUI's start only names the axes
    from lib_lora.library.library import Library
    from lib_lora.library.presets import Presets
    from lib_lora.stack.stack import Stack

ATTRIBUTE = "lora_stack_axes"
SCRIPT = "xyz_grid.py"
PREFIX = "[LoRA Stack] "
PRESET, PRESET_LABEL = "preset", "Stack preset"
ROWS = 5  # rows whose network can be chosen from the list; any other by its number
AXES = (
    ("Weight", fields.WEIGHT, ""),
    ("Text encoder weight", fields.TE, ""),
    ("UNet weight", fields.UNET, ""),
    ("Network", fields.NETWORK, ""),
    *((f"Network of row {row}", fields.NETWORK, str(row)) for row in range(1, ROWS + 1)),
    ("Region", fields.REGION, ""),
    ("Passes", fields.PASSES, ""),
    ("Schedule", fields.SCHEDULE, ""),
    ("Schedule of the text encoder", fields.TE_SCHEDULE, ""),
    ("Blocks", fields.BLOCKS, ""),
    ("Role with its usual weight", fields.ROLE, ""),
    ("On or off", fields.ON, ""),
    ("Leave one out", fields.LEAVE_OUT, ""),
    (PRESET_LABEL, PRESET, ""),
)
"""Label, field, and the target of values that name none; with a target the files are offered as a list."""

MERGING, OPENING = 0.2, 0.5
"""Costs by which the plot orders its loops: dearer ones change less often. A checkpoint's is 1."""


@dataclass(frozen=True)
class Whole:
    """A kept stack in the place of the panel's; without a name no stack at all."""

    name: str
    stack: Stack

    def __str__(self) -> str:
        return self.name or "None"

    @property
    def title(self) -> str:
        """How messages begin that are about it; nothing for the panel's."""
        return f"preset '{self.name}': " if self.name else ""


class Axes:
    """Our axes of one plot script.

    title: of the script whose second argument is the stack. library, presets: asked when a plot is prepared.
    """

    def __init__(self, title: str, library: Callable[[], Library], presets: Callable[[], Presets]) -> None:
        self._title = title
        self._library = library
        self._presets = presets

    def add(self) -> None:
        """Add the axes to the plot that is loaded now, in the place of any that an earlier load of ours left.

        Forge Classic keeps the list while scripts are loaded anew: those would go on asking a library that is
        no longer used.
        """
        from modules import scripts

        for data in scripts.scripts_data:
            options = getattr(data.module, "axis_options", None)
            option = getattr(data.module, "AxisOption", None)
            if Path(data.path).name != SCRIPT or options is None or option is None:
                continue
            options[:] = [known for known in options if not known.label.startswith(PREFIX)]
            options += [self._option(option, *axis) for axis in AXES]
            return

    def _option(self, option: Any, label: str, field: str, target: str) -> Any:
        if field == PRESET:
            return _made(
                option,
                PREFIX + label,
                self._whole,
                format_value=lambda p, opt, value: value.name or "without",
                confirm=lambda p, values: self._find_all(value.stack for value in values),
                cost=OPENING,
                prepare=_names,
                choices=lambda: ["None", *(preset.name for preset in self._presets().all()[0])],
            )

        understood = inspect.signature(option).parameters
        # A1111 1.6 divides the line itself: what belongs together is put together again before it is drawn.
        divided = "prepare" not in understood and "confirm" in understood and not target

        def read(text: Any) -> Any:
            """Read one value; a list's choice comes as it is, and without `prepare` so does all text."""
            from lib_lora.stack import axes

            if divided or isinstance(text, axes.Value):
                return text
            if target:
                return axes.Value(field, target, None if text == "None" else str(text))
            return next(iter(axes.read_values(field, str(text), target)))

        def prepare(text: str) -> list[Any]:
            from lib_lora.stack import axes

            return list(axes.read_values(field, text, target))

        def confirm(p: Any, values: list[Any]) -> None:
            if divided:
                values[:] = prepare(_line(values))
            self._confirm(p, values)

        return _made(
            option,
            PREFIX + label,
            read,
            format_value=self._legend,
            confirm=confirm,
            cost=OPENING if field == fields.NETWORK else MERGING,
            prepare=prepare,
            choices=self._choices if target else None,
        )

    def _whole(self, text: Any) -> Whole:
        """Read one value of the axis of presets; raises PresetError for a name there is none of."""
        from lib_lora.stack.serialization import decode
        from lib_lora.stack.stack import Stack

        if isinstance(text, Whole):
            return text
        name = str(text).strip()
        if name.lower() in ("", "none"):
            return Whole("", Stack())
        return Whole(name, decode(self._presets().find(name).stack))

    def _find_all(self, stacks: Iterable[Stack]) -> None:
        """Refuse before the first picture a preset whose files are not there."""
        for entry in (entry for stack in stacks for entry in stack.active()):
            self._library().find(entry.network, entry.hash)

    def _legend(self, p: Any, _option: Any, value: Any) -> str:
        from lib_lora.stack import axes

        wholes = self._wholes(p)
        # With presets on another axis a row is another file in each cell, and has a number only.
        return axes.legend(wholes[0].stack, value) if len(wholes) == 1 else axes.bare_legend(value)

    def _choices(self) -> list[str]:
        labels = (file.label for file in self._library().files() if not file.problem)
        # `None` is the picture without the row, in any case: a file of that name is told by its suffix.
        return ["None", *(f"{label}.safetensors" if label.lower() == "none" else label for label in labels)]

    def _confirm(self, p: Any, values: list[Any]) -> None:
        """Refuse before the first picture what no cell could draw; write out `each`."""
        from lib_lora.stack import axes

        wholes = self._wholes(p)
        values[:] = axes.expand(wholes[0].stack, values)
        for value in values:
            for whole in wholes:
                try:
                    _edit(whole.stack, value)
                except EntryValueError as error:
                    raise EntryValueError(f"{whole.title}{error}") from None
            if value.field == fields.NETWORK and value.value is not None:
                self._library().find(str(value.value))

    def _wholes(self, p: Any) -> tuple[Whole, ...]:
        """Return what a value of a row acts on: the presets of another axis, or else the panel's stack."""
        wholes = [self._whole(name) for name in _chosen_presets(p)]
        return tuple(whole for whole in wholes if whole.name) or (Whole("", self._panel(p)),)

    def _panel(self, p: Any) -> Stack:
        """Return the stack that the panel, or an API caller, sent along."""
        from lib_lora.stack.serialization import decode
        from lib_lora.stack.stack import Stack

        for script in p.scripts.alwayson_scripts:
            if script.title() == self._title:
                args: Sequence[Any] = p.script_args[script.args_from : script.args_to]
                return decode(args[1] if len(args) > 1 else None)
        return Stack()


def _chosen_presets(p: Any) -> Iterator[str]:
    """Yield the values of an axis of presets in the plot being drawn.

    Its arguments begin with `type, text, list` for each axis; the last says that the text counts.
    """
    for script in getattr(p.scripts, "selectable_scripts", ()):
        known = getattr(script, "current_axis_options", None)
        if known is None or Path(getattr(script, "filename", "")).name != SCRIPT:
            continue
        args = p.script_args[script.args_from : script.args_to]
        for kind, text, listed in zip(args[:9:3], args[1:9:3], args[2:9:3], strict=False):
            if isinstance(kind, int) and known[kind].label == PREFIX + PRESET_LABEL:
                yield from _names(text or "") if args[-1] is True else listed or ()


def _line(values: Iterable[object]) -> str:
    """Return values as one line again, those with commas in quotes."""
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue().strip()


def _names(text: str) -> list[str]:
    """Return the names of presets in a line."""
    return next(csv.reader([",".join(text.splitlines())], skipinitialspace=True), [])


def _made(option: Any, label: str, read: Callable[[Any], Any], **wanted: Any) -> Any:
    """Make an axis of what the plot understands: older ones have no `prepare`."""
    known = inspect.signature(option).parameters
    return option(label, read, _apply, **{key: wanted[key] for key in wanted if key in known})


def _apply(p: Any, value: Any, _values: Any) -> None:
    """Leave one axis' value on the object that draws the cell."""
    setattr(p, ATTRIBUTE, (*getattr(p, ATTRIBUTE, ()), value))


def edited(p: Any, stack: Stack) -> Stack:
    """Return a stack with the values that the plot's axes have for this picture."""
    from lib_lora.stack.stack import Stack

    values = getattr(p, ATTRIBUTE, ())
    if any(isinstance(value, Whole) and not value.name for value in values):
        return Stack()  # no stack, and no row for another axis to change
    for value in sorted(values, key=lambda value: not isinstance(value, Whole)):  # a preset, then its rows
        stack = value.stack if isinstance(value, Whole) else _edit(stack, value)
    return stack


def _edit(stack: Stack, value: Any) -> Stack:
    """Return a stack with one value; names of the user's own presets of blocks are known."""
    from lib_lora.stack import axes

    return axes.edit(stack, value, block_presets() if value.field == fields.BLOCKS else {})


def is_plotted(p: Any) -> bool:
    """Tell whether an axis of ours is in use, which switches the panel on."""
    return bool(getattr(p, ATTRIBUTE, ()))
