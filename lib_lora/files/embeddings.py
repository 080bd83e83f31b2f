"""Embeddings packed into a LoRA file (LyCORIS' `pack_bundle`, OneTrainer): which tensors are theirs.

    bundle_emb.<name>.string_to_param.<token>     as textual inversions of SD1 and SD2 are stored
    bundle_emb.<name>.emb_params                  as diffusers stores them
    bundle_emb.<name>.clip_l and .clip_g          SDXL, one for each text encoder

A name may hold dots and spaces, so the ending is looked for from the right.
"""

from __future__ import annotations

from collections.abc import Iterable

PREFIX = "bundle_emb."
VECTORS, CLIP_L, CLIP_G = "vectors", "clip_l", "clip_g"
"""What a tensor holds: vectors for the only text encoder, or for one of two."""

_TOKEN = ".string_to_param."
_ENDINGS = ((".emb_params", VECTORS), (".clip_l", CLIP_L), (".clip_g", CLIP_G))

Bundle = dict[str, dict[str, str]]


def split_bundle(names: Iterable[str]) -> tuple[Bundle, tuple[str, ...]]:
    """Return the tensors of every embedding by its name and by what they hold, and all other names."""
    bundle: Bundle = {}
    rest: list[str] = []
    for name in names:
        found = _read(name)
        if found is None or found[1] in bundle.get(found[0], ()):
            rest.append(name)
        else:
            bundle.setdefault(found[0], {})[found[1]] = name
    return bundle, tuple(rest)


def _read(name: str) -> tuple[str, str] | None:
    """Return an embedding's name and what the tensor holds, None for any other tensor."""
    if not name.startswith(PREFIX):
        return None
    inside = name[len(PREFIX) :]
    for ending, holds in _ENDINGS:
        if inside.endswith(ending) and len(inside) > len(ending):
            return inside[: -len(ending)], holds
    called, _, token = inside.rpartition(_TOKEN)
    return (called, VECTORS) if called and token else None
