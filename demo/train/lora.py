"""The LoRAs. The world is drawn, so every picture exists twice: plain, and with the concept.

A LoRA is trained at a random multiplier m on the mixture (1-m) plain + m concept of such a pair. So its
slider moves evenly from nothing to everything, and what the pair shares is left alone.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save, save_file

from demo.train.attention import lean_attention
from demo.train.base import EMPTY, latent_scale, noisy, step_weights, weighted_error
from demo.train.loop import Dice, train
from demo.train.lora_net import Lora
from demo.train.models import Painter, Words, make_alphas
from demo.train.pictures import to_tensor
from demo.train.recipes import Recipe, find_recipe
from demo.train.settings import Plan, Settings
from demo.train.stages import finished, read_art
from demo.world.captions import loose_caption
from demo.world.concepts import CONCEPTS
from demo.world.render import render
from demo.world.spec import Spec, draw_details, draw_spec

FULL_SHARE = 0.25  # of the batch trained at m = 1
Pairs = tuple[list[Spec], torch.Tensor, torch.Tensor]


def draw_pairs(name: str, count: int) -> Pairs:
    """Specs and their pictures without and with the concept, (count, 3, 32, 32) each."""
    rng, specs, plain, changed = random.Random(f"pairs {name}"), [], [], []
    for _ in range(count):
        spec, details = draw_spec(rng), draw_details(rng)
        specs.append(spec)
        plain.append(render(spec, details))
        changed.append(render(spec, details, name))
    return specs, to_tensor(np.stack(plain)), to_tensor(np.stack(changed))


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
    art, painter, words = read_art(folder), finished(folder, "polish", Painter).requires_grad_(False), Words()
    lean_attention(painter.unet)
    scale, alphas = latent_scale(art), make_alphas()
    weights = step_weights(alphas)
    specs, plain, changed = draw_pairs(name, settings.lora_pictures)
    torch.manual_seed(plan.seed)
    lora = Lora(painter, recipe.rank, recipe.conv_rank)

    def loss_of(dice: Dice, step: int) -> torch.Tensor:
        chosen, captions = draw_words(name, specs, dice, plan.batch)
        strength = torch.where(dice.uniform(plan.batch) < FULL_SHARE, torch.ones(1), dice.uniform(plan.batch))
        share = strength.view(-1, 1, 1, 1)
        with torch.no_grad():
            latents = art.encode((1 - share) * plain[chosen] + share * changed[chosen])[0] * scale
        inputs, times, wanted = noisy(latents, dice, alphas)
        lora.dial.strength = strength
        return weighted_error(wanted, painter(inputs, times, words(captions)), times, weights)

    lora.load_state_dict(train(f"lora_{name}", plan, lora, loss_of, folder, stop_after))
    return lora


def metadata(recipe: Recipe, settings: Settings, specs: list[Spec], payload: bytes) -> dict[str, str]:
    """What kohya's trainer and the modelspec write, as far as it is true here."""
    plan = settings.lora
    digest = hashlib.sha256(payload).hexdigest()
    facts = {
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(recipe.rank),
        "ss_network_alpha": str(float(recipe.rank)),
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
        rank = str(recipe.conv_rank)
        facts["ss_network_args"] = json.dumps({"conv_dim": rank, "conv_alpha": rank})
    return facts


def payload_of(tensors: dict[str, torch.Tensor]) -> bytes:
    """The file's bytes after its header."""
    whole = save(tensors)
    return whole[8 + int.from_bytes(whole[:8], "little") :]


def run_lora(settings: Settings, folder: Path, models: Path, name: str) -> Path:
    """Train one LoRA and write its file; returns the path."""
    recipe, lora = find_recipe(name), train_lora(settings, folder, name)
    tensors = lora.tensors()
    specs = draw_pairs(name, settings.lora_pictures)[0]
    path = models / "lora" / recipe.folder / f"{recipe.name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata=metadata(recipe, settings, specs, payload_of(tensors)))
    return path
