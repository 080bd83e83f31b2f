"""Axes in the WebUI's X/Y/Z plot: found where it is loaded, added once.

An axis only leaves its values on the copy of the processing object that draws the cell; the panel's part of
the request applies them. So nothing here knows where our arguments lie, in either tab.
"""

from __future__ import annotations

import csv
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_lora.stack import axis_fields as fields

if TYPE_CHECKING:  # what reads values is imported by the first plot: a WebUI's start only names the axes
    from lib_lora.library.library import Library
    from lib_lora.library.presets import Presets
    from lib_lora.stack.stack import Stack

ATTRIBUTE = "lora_stack_axes"
SCRIPT = "xyz_grid.py"
PREFIX = "[LoRA Stack] "
PRESET = "preset"
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
    ("Stack preset", PRESET, ""),
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


class Axes:
    """Our axes of one plot script.

    title: of the script whose second argument is the stack. library, presets: asked when a plot is prepared.
    """

    def __init__(self, title: str, library: Callable[[], Library], presets: Callable[[], Presets]) -> None:
        self._title = title
        self._library = library
        self._presets = presets

    def add(self) -> None:
        """Add the axes to the plot that is loaded now; what is there already is left alone."""
        from modules import scripts

        for data in scripts.scripts_data:
            options = getattr(data.module, "axis_options", None)
            option = getattr(data.module, "AxisOption", None)
            if Path(data.path).name != SCRIPT or options is None or option is None:
                continue
            present = {known.label for known in options}
            options += [self._option(option, *axis) for axis in AXES if PREFIX + axis[0] not in present]
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
                prepare=lambda text: next(csv.reader([text], skipinitialspace=True), []),
                choices=lambda: ["None", *(preset.name for preset in self._presets().all()[0])],
            )

        def read(text: Any) -> Any:
            """Read one value; a list's choice comes as it is, and without `prepare` so does all text."""
            from lib_lora.stack import axes

            if isinstance(text, axes.Value):
                return text
            if target:
                return axes.Value(field, target, None if text == "None" else str(text))
            return next(iter(axes.read_values(field, str(text), target)))

        def prepare(text: str) -> list[Any]:
            from lib_lora.stack import axes

            return list(axes.read_values(field, text, target))

        return _made(
            option,
            PREFIX + label,
            read,
            format_value=self._legend,
            confirm=self._confirm,
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

        return axes.legend(self._stack(p), value)

    def _choices(self) -> list[str]:
        return ["None", *(file.label for file in self._library().files() if not file.problem)]

    def _confirm(self, p: Any, values: list[Any]) -> None:
        """Refuse before the first picture what no cell could draw; write out `each`."""
        from lib_lora.stack import axes

        stack = self._stack(p)
        values[:] = axes.expand(stack, values)
        for value in values:
            axes.edit(stack, value)
            if value.field == fields.NETWORK and value.value is not None:
                self._library().find(str(value.value))

    def _stack(self, p: Any) -> Stack:
        """Return the stack that the panel, or an API caller, sent along."""
        from lib_lora.stack.serialization import decode
        from lib_lora.stack.stack import Stack

        for script in p.scripts.alwayson_scripts:
            if script.title() == self._title:
                args: Sequence[Any] = p.script_args[script.args_from : script.args_to]
                return decode(args[1] if len(args) > 1 else None)
        return Stack()


def _made(option: Any, label: str, read: Callable[[Any], Any], **wanted: Any) -> Any:
    """Make an axis of what the plot understands: older ones have no `prepare`."""
    known = inspect.signature(option).parameters
    return option(label, read, _apply, **{key: wanted[key] for key in wanted if key in known})


def _apply(p: Any, value: Any, _values: Any) -> None:
    """Leave one axis' value on the object that draws the cell."""
    setattr(p, ATTRIBUTE, (*getattr(p, ATTRIBUTE, ()), value))


def edited(p: Any, stack: Stack) -> Stack:
    """Return a stack with the values that the plot's axes have for this picture."""
    from lib_lora.stack import axes

    values = getattr(p, ATTRIBUTE, ())
    for value in sorted(values, key=lambda value: not isinstance(value, Whole)):  # a preset, then its rows
        stack = value.stack if isinstance(value, Whole) else axes.edit(stack, value)
    return stack


def is_plotted(p: Any) -> bool:
    """Tell whether an axis of ours is in use, which switches the panel on."""
    return bool(getattr(p, ATTRIBUTE, ()))
