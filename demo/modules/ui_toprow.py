"""Prompt, negative prompt, word chips, and the buttons beside them."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from pathlib import Path

import gradio as gr
from modules import shared
from modules.paths_internal import models_path
from modules.ui_components import FormRow, ToolButton

OWN_WORLD = (
    "Words this model knows. It draws one world only, pixel figures; other words do little. "
    "Click a word to add it to the prompt."
)
EXAMPLES = (
    "a girl, red hair, green shirt, in a forest",
    "a boy, black hair, wearing a crown, at night",
    "a girl, white hair, holding a lantern, in the snow",
)
FALLBACK_WORDS = {
    "figure": ["a girl", "a boy"],
    "hair": ["red hair", "black hair", "blonde hair", "brown hair"],
    "clothes": ["blue shirt", "red shirt", "green shirt", "black trousers", "blue trousers"],
    "hat": ["wearing a wizard hat", "wearing a crown"],
    "scene": ["in a forest", "at night", "on a beach", "in a city"],
}


def known_words() -> dict[str, list[str]]:
    """The words of models/words.json, {group: [words]}; a few of our own without it."""
    path = Path(models_path) / "words.json"
    try:
        words = json.loads(path.read_text(encoding="utf8"))
        return {str(group): [str(word) for word in list_] for group, list_ in words.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return FALLBACK_WORDS


def word_chips(tabname: str) -> str:
    """Prompts to begin with, and below a fold all words as buttons, group by group."""
    groups = []
    for group, words in known_words().items():
        groups.append(_group(group, words))
    return (
        f'<div class="word-chips" data-tab="{tabname}">{_group("try", EXAMPLES)}'
        f"<details><summary>{OWN_WORLD}</summary>"
        f'<div class="word-groups">{"".join(groups)}</div></details></div>'
    )


def _group(name: str, words: Iterable[str]) -> str:
    chips = "".join(
        f'<button type="button" class="word-chip" data-word="{html.escape(word, quote=True)}">'
        f"{html.escape(word)}</button>"
        for word in words
    )
    return f'<div class="word-group"><span class="word-group-name">{html.escape(name)}</span>{chips}</div>'


class Toprow:
    """The upper part of a tab."""

    def __init__(self, is_img2img: bool) -> None:
        tab = "img2img" if is_img2img else "txt2img"
        self.tab = tab
        with gr.Row(elem_id=f"{tab}_toprow", variant="compact", elem_classes=["toprow"]):
            with gr.Column(elem_id=f"{tab}_prompt_container", elem_classes=["prompt-container"], scale=6):
                if _is_own_model():
                    gr.HTML(word_chips(tab), elem_id=f"{tab}_words")
                self.prompt = gr.Textbox(
                    value="",
                    label="Prompt",
                    elem_id=f"{tab}_prompt",
                    show_label=False,
                    lines=3,
                    placeholder="Prompt\n(Press Ctrl+Enter to generate)",
                    elem_classes=["prompt"],
                )
                self.negative_prompt = gr.Textbox(
                    value="",
                    label="Negative prompt",
                    elem_id=f"{tab}_neg_prompt",
                    show_label=False,
                    lines=2,
                    placeholder="Negative prompt",
                    elem_classes=["prompt"],
                )
            with gr.Column(scale=1, elem_id=f"{tab}_actions_column", elem_classes=["actions-column"]):
                self._buttons()

    def _buttons(self) -> None:
        tab = self.tab
        with gr.Row(elem_id=f"{tab}_generate_box", elem_classes=["generate-box"]):
            self.interrupt = gr.Button(
                "Interrupt", elem_id=f"{tab}_interrupt", elem_classes="generate-box-interrupt"
            )
            self.skip = gr.Button("Skip", elem_id=f"{tab}_skip", elem_classes="generate-box-skip")
            self.submit = gr.Button("Generate", elem_id=f"{tab}_generate", variant="primary")
        self.interrupt.click(fn=shared.state.interrupt, inputs=[], outputs=[], queue=False)
        self.skip.click(fn=shared.state.skip, inputs=[], outputs=[], queue=False)
        with FormRow(elem_id=f"{tab}_tools", elem_classes=["tools"]):
            self.paste = ToolButton("↙️", elem_id="paste", tooltip="Read the parameters in the prompt box")
            self.clear_prompt = ToolButton("🗑️", elem_id=f"{tab}_clear_prompt", tooltip="Clear the prompts")
        self.clear_prompt.click(
            fn=lambda: ("", ""), inputs=[], outputs=[self.prompt, self.negative_prompt], show_progress=False
        )


def _is_own_model() -> bool:
    """Whether the demo's own small model is what will be drawn with."""
    return shared.cmd_opts.ckpt is None
