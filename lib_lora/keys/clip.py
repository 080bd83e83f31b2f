"""The modules of a CLIP text model under their Hugging Face names, which are the canonical ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lib_lora.keys.shapes import Shape

OLD_ATTENTION = (("q_proj", "to_q"), ("k_proj", "to_k"), ("v_proj", "to_v"), ("out_proj", "to_out"))
"""Today's name and the one diffusers' first LoRA files used inside `self_attn`."""

VOCABULARY, TOKENS = 49408, 77
PROJECTION = "text_projection"


@dataclass(frozen=True)
class TextEncoder:
    """A text encoder of a checkpoint.

    part: its name in canonical names. split: whether files name its modules as Hugging Face does only;
    otherwise OpenCLIP's names, with a fused attention, occur too. projection: whether it has a learned one.
    """

    part: str
    layers: int
    width: int
    split: bool = True
    projection: bool = False


def clip_modules(layers: int) -> Iterator[str]:
    """Yield the path of every module that can hold weights, for a text model of so many layers."""
    yield "text_model.embeddings.token_embedding"
    yield "text_model.embeddings.position_embedding"
    for layer in range(layers):
        stem = f"text_model.encoder.layers.{layer}"
        for name, _ in OLD_ATTENTION:
            yield f"{stem}.self_attn.{name}"
        for name in ("mlp.fc1", "mlp.fc2", "layer_norm1", "layer_norm2"):
            yield f"{stem}.{name}"
    yield "text_model.final_layer_norm"


def clip_shapes(text: TextEncoder) -> dict[str, Shape]:
    """Return the shape of every module's weight by path."""
    width = text.width
    special: tuple[tuple[str, Shape], ...] = (
        ("token_embedding", (VOCABULARY, width)),
        ("position_embedding", (TOKENS, width)),
        ("mlp.fc1", (4 * width, width)),
        ("mlp.fc2", (width, 4 * width)),
        ("_proj", (width, width)),
    )
    found: dict[str, Shape] = {}
    for path in clip_modules(text.layers):
        # What is none of these is a norm.
        found[path] = next((shape for ending, shape in special if path.endswith(ending)), (width,))
    if text.projection:
        found[PROJECTION] = (width, width)
    return found


def clip_aliases(path: str) -> Iterator[str]:
    """Yield the older spelling of an attention module: `self_attn.to_q` for `self_attn.q_proj`."""
    for name, old in OLD_ATTENTION:
        if path.endswith(f".self_attn.{name}"):
            yield path[: -len(name)] + old
