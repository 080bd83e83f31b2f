"""Captions for specs: complete ones for judging, loose ones for training."""

from __future__ import annotations

import random
from collections.abc import Collection

from demo.world.spec import Spec
from demo.world.words import FILLER, SCENE_WORDS


def worn(hat: str) -> str:
    """How a hat is said to be worn."""
    return f"wearing {hat}" if hat.endswith("s") else f"wearing a {hat}"


def held(item: str) -> str:
    """How an item is said to be held."""
    return f"holding a {item}"


def full_caption(spec: Spec, skip: Collection[str] = ()) -> str:
    """Every slot said once in a fixed order, except the slots in `skip`."""
    said = [f"a {spec.who}"] if "who" not in skip else []
    said += [
        text
        for slot, text in (
            ("skin", f"{spec.skin} skin"),
            ("hair", f"{spec.hair} hair"),
            ("shirt", f"{spec.shirt} shirt"),
            ("trousers", f"{spec.trousers} trousers"),
            ("hat", worn(spec.hat) if spec.hat else ""),
            ("item", held(spec.item) if spec.item else ""),
            ("pose", spec.pose),
            ("scene", SCENE_WORDS[spec.scene][0]),
        )
        if text and slot not in skip
    ]
    return ", ".join(said)


def loose_caption(
    spec: Spec,
    rng: random.Random,
    drop: float = 0.12,
    skip: Collection[str] = (),
    always: Collection[str] = (),
) -> str:
    """A caption as people write them: some slots left out, other wordings, half of them in any order.

    The slots in `always` are never left out.
    """
    wordings = (
        ("skin", (f"{spec.skin} skin",)),
        ("hair", (f"{spec.hair} hair", f"{spec.hair} hair", f"with {spec.hair} hair")),
        ("shirt", (f"{spec.shirt} shirt", f"wearing {spec.shirt} shirt")),
        ("trousers", (f"{spec.trousers} trousers",)),
        ("hat", (spec.hat, worn(spec.hat)) if spec.hat else ()),
        ("item", (spec.item, held(spec.item)) if spec.item else ()),
        ("pose", (spec.pose,)),
        ("scene", SCENE_WORDS[spec.scene]),
    )
    parts = [
        rng.choice(texts)
        for slot, texts in wordings
        if texts and slot not in skip and (rng.random() > drop or slot in always)
    ]
    if rng.random() < 0.5:
        rng.shuffle(parts)
    if rng.random() < 0.2:
        parts.insert(rng.randrange(len(parts) + 1), rng.choice(FILLER))
    if "who" not in skip and rng.random() > drop / 2:
        parts.insert(0, rng.choice((f"a {spec.who}", f"a {spec.who}", spec.who)))
    return ", ".join(parts)
