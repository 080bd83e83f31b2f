"""Axes are added to the plot that is loaded, once, as far as it understands them."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from lib_lora.errors import EntryValueError, NetworkNotFoundError, PresetError
from lib_lora.hosts.xyz import AXES, PREFIX, Axes, edited, is_plotted
from lib_lora.library.library import Library
from lib_lora.library.presets import Presets
from lib_lora.stack.axes import WEIGHT, Value
from lib_lora.stack.serialization import decode
from tests.builders import TOY_LAYERS, make_lora_file

TEXT = '[{"network": "a"}, {"network": "b", "weight": 0.5}]'


class Option:
    """The plot's AxisOption of A1111 1.10."""

    def __init__(
        self, label: str, type: Any, apply: Any, format_value: Any = None, confirm: Any = None,
        cost: float = 0.0, choices: Any = None, prepare: Any = None,
    ) -> None:  # fmt: skip
        self.__dict__.update(locals())


def no_presets() -> Presets:
    return Presets(Path("no such folder"))


class Option16(Option):
    """Of A1111 1.6, which divides the line at its commas itself."""

    def __init__(
        self, label: str, type: Any, apply: Any, format_value: Any = None, confirm: Any = None,
        cost: float = 0.0, choices: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(label, type, apply, format_value, confirm, cost, choices)


class OldOption:
    """Of a plot that cannot prepare values."""

    def __init__(
        self, label: str, type: Any, apply: Any, format_value: Any = None, cost: float = 0.0
    ) -> None:
        self.__dict__.update(locals())


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("loras")
    for name in ("a", "b"):
        make_lora_file(folder / f"{name}.safetensors", TOY_LAYERS)
    (folder / "broken.safetensors").write_bytes(b"")
    found = Library([folder])
    found.scan()
    return found


def test_a_file_called_none_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By its suffix: the bare word is the picture without the row."""
    for name in ("None", "b"):
        make_lora_file(tmp_path / f"{name}.safetensors", TOY_LAYERS)
    library = Library([tmp_path])
    library.scan()
    plot = load(monkeypatch, Option)
    Axes("LoRA Stack", lambda: library, no_presets).add()
    axis = option(plot, "Network of row 1")
    assert axis.choices() == ["None", "b", "None.safetensors"]
    value = axis.type("None.safetensors")
    assert library.find(str(value.value)).label == "None"


def load(monkeypatch: pytest.MonkeyPatch, option: type, path: str = "scripts/xyz_grid.py") -> ModuleType:
    """Pretend that the host has just loaded its scripts."""
    plot, modules, scripts = ModuleType("xyz_grid.py"), ModuleType("modules"), ModuleType("modules.scripts")
    plot.AxisOption, plot.axis_options = option, []  # type: ignore[attr-defined]
    other = SimpleNamespace(path="scripts/other.py", module=ModuleType("other.py"))
    scripts.scripts_data = [other, SimpleNamespace(path=path, module=plot)]  # type: ignore[attr-defined]
    modules.scripts = scripts  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "modules", modules)
    monkeypatch.setitem(sys.modules, "modules.scripts", scripts)
    return plot


def processing() -> Any:
    other = SimpleNamespace(title=lambda: "Other", args_from=1, args_to=3)
    ours = SimpleNamespace(title=lambda: "LoRA Stack", args_from=3, args_to=5)
    runner = SimpleNamespace(alwayson_scripts=[other, ours])
    return SimpleNamespace(scripts=runner, script_args=[0, "x", "y", True, TEXT])


def option(plot: ModuleType, label: str) -> Any:
    (found,) = [known for known in plot.axis_options if known.label == PREFIX + label]
    return found


def test_once_however_often_and_again_after_reload(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    axes = Axes("LoRA Stack", lambda: library, no_presets)
    for _ in range(2):
        plot = load(monkeypatch, Option)
        axes.add()
        axes.add()
        assert [known.label for known in plot.axis_options] == [PREFIX + label for label, *_ in AXES]


def test_a_list_that_outlives_a_reload_asks_the_library_of_now(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    plot = load(monkeypatch, Option)
    plot.axis_options.append(Option("Seed", int, None))
    for found in (Library([]), library):
        Axes("LoRA Stack", lambda found=found: found, no_presets).add()  # type: ignore[misc]
    assert option(plot, "Network of row 1").choices() == ["None", "a", "b"]
    assert plot.axis_options[0].label == "Seed"


def test_no_plot_no_axes(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    plot = load(monkeypatch, Option, path="scripts/something.py")
    Axes("LoRA Stack", lambda: library, no_presets).add()
    assert plot.axis_options == []


def test_a_cell_is_drawn_with_its_values(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    plot = load(monkeypatch, Option)
    Axes("LoRA Stack", lambda: library, no_presets).add()
    weight, switch = option(plot, "Weight"), option(plot, "On or off")
    p, cell = processing(), copy.copy(processing())
    values = [weight.type(value) for value in weight.prepare("2: 0.1, 0.9")]
    weight.confirm(p, values)
    assert [weight.format_value(p, weight, value) for value in values] == ["b: 0.1", "b: 0.9"]
    weight.apply(cell, values[1], values)
    switch.apply(cell, *([switch.type("1: off")] * 2))
    assert is_plotted(cell) and not is_plotted(p)
    assert [(entry.on, entry.weight) for entry in edited(cell, decode(TEXT)).entries] == [
        (False, 1),
        (True, 0.9),
    ]
    assert edited(p, decode(TEXT)) == decode(TEXT)


def test_files_are_chosen_from_the_list(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    plot = load(monkeypatch, Option)
    Axes("LoRA Stack", lambda: library, no_presets).add()
    second, cell = option(plot, "Network of row 2"), processing()
    assert second.choices() == ["None", "a", "b"]
    assert second.type("None").value is None
    second.apply(cell, second.type("a"), [])
    assert [entry.network for entry in edited(cell, decode(TEXT)).entries] == ["a", "a"]
    assert option(plot, "Network").choices is None


def test_leaving_each_out_is_written_out_before_the_first_picture(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    plot = load(monkeypatch, Option)
    Axes("LoRA Stack", lambda: library, no_presets).add()
    axis, p = option(plot, "Leave one out"), processing()
    values = axis.prepare("each")
    axis.confirm(p, values)
    assert [axis.format_value(p, axis, value) for value in values] == ["all", "without a", "without b"]


def test_an_older_plot_gets_what_it_understands(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    plot = load(monkeypatch, OldOption)
    Axes("LoRA Stack", lambda: library, no_presets).add()
    assert option(plot, "Weight").type("2: 0.5") == Value(WEIGHT, "2", 0.5)


def test_a_request_without_our_script_has_an_empty_stack(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    plot = load(monkeypatch, Option)
    Axes("LoRA Stack", lambda: library, no_presets).add()
    p = processing()
    p.scripts.alwayson_scripts.pop()
    with pytest.raises(Exception, match="empty"):
        option(plot, "Weight").confirm(p, option(plot, "Weight").prepare("1: 0.5"))


def test_the_path_may_be_any(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forge Classic has the plot in a built-in extension."""
    plot = load(monkeypatch, Option, path=str(Path("extensions-builtin/xyz/scripts/xyz_grid.py")))
    Axes("LoRA Stack", lambda: library, no_presets).add()
    assert plot.axis_options


def test_whole_stacks_by_their_names(
    library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A preset takes the panel's place, and an axis of rows acts on it, whichever comes first."""
    presets = Presets(tmp_path)
    presets.save("two, soft", '[{"network": "a", "weight": 0.2}, {"network": "b", "weight": 0.3}]')
    presets.save("gone", '[{"network": "moved"}]')
    plot = load(monkeypatch, Option)
    Axes("LoRA Stack", lambda: library, lambda: presets).add()
    axis, weight, p = option(plot, "Stack preset"), option(plot, "Weight"), processing()
    assert axis.choices() == ["None", "gone", "two, soft"]
    assert axis.prepare('"two, soft", None') == ["two, soft", "None"]
    assert axis.prepare('"two, soft"\nNone') == ["two, soft", "None"]
    soft, none = (axis.type(text) for text in ("two, soft", "None"))
    assert [axis.format_value(p, axis, value) for value in (soft, none)] == ["two, soft", "without"]
    axis.confirm(p, [soft, none])
    weight.apply(p, weight.type("2: 0.9"), [])
    axis.apply(p, soft, [])
    assert [entry.weight for entry in edited(p, decode(TEXT)).entries] == [0.2, 0.9]
    empty = processing()
    axis.apply(empty, none, [])
    assert edited(empty, decode(TEXT)).entries == ()
    with pytest.raises(PresetError, match="Nearest: 'two, soft'"):
        axis.type("two, sof")
    with pytest.raises(NetworkNotFoundError, match="moved"):
        axis.confirm(p, [axis.type("gone")])


def plotting(panel: str, plot: ModuleType, *axes: tuple[str, str, list[str] | None], csv: bool) -> Any:
    """A request whose plot has these axes: label, text, list."""
    labels = [known.label for known in plot.axis_options]
    args: list[Any] = []
    for label, text, listed in axes:
        args += [labels.index(PREFIX + label), text, listed]
    args += [*[0, "", None] * (3 - len(axes)), True, csv]
    script = SimpleNamespace(
        filename=str(Path("scripts/xyz_grid.py")), current_axis_options=plot.axis_options, args_from=1
    )
    script.args_to = 1 + len(args)
    ours = SimpleNamespace(title=lambda: "LoRA Stack", args_from=script.args_to, args_to=script.args_to + 2)
    runner = SimpleNamespace(
        selectable_scripts=[SimpleNamespace(filename="other.py"), script], alwayson_scripts=[ours]
    )
    return SimpleNamespace(scripts=runner, script_args=[2, *args, False, panel])


@pytest.mark.parametrize(
    "axis",
    [("Stack preset", "None, both", None), ("Stack preset", "", ["None", "both"])],
    ids=["text", "list"],
)
def test_rows_of_presets_where_the_panel_is_empty(
    library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, axis: tuple[str, str, list[str] | None]
) -> None:
    presets = Presets(tmp_path)
    presets.save("both", TEXT)
    presets.save("one", '[{"network": "a"}]')
    plot = load(monkeypatch, Option)
    Axes("LoRA Stack", lambda: library, lambda: presets).add()
    weight, whole = option(plot, "Weight"), option(plot, "Stack preset")
    out = option(plot, "Leave one out")
    p = plotting("", plot, ("Weight", "2: 0.9", None), axis, csv=axis[2] is None)
    values = [weight.type(value) for value in weight.prepare("2: 0.9, None")]
    weight.confirm(p, values)
    assert [weight.format_value(p, weight, value) for value in values] == ["b: 0.9", "without b"]
    each = out.prepare("each")
    out.confirm(p, each)
    assert [value.value for value in each] == [None, "1", "2"]
    baseline, cell = copy.copy(p), copy.copy(p)
    for drawn, name in ((baseline, "None"), (cell, "both")):
        weight.apply(drawn, values[0], values)
        whole.apply(drawn, whole.type(name), [])
    assert edited(baseline, decode("")).entries == ()
    assert [entry.weight for entry in edited(cell, decode("")).entries] == [1, 0.9]

    several = plotting("", plot, ("Weight", "2: 0.9", None), ("Stack preset", "both, one", None), csv=True)
    assert weight.format_value(several, weight, values[0]) == "row 2: 0.9"
    with pytest.raises(EntryValueError, match="preset 'one': There is no row 2"):
        weight.confirm(several, values)
    with pytest.raises(EntryValueError, match="empty"):
        weight.confirm(plotting("", plot, ("Weight", "2: 0.9", None), csv=True), values)


def test_the_user_s_own_presets_of_blocks(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib_lora.hosts.xyz.block_presets", lambda: {"MYFACE": "1" + ",0" * 16})
    plot = load(monkeypatch, Option)
    Axes("LoRA Stack", lambda: library, no_presets).add()
    blocks, p = option(plot, "Blocks"), processing()
    values = [blocks.type(value) for value in blocks.prepare("2: MyFace, OUTD")]
    blocks.confirm(p, values)
    blocks.apply(p, values[0], values)
    assert edited(p, decode(TEXT)).entries[1].blocks == "MyFace"
    assert blocks.format_value(p, blocks, values[0]) == "b: MyFace"
    with pytest.raises(EntryValueError, match="no preset 'YOURS'"):
        blocks.confirm(p, [blocks.type("2: YOURS")])


@pytest.mark.parametrize(
    ("axis", "line", "labels"),
    [
        pytest.param(
            "Weight", ["2: 0-1 [3]", "0.7", "None"], ["b: 0", "b: 0.5", "b: 1", "b: 0.7", "without b"]
        ),
        pytest.param("Schedule", ["1: 0@0,1@0.5", "always"], ["a: 0@0,1@0.5", "a: always"]),
        pytest.param("Region", ["2: box:0,0,0.5,1"], ["b: box:0,0,0.5,1"]),
        pytest.param("Leave one out", ["each"], ["all", "without a", "without b"]),
        pytest.param("Network of row 1", ["b"], ["b"]),
    ],
)
def test_a_plot_that_divides_the_line_itself(
    library: Library, monkeypatch: pytest.MonkeyPatch, axis: str, line: list[str], labels: list[str]
) -> None:
    """Of a range it drew the first value alone, and of a curve the first point."""
    plot = load(monkeypatch, Option16)
    Axes("LoRA Stack", lambda: library, no_presets).add()
    found, p = option(plot, axis), processing()
    values = [found.type(value) for value in line]
    found.confirm(p, values)
    assert [found.format_value(p, found, value) for value in values] == labels
    found.apply(p, values[0], values)
    assert len(edited(p, decode(TEXT)).entries) == 2
