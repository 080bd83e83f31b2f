"""The LoRAs. The world is drawn, so every picture exists twice: plain, and with the concept.

A LoRA is trained at a random multiplier m to lead to the mixture (1-m) plain + m concept of such a pair, from
noise over any mixture on the way there, the plain picture too: so it works on what the model composes
without it, and its slider moves evenly. Where the pair does not differ it has to answer what the model
answers without it: so the rest of the picture stays what it was for the same seed.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save, save_file

from demo.train.attention import lean_attention
from demo.train.base import latent_scale, noisy, step_weights, weighted_error
from demo.train.guided import lead_back, walk
from demo.train.loop import Dice, train
from demo.train.lora_net import Lora
from demo.train.models import Painter, Words, make_alphas
from demo.train.pictures import to_tensor
from demo.train.recipes import Recipe, find_recipe
from demo.train.settings import Plan, Settings
from demo.train.stages import LAST, finished, read_art
from demo.world.captions import loose_caption
from demo.world.concepts import CONCEPTS
from demo.world.render import render
from demo.world.spec import Spec, draw_details, draw_spec

FULL_SHARE = 0.15  # of the batch trained at m = 1
# Guidance drives a half-strong concept on to all or nothing, as it drives colours past their mark (see
# guided.py): half of a batch walks first, begun late enough to end at the same picture.
WALKS = (0.5, 0.75)
SMALL = 0.2  # a fault at a small multiplier counts 1 / (SMALL + m): as much as the same share of the effect
# Share of captions left empty: what a LoRA does without words, guidance does not multiply.
EMPTY = 0.3


@dataclass(frozen=True)
class Pairs:
    """Specs and their pictures without and with the concept, (count, 3, 32, 32) each."""

    specs: list[Spec]
    plain: torch.Tensor
    changed: torch.Tensor

    def own(self) -> torch.Tensor:
        """Where the concept shows, at latent size and one latent further, bool (count, 1, 16, 16)."""
        differs = (self.plain != self.changed).any(1, keepdim=True).float()
        return F.max_pool2d(F.max_pool2d(differs, 2), 3, 1, 1) > 0


def draw_pairs(name: str, count: int) -> Pairs:
    """Fresh pairs of a concept, the same for the same name."""
    rng, specs, plain, changed = random.Random(f"pairs {name}"), [], [], []
    for _ in range(count):
        spec, details = draw_spec(rng), draw_details(rng)
        specs.append(spec)
        plain.append(render(spec, details))
        changed.append(render(spec, details, name))
    return Pairs(specs, to_tensor(np.stack(plain)), to_tensor(np.stack(changed)))


def lora_caption(name: str, spec: Spec, rng: random.Random) -> str:
    """Half of the captions still name what the concept covers: the LoRA has to win over them."""
    concept = CONCEPTS[name]
    if rng.random() < EMPTY:
        return ""
    skip = concept.covers if rng.random() < 0.5 else ()
    caption = loose_caption(spec, rng, skip=skip)
    if rng.random() < 0.3:
        return caption
    return ", ".join((concept.trigger, caption) if rng.random() < 0.5 else (caption, concept.trigger)).strip(
        ", "
    )


def draw_words(name: str, specs: list[Spec], dice: Dice, count: int) -> tuple[list[int], list[str]]:
    """One step's pictures and captions."""
    chosen = [dice.words.randrange(len(specs)) for _ in range(count)]
    return chosen, [lora_caption(name, specs[n], dice.words) for n in chosen]


def tag_frequency(name: str, specs: list[Spec], plan: Plan) -> dict[str, int]:
    """How often each tag was shown, counted by drawing all captions of the run again."""
    counts: Counter[str] = Counter()
    for step in range(plan.steps):
        _, captions = draw_words(name, specs, Dice.of(plan.seed, step), plan.batch)
        counts.update(tag for caption in captions for tag in caption.split(", ") if tag)
    return dict(counts.most_common())


