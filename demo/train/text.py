"""The text model's warm-up: learn to say which slots a caption fills, before any picture is drawn.

Colours bind to the right part late when the text model starts from nothing; two minutes here save the UNet
thousands of steps. Only the text model is kept; the reader that asks the questions is thrown away.
"""

from __future__ import annotations

import random
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from demo.train.loop import Dice, train
from demo.train.models import TEXT, Painter, Words
from demo.train.settings import Settings
from demo.world.captions import loose_caption
from demo.world.spec import Spec, draw_spec
from demo.world.words import FILLER, SCENE_WORDS, SLOTS

WIDTH = TEXT["hidden_size"]


class Reader(nn.Module):
    """One question per slot: a learned query attends to the context and names the slot's value."""

    def __init__(self, text: nn.Module) -> None:
        super().__init__()
        self.text = text
        self.queries = nn.Parameter(torch.randn(len(SLOTS), WIDTH) * 0.1)
        self.key = nn.Linear(WIDTH, WIDTH, bias=False)
        self.value = nn.Linear(WIDTH, WIDTH, bias=False)
        self.answers = nn.ModuleList(nn.Linear(WIDTH, len(values) + 1) for values in SLOTS.values())

    def forward(self, tokens: torch.Tensor) -> list[torch.Tensor]:
        context = self.text(input_ids=tokens).last_hidden_state
        attention = (self.queries @ self.key(context).transpose(1, 2) * WIDTH**-0.5).softmax(-1)
        found = attention @ self.value(context)
        return [answer(found[:, n]) for n, answer in enumerate(self.answers)]


def said(slot: str, value: str, caption: str) -> bool:
    """Whether the caption names the slot's value."""
    parts = [
        part.removeprefix("with ").removeprefix("wearing ").removeprefix("holding ")
        for part in caption.split(", ")
    ]
    parts = [part.removeprefix("a ") for part in parts]
    if slot == "scene":
        return any(words in caption for words in SCENE_WORDS[value])
    text = {
        "skin": f"{value} skin",
        "hair": f"{value} hair",
        "shirt": f"{value} shirt",
        "trousers": f"{value} trousers",
    }
    return bool(value) and text.get(slot, value) in parts


def labels(specs: list[Spec], captions: list[str]) -> torch.Tensor:
    """(batch, slots): the value's number, or the last number where the caption leaves it open."""
    return torch.tensor(
        [
            [
                values.index(getattr(s, slot)) if said(slot, getattr(s, slot), c) else len(values)
                for slot, values in SLOTS.items()
            ]
            for s, c in zip(specs, captions, strict=True)
        ]
    )


def with_stranger(caption: str, rng: random.Random, words: tuple[str, ...], share: float = 0.06) -> str:
    """Sometimes an unknown word is thrown in, so that strange words later change little."""
    if rng.random() >= share:
        return caption
    return (
        ", ".join((caption, rng.choice(words)))
        if rng.random() < 0.5
        else ", ".join((rng.choice(words), caption))
    )


def strange_words(words: Words) -> tuple[str, ...]:
    """Whole words of CLIP's vocabulary that the world does not use."""
    known = {w for values in SLOTS.values() for value in values for w in value.split()} | {*FILLER}
    whole = (name.removesuffix("</w>") for name in words.tokenizer.get_vocab() if name.endswith("</w>"))
    return tuple(sorted(w for w in whole if w.isalpha() and w.isascii() and len(w) > 3 and w not in known))


def train_text(settings: Settings, folder: Path, painter: Painter, stop_after: int | None = None) -> None:
    """Warm up `painter.text` in place."""
    torch.manual_seed(settings.text.seed)
    words, plan = Words(), settings.text
    strangers, reader = strange_words(words), Reader(painter.text)
    rights: list[float] = []

    def loss_of(dice: Dice, step: int) -> torch.Tensor:
        specs = [draw_spec(dice.words) for _ in range(plan.batch)]
        captions = [loose_caption(s, dice.words) for s in specs]
        truth = labels(specs, captions)
        shown = [with_stranger(c, dice.words, strangers) for c in captions]
        answers = reader(words(shown))
        with torch.no_grad():
            rights.append(
                sum(float((a.argmax(-1) == truth[:, n]).float().mean()) for n, a in enumerate(answers))
                / len(answers)
            )
        return torch.stack([F.cross_entropy(a, truth[:, n]) for n, a in enumerate(answers)]).sum()

    def report(step: int) -> str:
        return f"right {sum(rights[-50:]) / len(rights[-50:]):.3f}"

    reader.load_state_dict(train("text", plan, reader, loss_of, folder, stop_after, report))
