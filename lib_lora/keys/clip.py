"""The modules of a CLIP text model under their Hugging Face names."""

from __future__ import annotations

from collections.abc import Iterator

OLD_ATTENTION = (("q_proj", "to_q"), ("k_proj", "to_k"), ("v_proj", "to_v"), ("out_proj", "to_out"))
"""Today's name and the one diffusers' first LoRA files used inside `self_attn`."""


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


def clip_aliases(path: str) -> Iterator[str]:
    """Yield the older spelling of an attention module: `self_attn.to_q` for `self_attn.q_proj`."""
    for name, old in OLD_ATTENTION:
        if path.endswith(f".self_attn.{name}"):
            yield path[: -len(name)] + old
