"""A small X/Y/Z plot under the real one's names: axes that extensions add to, cells drawn by copies."""

from __future__ import annotations

import csv
import re
from copy import copy
from io import StringIO
from itertools import product

import gradio as gr
from modules import processing, scripts, shared
from PIL import Image, ImageDraw

_NUMBER = r"([+-]?\d+(?:\.\d+)?)"
_BY_STEP = re.compile(rf"{_NUMBER}\s*-\s*{_NUMBER}(?:\s*\(([+-]\d+(?:\.\d+)?)\s*\))?")
_BY_COUNT = re.compile(rf"{_NUMBER}\s*-\s*{_NUMBER}\s*\[(\d+)\s*\]")
_MARGIN = 18  # pixels for the labels


def apply_field(field):
    """An axis that sets a field of the request."""

    def apply(p, x, xs):
        setattr(p, field, x)

    return apply


def apply_prompt(p, x, xs):
    """Exchange the first value for another one in the prompts."""
    if xs[0] not in p.prompt and xs[0] not in p.negative_prompt:
        raise RuntimeError(f"Prompt S/R did not find {xs[0]} in prompt or negative prompt.")
    p.prompt = p.prompt.replace(xs[0], x)
    p.negative_prompt = p.negative_prompt.replace(xs[0], x)


def do_nothing(p, x, xs): ...


def format_value_add_label(p, opt, x):
    return f"{opt.label}: {round(x, 8) if isinstance(x, float) else x}"


def format_nothing(p, opt, x):
    return ""


class AxisOption:
    """One kind of axis; extensions append theirs to `axis_options`."""

    def __init__(
        self,
        label,
        type,
        apply,
        format_value=format_value_add_label,
        confirm=None,
        cost=0.0,
        choices=None,
        prepare=None,
    ):
        self.label = label
        self.type = type
        self.apply = apply
        self.format_value = format_value
        self.confirm = confirm
        self.cost = cost
        self.prepare = prepare
        self.choices = choices


class AxisOptionTxt2Img(AxisOption):
    is_img2img = False


class AxisOptionImg2Img(AxisOption):
    is_img2img = True


axis_options = [
    AxisOption("Nothing", str, do_nothing, format_value=format_nothing),
    AxisOption("Seed", int, apply_field("seed")),
    AxisOption("Steps", int, apply_field("steps")),
    AxisOption("CFG Scale", float, apply_field("cfg_scale")),
    AxisOption("Prompt S/R", str, apply_prompt, format_value=lambda p, opt, x: str(x)),
    AxisOptionImg2Img("Denoising", float, apply_field("denoising_strength")),
]


def csv_list(text: str) -> list[str]:
    rows = csv.reader(StringIO(text), skipinitialspace=True)
    return [item.strip() for row in rows for item in row]


def number_ranges(values: list[str], kind) -> list:
    """`1-3 (+1)` and `0-1 [5]` written out."""
    found = []
    for text in values:
        if match := _BY_COUNT.fullmatch(text):
            first, last, count = float(match[1]), float(match[2]), int(match[3])
            found += [first + index * (last - first) / max(count - 1, 1) for index in range(count)]
        elif match := _BY_STEP.fullmatch(text):
            first, last, step = float(match[1]), float(match[2]), float(match[3] or 1)
            found += [first + index * step for index in range(int((last - first) / step + 1e-9) + 1)]
        else:
            found.append(text)
    return [kind(round(value, 8) if isinstance(value, float) else value) for value in found]


def axis_values(p, option, text: str, chosen: list, csv_mode: bool) -> list:
    """The values of an axis, checked before the first picture."""
    if option.label == "Nothing":
        return [0]
    if option.choices is not None and not csv_mode:
        values = list(chosen)
    elif option.prepare is not None:
        values = option.prepare(text)
    else:
        values = csv_list(text)
    if option.type in (int, float):
        values = number_ranges(values, option.type)
    values = [option.type(value) for value in values]
    if option.confirm:
        option.confirm(p, values)
    return values


