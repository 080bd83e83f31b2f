"""The controls below the prompts that txt2img and img2img share."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
from modules import sd_samplers, sd_schedulers, shared
from modules.gradio_extensions import js
from modules.ui_components import FormRow, ToolButton


def is_small() -> bool:
    """Whether the page is for the small model, with its small pictures."""
    return shared.cmd_opts.ckpt is None


def default_size() -> int:
    return 128 if is_small() else 512


def sampler_row(tab: str, controls: SimpleNamespace) -> None:
    with FormRow(elem_id=f"sampler_selection_{tab}"):
        controls.sampler = gr.Dropdown(
            label="Sampling method",
            elem_id=f"{tab}_sampling",
            choices=sd_samplers.visible_sampler_names(),
            value="Euler" if is_small() else sd_samplers.visible_sampler_names()[0],
        )
        controls.scheduler = gr.Dropdown(
            label="Schedule type",
            elem_id=f"{tab}_scheduler",
            choices=[scheduler.label for scheduler in sd_schedulers.schedulers],
            value="Automatic",
        )
        controls.steps = gr.Slider(
            minimum=1, maximum=150, step=1, elem_id=f"{tab}_steps", label="Sampling steps", value=20
        )


def size_and_batch(tab: str, controls: SimpleNamespace) -> None:
    low, high = 64, 512 if is_small() else 2048
    with FormRow(elem_classes=["size-row"]):
        with gr.Column(elem_id=f"{tab}_column_size", scale=4):
            for side in ("width", "height"):
                slider = gr.Slider(
                    minimum=low,
                    maximum=high,
                    step=8,
                    label=side.capitalize(),
                    value=default_size(),
                    elem_id=f"{tab}_{side}",
                )
                setattr(controls, side, slider)
        with gr.Column(
            elem_id=f"{tab}_dimensions_row", scale=0, min_width=40, elem_classes=["dimensions-tools"]
        ):
            swap = ToolButton("⇅", elem_id=f"{tab}_res_switch_btn", tooltip="Switch width and height")
            swap.click(
                fn=None,
                inputs=[controls.width, controls.height],
                outputs=[controls.width, controls.height],
                **js("(w, h) => [h, w]"),
            )
        with gr.Column(elem_id=f"{tab}_column_batch", scale=4):
            controls.batch_count = gr.Slider(
                minimum=1, step=1, maximum=100, label="Batch count", value=1, elem_id=f"{tab}_batch_count"
            )
            controls.batch_size = gr.Slider(
                minimum=1, maximum=8, step=1, label="Batch size", value=1, elem_id=f"{tab}_batch_size"
            )


def cfg_row(tab: str, controls: SimpleNamespace) -> None:
    with FormRow():
        controls.cfg_scale = gr.Slider(
            minimum=1.0,
            maximum=30.0,
            step=0.5,
            label="CFG Scale",
            value=5.0 if is_small() else 7.0,
            elem_id=f"{tab}_cfg_scale",
        )


def seed_row(tab: str, controls: SimpleNamespace) -> None:
    """Seed with dice and recycle buttons, and the variation seed."""
    with FormRow(elem_id=f"{tab}_seed_row", elem_classes=["seed-row"]):
        controls.seed = gr.Number(label="Seed", value=-1, elem_id=f"{tab}_seed", precision=0, min_width=100)
        dice = ToolButton("🎲️", elem_id=f"{tab}_random_seed", tooltip="Any seed")
        reuse = ToolButton("♻️", elem_id=f"{tab}_reuse_seed", tooltip="The seed of the shown picture")
        controls.seed_extra = gr.Checkbox(
            label="Extra",
            elem_id=f"{tab}_subseed_show",
            value=False,
            container=False,
            elem_classes=["extra-seed"],
        )
    with FormRow(visible=False, elem_id=f"{tab}_subseed_row", elem_classes=["seed-row"]) as extra:
        controls.subseed = gr.Number(label="Variation seed", value=-1, elem_id=f"{tab}_subseed", precision=0)
        controls.subseed_strength = gr.Slider(
            label="Variation strength",
            value=0.0,
            minimum=0,
            maximum=1,
            step=0.01,
            elem_id=f"{tab}_subseed_strength",
        )
    controls.seed_extra.change(
        fn=lambda shown: gr.update(visible=shown),
        inputs=[controls.seed_extra],
        outputs=[extra],
        show_progress=False,
    )
    dice.click(fn=None, inputs=[], outputs=[controls.seed], **js("() => -1"))
    reuse.click(fn=None, inputs=[], outputs=[controls.seed], **js(f'() => seedOfShownPicture("{tab}")'))


def common_paste_fields(toprow, controls: SimpleNamespace) -> list[tuple]:
    """What pasting fills in both tabs."""
    return [
        (toprow.prompt, "Prompt"),
        (toprow.negative_prompt, "Negative prompt"),
        (controls.steps, "Steps"),
        (controls.sampler, "Sampler"),
        (controls.scheduler, "Schedule type"),
        (controls.cfg_scale, "CFG scale"),
        (controls.width, "Size-1"),
        (controls.height, "Size-2"),
        (controls.seed, "Seed"),
        (controls.batch_size, "Batch size"),
        (controls.subseed, "Variation seed"),
        (controls.subseed_strength, "Variation seed strength"),
        (controls.seed_extra, lambda params: "Variation seed" in params or None),
    ]