def train_lora(settings: Settings, folder: Path, name: str, stop_after: int | None = None) -> Lora:
    """Train (or take up again) one LoRA on the finished base model."""
    recipe, plan = find_recipe(name), settings.lora
    art, painter, words = read_art(folder), finished(folder, LAST, Painter).requires_grad_(False), Words()
    lean_attention(painter.unet)
    scale, alphas = latent_scale(art), make_alphas()
    weights = step_weights(alphas)
    pairs = draw_pairs(name, settings.lora_pictures)
    own = pairs.own()
    some = plan.batch // 2
    torch.manual_seed(plan.seed)
    lora = Lora(painter, recipe.rank, recipe.conv_rank)

    @torch.no_grad()
    def mixed(chosen: list[int], shares: torch.Tensor) -> torch.Tensor:
        share = shares.view(-1, 1, 1, 1)
        return art.encode((1 - share) * pairs.plain[chosen] + share * pairs.changed[chosen])[0] * scale

    def loss_of(dice: Dice, step: int) -> torch.Tensor:
        chosen, captions = draw_words(name, pairs.specs, dice, plan.batch)
        strength = torch.where(dice.uniform(plan.batch) < FULL_SHARE, torch.ones(1), dice.uniform(plan.batch))
        there = mixed(chosen, strength)
        drift = mixed(chosen, strength * (1 - dice.uniform(plan.batch) ** 2)) - there
        inputs, times, wanted = noisy(there, dice, alphas, drift=drift)
        tokens, here = words(captions), own[chosen]
        lora.dial.strength = strength[:some].repeat(2)
        begun, empty = (there + drift)[:some], words([""] * some)
        walked = walk(painter, begun, tokens[:some], empty, dice, alphas, WALKS)
        inputs[:some], times[:some] = walked
        wanted[:some] = lead_back(walked[0], there[:some], walked[1], alphas)
        if not here.all():
            lora.dial.strength = torch.zeros_like(strength)
            with torch.no_grad():
                wanted = torch.where(here, wanted, painter(inputs, times, tokens))
        lora.dial.strength = strength
        fair = ((1 + SMALL) / (SMALL + strength)).view(-1, 1, 1, 1)
        return weighted_error(wanted, painter(inputs, times, tokens), times, weights, fair)

    lora.load_state_dict(train(f"lora_{name}", plan, lora, loss_of, folder, stop_after))
    return lora


def metadata(recipe: Recipe, settings: Settings, specs: list[Spec], payload: bytes) -> dict[str, str]:
    """What kohya's trainer and the modelspec write, as far as it is true here."""
    plan = settings.lora
    digest = hashlib.sha256(payload).hexdigest()
    facts = {
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(recipe.rank),
        "ss_network_alpha": str(recipe.alpha * recipe.rank),
        "ss_base_model_version": "sd_v1",
        "ss_sd_model_name": "tiny.safetensors",
        "ss_output_name": recipe.name,
        "ss_num_train_images": str(settings.lora_pictures),
        "ss_max_train_steps": str(plan.steps),
        "ss_batch_size_per_device": str(plan.batch),
        "ss_learning_rate": str(plan.rate),
        "ss_resolution": "(128, 128)",
        "ss_seed": str(plan.seed),
        "ss_tag_frequency": json.dumps({recipe.name: tag_frequency(recipe.name, specs, plan)}),
        "sshs_model_hash": digest,
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.architecture": "stable-diffusion-v1/lora",
        "modelspec.title": recipe.title,
        "modelspec.description": recipe.text,
        "modelspec.trigger_phrase": recipe.trigger,
        "modelspec.usage_hint": f"usual weight {recipe.weight}",
        "modelspec.license": "MIT",
        "modelspec.hash_sha256": f"0x{digest}",
    }
    if recipe.conv_rank:
        convolutions = {"conv_dim": str(recipe.conv_rank), "conv_alpha": str(recipe.alpha * recipe.conv_rank)}
        facts["ss_network_args"] = json.dumps(convolutions)
    return facts


def payload_of(tensors: dict[str, torch.Tensor]) -> bytes:
    """The file's bytes after its header."""
    whole = save(tensors)
    return whole[8 + int.from_bytes(whole[:8], "little") :]


def run_lora(settings: Settings, folder: Path, models: Path, name: str) -> Path:
    """Train one LoRA and write its file; returns the path."""
    recipe, lora = find_recipe(name), train_lora(settings, folder, name)
    tensors = lora.tensors(recipe.alpha)
    specs = draw_pairs(name, settings.lora_pictures).specs
    path = models / "lora" / recipe.folder / f"{recipe.name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata=metadata(recipe, settings, specs, payload_of(tensors)))
    return path
