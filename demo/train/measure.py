"""`python -m demo.train.measure`: the numbers of the model card, as Markdown tables.

base: the judge at several guidances and step counts. decode: the autoencoder. sliders: how evenly each LoRA
answers and what it leaves alone. stacks: two and three LoRAs at their usual weights.
"""

from __future__ import annotations

import argparse
import itertools
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from demo.train.pictures import draw_pool, psnr, to_tensor
from demo.train.recipes import RECIPES, Recipe, find_recipe
from demo.train.sampler import Model, load_model, paint, with_loras
from demo.world.captions import full_caption
from demo.world.concepts import CONCEPTS
from demo.world.judge import distance, judge, place_figure, shrink, unseen_specs
from demo.world.render import draw_figure, enlarge, render
from demo.world.spec import Spec, draw_details, draw_spec
from demo.world.words import SLOTS

MODELS = Path(__file__).parents[1] / "models"
WEIGHTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2)
CHANGED = 24.0  # colour distance from which a pixel counts as the concept's own
STACKS = (
    (("zorp", 0.7), ("neon", 0.5)),
    (("zorp", 0.7), ("ink", 0.5)),
    (("mecha_suit", 0.75), ("neon", 0.5)),
    (("zorp", 0.7), ("mecha_suit", 0.75)),
    (("haunted", 0.8), ("mecha_suit", 0.75)),
    (("rosy", 0.25), ("ink", 0.5)),
    (("zorp", 0.7), ("mecha_suit", 0.75), ("neon", 0.5)),
)


@dataclass(frozen=True)
class Target:
    """A picture without the LoRA, what the concept makes of it, the pixels it changes and those it leaves.

    What a concept takes away (Zorp's hair and hat) is neither: nobody knows what was behind.
    """

    before: np.ndarray
    after: np.ndarray
    inside: np.ndarray
    outside: np.ndarray


def row(*cells: object) -> str:
    return "| " + " | ".join(f"{c:.2f}" if isinstance(c, float) else str(c) for c in cells) + " |"


def head(*cells: object) -> str:
    return row(*cells) + "\n" + row(*["---"] * len(cells))


def lora_path(models: Path, recipe: Recipe) -> Path:
    return models / "lora" / recipe.folder / f"{recipe.name}.safetensors"


def aim(picture: np.ndarray, spec: Spec, name: str) -> Target:
    """The concept drawn onto a picture, at the figure's own place."""
    art, concept = shrink(picture), CONCEPTS[name]
    details = place_figure(art, spec)
    plain, changed = draw_figure(spec, details), draw_figure(spec, details, concept)
    differs = (plain != changed).any(-1)
    redrawn = differs & (changed[..., 3] > 0)
    after = np.where(redrawn[..., None], changed[..., :3], art)
    if concept.finish is not None:
        after = concept.finish(after.round().astype(np.uint8), details).astype(np.float32)
    inside = distance(after, art) > CHANGED
    return Target(art, after, inside, ~inside & ~differs)


def measure_decode(model: Model) -> str:
    """Decibels of clean pictures, encoded and decoded at full size."""
    pictures = to_tensor(
        enlarge(np.stack([render(s, draw_details(random.Random(n))) for n, s in enumerate(unseen_specs(48))]))
    )
    pool = to_tensor(enlarge(draw_pool(48, 99)))
    with torch.no_grad():
        plain, mixed = (
            psnr(
                torch.cat(
                    [model.autoencoder.decode(model.autoencoder.moments(p[None])[0]) for p in part]
                ).clamp(-1, 1),
                part,
            )
            for part in (pictures, pool)
        )
    return (
        head("pictures", "dB")
        + "\n"
        + row("48 unseen of the world", plain)
        + "\n"
        + row("48 with concepts and mixtures", mixed)
    )


def measure_base(model: Model, count: int, guidances: Sequence[float], steps: Sequence[int]) -> str:
    """The judge's share by slot."""
    specs = unseen_specs(count)
    lines = [head("CFG", "steps", *SLOTS)]
    for cfg, number in itertools.product(guidances, steps):
        pictures = paint(model, [full_caption(s) for s in specs], range(count), number, cfg)
        lines.append(row(f"{cfg:g}", number, *(f"{share:.3f}" for share in judge(pictures, specs).values())))
        print(lines[-1], flush=True)
    return "\n".join(lines)


def lora_specs(count: int) -> list[Spec]:
    rng = random.Random("sliders")
    return [draw_spec(rng) for _ in range(count)]


@dataclass(frozen=True)
class Slider:
    """What a LoRA did at WEIGHTS, means over several pictures.

    far: colour distance to the concept in its own pixels. way: share of the way to the concept that the
    whole picture went (what differs from it otherwise does not count). outside: colour distance to the
    picture without the LoRA where the concept leaves it, at 0.6 and at 1.
    """

    far: tuple[float, ...]
    way: tuple[float, ...]
    outside: tuple[float, float]

    @property
    def largest_step(self) -> float:
        """Share of the distance from 0 to 1 that the largest step of 0.2 carries."""
        return max(a - b for a, b in itertools.pairwise(self.far[:6])) / (self.far[0] - self.far[5])

    @property
    def largest_way(self) -> float:
        """The same for the way."""
        return max(b - a for a, b in itertools.pairwise(self.way[:6])) / self.way[5]


def mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def gone(picture: np.ndarray, target: Target) -> float:
    """Share of the way from a target's picture to its concept, 0 to 1."""
    whole = (target.after - target.before).ravel()
    return float((picture - target.before).ravel() @ whole / (whole @ whole))


def measure_slider(
    model: Model, models: Path, recipe: Recipe, count: int, cfg: float, trigger: bool
) -> Slider:
    """Draw the same pictures at every weight, and compare each with the concept drawn onto the first."""
    specs = lora_specs(count)
    captions = [full_caption(s) + (f", {recipe.trigger}" if trigger else "") for s in specs]
    series: list[np.ndarray] = []
    for weight in WEIGHTS:
        with with_loras(model.painter, [(lora_path(models, recipe), weight)]):
            series.append(np.stack([shrink(p) for p in paint(model, captions, range(count), 20, cfg)]))
    targets = [aim(picture, spec, recipe.name) for picture, spec in zip(series[0], specs, strict=True)]
    pairs = [tuple(zip(pictures, targets, strict=True)) for pictures in series]
    left_alone = [
        mean(distance(a, t.before)[t.outside].mean() if t.outside.any() else 0.0 for a, t in pairs[n])
        for n in (3, 5)
    ]
    return Slider(
        tuple(mean(distance(a, t.after)[t.inside].mean() for a, t in pair) for pair in pairs),
        tuple(mean(gone(a, t) for a, t in pair) for pair in pairs),
        (left_alone[0], left_alone[1]),
    )


def slider_tables(measured: Sequence[tuple[Recipe, bool, Slider]]) -> str:
    """Two tables: distances to the concept with the change outside, and the way towards it."""
    lines = [head("LoRA", "trigger", *WEIGHTS, "largest step", "outside at 0.6", "outside at 1")]
    for recipe, trigger, s in measured:
        far, outside = ([f"{value:.1f}" for value in values] for values in (s.far, s.outside))
        lines.append(row(recipe.name, "yes" if trigger else "no", *far, f"{s.largest_step:.0%}", *outside))
    lines += ["", head("LoRA", "trigger", *WEIGHTS, "largest step")]
    for recipe, trigger, s in measured:
        lines.append(row(recipe.name, "yes" if trigger else "no", *s.way, f"{s.largest_way:.0%}"))
    return "\n".join(lines)


def measure_stack(
    model: Model, models: Path, stack: Sequence[tuple[str, float]], count: int, cfg: float
) -> str:
    """How far the picture went towards each concept, as a share of the way its own weight alone goes."""
    specs = lora_specs(count)
    triggers = ", ".join(CONCEPTS[name].trigger for name, _ in stack)
    captions = [f"{full_caption(s)}, {triggers}" for s in specs]

    def draw(loras: Sequence[tuple[str, float]]) -> list[np.ndarray]:
        with with_loras(model.painter, [(lora_path(models, find_recipe(n)), w) for n, w in loras]):
            return [shrink(p) for p in paint(model, captions, range(count), 20, cfg)]

    before, together = draw(()), draw(stack)
    aims = [
        [aim(picture, spec, name).after - picture for name, _ in stack]
        for picture, spec in zip(before, specs, strict=True)
    ]

    def shares(pictures: list[np.ndarray]) -> np.ndarray:
        solved = [
            np.linalg.lstsq(np.stack([d.ravel() for d in directions], 1), (a - b).ravel(), rcond=None)[0]
            for a, b, directions in zip(pictures, before, aims, strict=True)
        ]
        return np.mean(solved, 0)

    both = shares(together)
    alone = [shares(draw([entry]))[n] for n, entry in enumerate(stack)]
    names = " + ".join(f"{name} {weight:g}" for name, weight in stack)
    return row(names, " / ".join(f"{v:.2f}" for v in alone), " / ".join(f"{v:.2f}" for v in both))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo.train.measure", description=__doc__)
    parser.add_argument("what", choices=("base", "decode", "sliders", "stacks"))
    parser.add_argument("names", nargs="*", help="for sliders: which LoRAs")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--count", type=int, default=0, help="pictures a row; 0 means the card's own number")
    parser.add_argument("--cfg", type=float, nargs="*", default=None)
    parser.add_argument("--steps", type=int, nargs="*", default=[12, 20, 30])
    args = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(args.models / "checkpoint" / "tiny.safetensors")
    if args.what == "decode":
        print(measure_decode(model))
    elif args.what == "base":
        print(measure_base(model, args.count or 96, args.cfg or (3, 5, 7), args.steps))
    elif args.what == "sliders":
        cfg, recipes = (args.cfg or [5])[0], [find_recipe(name) for name in args.names] or RECIPES
        measured = [
            (recipe, trigger, measure_slider(model, args.models, recipe, args.count or 12, cfg, trigger))
            for recipe in recipes
            for trigger in (True, False)
        ]
        print(slider_tables(measured))
    else:
        print(head("stack", "share of the way, each alone", "together"))
        for stack in STACKS:
            print(
                measure_stack(model, args.models, stack, args.count or 12, (args.cfg or [5])[0]), flush=True
            )


if __name__ == "__main__":
    main()
