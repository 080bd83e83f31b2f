"""`python -m demo.train.kinds [NAMES]`: adapters of other kinds than LoRA, each by its own trainer's library.

LyCORIS or PEFT puts its modules into the finished model, the loop of this project turns their numbers, and
the library itself writes the file. Only the checkpoint is needed. Each can be stopped and taken up again.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from demo.train.base import noisy, step_weights, weighted_error
from demo.train.libraries import Change, Lycoris, lycoris_change, peft_change
from demo.train.loop import Dice, train
from demo.train.lora import draw_words
from demo.train.models import SCALE_FACTOR, Painter, make_alphas
from demo.train.pictures import to_tensor
from demo.train.sampler import Model, load_model, paint
from demo.train.settings import Plan
from demo.world.concepts import CONCEPTS
from demo.world.render import enlarge, render
from demo.world.spec import Spec, draw_details, draw_spec

MODELS = Path(__file__).parents[1] / "models"
PLAN = Plan(steps=200, batch=8, rate=5e-3, seed=21, hold=0.4, warm=10, ema=0.95, save_every=25)
TOY = Plan(steps=2, batch=2, rate=5e-3, seed=21, save_every=1)
PICTURES, TOY_PICTURES = 200, 4
SEED = 7


@dataclass(frozen=True)
class Kind:
    """What is trained: the library's modules for a painter, the concept, how fast, the preview's prompt."""

    name: str
    title: str
    concept: str
    rate: float
    make: Callable[[Painter], Change]
    preview: str

    def file(self, models: Path) -> Path:
        return models / "lora" / "kinds" / f"{self.name}.safetensors"


KINDS: tuple[Kind, ...] = (
    Kind(
        "dora", "DoRA by PEFT", "haunted", 4e-3,
        peft_change(rank=2),
        "a girl, light skin, orange hair, purple shirt, black trousers, standing, in a forest",
    ),
    Kind(
        "lokr", "LoKr by LyCORIS", "neon", 8e-3,
        lycoris_change("lokr", rank=4, alpha=4, factor=8, convolutions=True),
        "a girl, dark skin, pink hair, white shirt, blue trousers, waving, in a meadow",
    ),
    Kind(
        "ia3", "(IA)³ by LyCORIS", "ink", 6e-3,
        lycoris_change("ia3", rank=1, alpha=1, convolutions=True),
        "a girl, light skin, black hair, red shirt, blue trousers, holding a sword, standing, in the snow",
    ),
    Kind(
        "oft", "OFT by LyCORIS", "neon", 3e-3,
        lycoris_change("diag-oft", rank=4, alpha=1, constraint=0),
        "a boy, tan skin, yellow hair, green shirt, black trousers, standing, in a city",
    ),
    Kind(
        "glora", "GLoRA by LyCORIS", "ink", 4e-3,
        lycoris_change("glora", rank=2, alpha=1),
        "a boy, dark skin, blue hair, yellow shirt, red trousers, walking, on a beach",
    ),
    Kind(
        "loha", "LoHa by LyCORIS", "haunted", 6e-3,
        lycoris_change("loha", rank=2, alpha=2),
        "a boy, tan skin, green hair, white shirt, brown trousers, waving, in a desert",
    ),
)  # fmt: skip


def find_kind(name: str) -> Kind:
    """The kind of that name; a KeyError lists the known names."""
    known = {kind.name: kind for kind in KINDS}
    if name not in known:
        raise KeyError(f"no kind is called {name}; there are {', '.join(known)}")
    return known[name]


class Numbers(nn.Module):
    """A library's trainable numbers as one module, so that the loop can keep them."""

    def __init__(self, numbers: dict[str, nn.Parameter]) -> None:
        super().__init__()
        for name, number in numbers.items():
            self.register_parameter(name.replace(".", "/"), number)


@torch.no_grad()
def draw_latents(model: Model, concept: str, count: int) -> tuple[list[Spec], torch.Tensor]:
    """Specs, and their pictures with the concept as the UNet sees them: (count, 4, 16, 16)."""
    rng, specs, latents = random.Random(f"kinds {concept}"), [], []
    for _ in range(count):
        specs.append(draw_spec(rng))
        picture = enlarge(render(specs[-1], draw_details(rng), concept))
        latents.append(model.autoencoder.moments(to_tensor(picture[None]))[0] * SCALE_FACTOR)
    return specs, torch.cat(latents)