def with_labels(grid: Image.Image, columns: list[str], rows: list[str]) -> Image.Image:
    """The grid with what changes along its sides."""
    page = Image.new("RGB", (grid.width + 5 * _MARGIN, grid.height + _MARGIN), "white")
    page.paste(grid, (5 * _MARGIN, _MARGIN))
    draw = ImageDraw.Draw(page)
    for at, text in enumerate(columns):
        draw.text((5 * _MARGIN + at * grid.width // len(columns), 3), text, fill="black")
    for at, text in enumerate(rows):
        draw.text((3, _MARGIN + at * grid.height // len(rows)), text, fill="black")
    return page


class Script(scripts.Script):
    """The plot itself; its arguments stand in the real one's order."""

    def title(self):
        return "X/Y/Z plot"

    def ui(self, is_img2img):
        self.current_axis_options = [
            option for option in axis_options if type(option) is AxisOption or option.is_img2img == is_img2img
        ]
        labels = [option.label for option in self.current_axis_options]
        controls = []
        for name in "XYZ":
            key = name.lower()
            with gr.Row():
                controls += [
                    gr.Dropdown(
                        label=f"{name} type",
                        choices=labels,
                        value=labels[0],
                        type="index",
                        elem_id=self.elem_id(f"{key}_type"),
                    ),
                    gr.Textbox(label=f"{name} values", lines=1, elem_id=self.elem_id(f"{key}_values")),
                    gr.Dropdown(
                        label=f"{name} choices",
                        choices=[],
                        value=[],
                        multiselect=True,
                        visible=False,
                        elem_id=self.elem_id(f"{key}_choices"),
                    ),
                ]
        for label, value in (
            ("Draw legend", True),
            ("Include Sub Images", False),
            ("Include Sub Grids", False),
            ("Keep -1 for seeds", False),
            ("Vary seeds for X", False),
            ("Vary seeds for Y", False),
            ("Vary seeds for Z", False),
        ):
            item = label.lower().replace(" ", "_")
            controls.append(gr.Checkbox(label=label, value=value, elem_id=self.elem_id(item)))
        controls.append(gr.Slider(label="Grid margins (px)", minimum=0, maximum=500, value=0, step=2))
        # The page of the stand-in has no list to choose from, so what is written counts.
        csv_label = "Use text inputs instead of dropdowns"
        controls.append(gr.Checkbox(label=csv_label, value=True, elem_id=self.elem_id("csv_mode")))
        return controls

    def run(self, p, *args):
        draw_legend, include_lone_images, csv_mode = args[9], args[10], args[17]
        processing.fix_seed(p)
        axes = []
        for at in range(0, 9, 3):
            option = self.current_axis_options[args[at]]
            axes.append((option, axis_values(p, option, args[at + 1], args[at + 2] or [], csv_mode)))
        (x, xs), (y, ys), (_, zs) = axes
        shared.state.job_count = len(xs) * len(ys) * len(zs) * p.n_iter
        # The axis that costs least changes with every picture.
        order = sorted(range(3), key=lambda index: -axes[index][0].cost)
        cells: dict[tuple, object] = {}
        for indexes in product(*(range(len(axes[index][1])) for index in order)):
            place = dict(zip(order, indexes, strict=True))
            cell = copy(p)
            cell.extra_generation_params = dict(p.extra_generation_params)
            for index, (option, values) in enumerate(axes):
                option.apply(cell, values[place[index]], values)
            cells[place[0], place[1], place[2]] = processing.process_images(cell)
            if shared.state.interrupted:
                break
        first = next(iter(cells.values()))
        result = copy(first)
        columns = [x.format_value(p, x, value) for value in xs]
        rows = [y.format_value(p, y, value) for value in ys]
        width, height = first.images[0].size
        grids = []
        for zi in range(len(zs)):
            grid = Image.new("RGB", (width * len(xs), height * len(ys)))
            for xi, yi in product(range(len(xs)), range(len(ys))):
                if (xi, yi, zi) in cells:
                    grid.paste(cells[xi, yi, zi].images[0], (xi * width, yi * height))
            grids.append(with_labels(grid, columns, rows) if draw_legend else grid)
        lone = [cells[key] for key in sorted(cells, key=lambda key: key[::-1])]
        result.images = grids + ([one.images[0] for one in lone] if include_lone_images else [])
        texts = [one.infotexts[0] for one in lone] if include_lone_images else []
        result.infotexts = [first.infotexts[0]] * len(grids) + texts
        result.extra_generation_params = {**first.extra_generation_params, "X labels": columns}
        return result
