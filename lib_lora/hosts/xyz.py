"""Axes in the WebUI's X/Y/Z plot: found where it is loaded, added once.

An axis only leaves its values on the copy of the processing object that draws the cell; the panel's part of
the request applies them. So nothing here knows where our arguments lie, in either tab.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lib_lora.library.library import Library
from lib_lora.stack import axes
from lib_lora.stack.serialization import decode
from lib_lora.stack.stack import Stack

ATTRIBUTE = "lora_stack_axes"
SCRIPT = "xyz_grid.py"
PREFIX = "[LoRA Stack] "
ROWS = 5  # rows whose network can be chosen from the list; any other by its number
AXES = (
    ("Weight", axes.WEIGHT, ""),
    ("Text encoder weight", axes.TE, ""),
    ("UNet weight", axes.UNET, ""),
    ("Network", axes.NETWORK, ""),
    *((f"Network of row {row}", axes.NETWORK, str(row)) for row in range(1, ROWS + 1)),
    ("Region", axes.REGION, ""),
    ("Passes", axes.PASSES, ""),
    ("Schedule", axes.SCHEDULE, ""),
    ("Blocks", axes.BLOCKS, ""),
    ("Role with its usual weight", axes.ROLE, ""),
    ("On or off", axes.ON, ""),
    ("Leave one out", axes.LEAVE_OUT, ""),
)
"""Label, field, and the target of values that name none; with a target the files are offered as a list."""

MERGING, OPENING = 0.2, 0.5
"""Costs by which the plot orders its loops: dearer ones change less often. A checkpoint's is 1."""


class Axes:
    """Our axes of one plot script.

    title: of the script whose second argument is the stack. library: asked when a plot is prepared.
    """

    def __init__(self, title: str, library: Callable[[], Library]) -> None:
        self._title = title
        self._library = library

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
        def read(text: Any) -> Any:
            """Read one value; a list's choice comes as it is, and without `prepare` so does all text."""
            if isinstance(text, axes.Value):
                return text
            if target:
                return axes.Value(field, target, None if text == "None" else str(text))
            return next(iter(axes.read_values(field, str(text), target)))

        wanted = {
            "format_value": lambda p, opt, value: axes.legend(self._stack(p), value),
            "confirm": self._confirm,
            "cost": OPENING if field == axes.NETWORK else MERGING,
            "prepare": lambda text: axes.read_values(field, text, target),
            "choices": self._choices if target else None,
        }
        known = inspect.signature(option).parameters  # older plots have no `prepare`
        return option(PREFIX + label, read, _apply, **{key: wanted[key] for key in wanted if key in known})

    def _choices(self) -> list[str]:
        return ["None", *(file.label for file in self._library().files() if not file.problem)]

    def _confirm(self, p: Any, values: list[Any]) -> None:
        """Refuse before the first picture what no cell could draw; write out `each`."""
        stack = self._stack(p)
        values[:] = axes.expand(stack, values)
        for value in values:
            axes.edit(stack, value)
            if value.field == axes.NETWORK and value.value is not None:
                self._library().find(str(value.value))

    def _stack(self, p: Any) -> Stack:
        """Return the stack that the panel, or an API caller, sent along."""
        for script in p.scripts.alwayson_scripts:
            if script.title() == self._title:
                args: Sequence[Any] = p.script_args[script.args_from : script.args_to]
                return decode(args[1] if len(args) > 1 else None)
        return Stack()


def _apply(p: Any, value: Any, _values: Any) -> None:
    """Leave one axis' value on the object that draws the cell."""
    setattr(p, ATTRIBUTE, (*getattr(p, ATTRIBUTE, ()), value))


def edited(p: Any, stack: Stack) -> Stack:
    """Return a stack with the values that the plot's axes have for this picture."""
    for value in getattr(p, ATTRIBUTE, ()):
        stack = axes.edit(stack, value)
    return stack


def is_plotted(p: Any) -> bool:
    """Tell whether an axis of ours is in use, which switches the panel on."""
    return bool(getattr(p, ATTRIBUTE, ()))