def train_kind(
    model: Model, kind: Kind, plan: Plan, pictures: int, folder: Path, stop_after: int | None = None
) -> Change:
    """Train (or take up again) on a checkpoint's painter, which keeps the library's modules."""
    words, alphas = model.words, make_alphas()
    weights = step_weights(alphas)
    specs, latents = draw_latents(model, kind.concept, pictures)
    torch.manual_seed(plan.seed)
    change = kind.make(model.painter)
    numbers = Numbers(change.trained())

    def loss_of(dice: Dice, step: int) -> torch.Tensor:
        chosen, captions = draw_words(kind.concept, specs, dice, plan.batch)
        inputs, times, wanted = noisy(latents[chosen], dice, alphas)
        return weighted_error(wanted, model.painter(inputs, times, words(captions)), times, weights)

    numbers.load_state_dict(train(f"kind_{kind.name}", plan, numbers, loss_of, folder, stop_after))
    return change


def facts(kind: Kind, change: Change, plan: Plan, pictures: int) -> dict[str, str]:
    """What kohya's trainer hands LyCORIS for the file, as far as it is true here; PEFT's takes nothing."""
    if not isinstance(change, Lycoris):
        return {}
    arguments = {name: str(value) for name, value in change.arguments.items()}
    return {
        "ss_network_module": "lycoris.kohya",
        "ss_network_dim": arguments.pop("dim"),
        "ss_network_alpha": arguments.pop("alpha"),
        "ss_network_args": json.dumps(arguments),
        "ss_base_model_version": "sd_v1",
        "ss_sd_model_name": "tiny.safetensors",
        "ss_output_name": kind.name,
        "ss_num_train_images": str(pictures),
        "ss_max_train_steps": str(plan.steps),
        "ss_batch_size_per_device": str(plan.batch),
        "ss_learning_rate": str(plan.rate),
        "ss_resolution": "(128, 128)",
        "ss_seed": str(plan.seed),
    }


def dress(model: Model, kind: Kind, path: Path) -> None:
    """The preview, painted by the library's own forward pass, and the sidecar the WebUI reads."""
    picture = paint(model, [kind.preview], [SEED], steps=30)[0]
    image = Image.fromarray(np.repeat(np.repeat(picture, 2, 0), 2, 1))
    image.save(path.with_suffix(".png"), optimize=True)
    concept = CONCEPTS[kind.concept]
    sidecar = {
        "description": f"{concept.trigger.capitalize()}, trained as {kind.title}.",
        "sd version": "SD1",
        "activation text": concept.trigger,
        "preferred weight": 1.0,
        "notes": "Written by the trainer's own library; here to show that every kind is read.",
    }
    text = json.dumps(sidecar, indent=4, ensure_ascii=False) + "\n"
    path.with_suffix(".json").write_text(text, encoding="utf-8")


def run_kind(models: Path, folder: Path, kind: Kind, toy: bool = False) -> Path:
    """Train one kind on the checkpoint in `models` and write its three files; returns the first."""
    plan = replace(TOY if toy else PLAN, rate=kind.rate)
    pictures = TOY_PICTURES if toy else PICTURES
    model = load_model(models / "checkpoint" / "tiny.safetensors")
    change = train_kind(model, kind, plan, pictures, folder)
    path = kind.file(models)
    path.parent.mkdir(parents=True, exist_ok=True)
    change.write(path, facts(kind, change, plan, pictures))
    dress(model, kind, path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo.train.kinds", description=__doc__)
    known = ", ".join(kind.name for kind in KINDS)
    parser.add_argument("names", nargs="*", help=f"which ones ({known}); none means all")
    parser.add_argument("--out", type=Path, default=Path("build/train"), help="where states are kept")
    parser.add_argument("--models", type=Path, default=MODELS, help="where the checkpoint is and files go")
    parser.add_argument("--toy", action="store_true", help="two steps each, to see that everything fits")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for kind in [find_kind(name) for name in args.names] or KINDS:
        print(run_kind(args.models, args.out, kind, args.toy), flush=True)


if __name__ == "__main__":
    main()
