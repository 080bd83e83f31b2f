"""Good files to begin with: every prefix and suffix there is a spelling for, every family of the table.

The first part needs no torch; the second draws the tensors of `tests/adapters/table.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from random import Random

from lib_lora.keys.spellings import PREFIXES, SUFFIXES
from tests.fuzz.draft import BITS, Draft, Piece

Shape = tuple[int, ...]

PATHS: tuple[tuple[str, Shape], ...] = (
    ("conv_in", (8, 4, 3, 3)),
    ("input_blocks.0.0", (8, 4, 3, 3)),
    ("mid_block.attentions.0.proj_in", (8, 8, 1, 1)),
    ("middle_block.1.transformer_blocks.0.attn1.to_q", (8, 8)),
    ("down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k", (8, 768)),
    ("input_blocks.7.1.transformer_blocks.9.attn2.to_v", (8, 2048)),
    ("mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out", (8, 8)),
    ("up_blocks.0.upsamplers.0.conv", (8, 8, 3, 3)),
    ("text_model.encoder.layers.0.self_attn.q_proj", (8, 8)),
    ("text_model.encoder.layers.11.mlp.fc1", (8, 1024)),
    ("double_blocks.0.img_attn.qkv", (24, 8)),
    ("joint_blocks.3.x_block.attn.qkv", (24, 8)),
)
EXPORTS = ("base_model.model.", "unet.", "unet.base_model.model.", "diffusion_model.")
"""Before dotted paths, as PEFT, diffusers and ComfyUI write them."""
PLACES: dict[str, tuple[str, str, Shape]] = {
    "conv3x3": ("unet.input_blocks.0.0", "unet_conv_in", (8, 4, 3, 3)),
    "conv1x1": ("unet.middle_block.1.proj_in", "unet_mid_block_attentions_0_proj_in", (8, 8, 1, 1)),
    "linear": (
        "unet.middle_block.1.transformer_blocks.0.attn1.to_q",
        "unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q",
        (8, 8),
    ),
    "text encoder": (
        "clip_l.text_model.encoder.layers.0.self_attn.q_proj",
        "te_text_model_encoder_layers_0_self_attn_q_proj",
        (8, 8),
    ),
}
"""For every kind of weight of the table: a canonical name, the trainers' name, a small shape."""
DOTTED = {
    "conv3x3": "conv_in",
    "conv1x1": "mid_block.attentions.0.proj_in",
    "linear": "mid_block.attentions.0.transformer_blocks.0.attn1.to_q",
}
"""The same places with dots."""
GROUPS: tuple[tuple[str, ...], ...] = (
    ("lora_up", "lora_down", "alpha"),
    ("lora_up", "lora_down", "lora_mid", "alpha"),
    ("lora_up", "lora_down", "dora_scale"),
    ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "alpha"),
    ("lokr_w1", "lokr_w2_a", "lokr_w2_b", "alpha"),
    ("a1", "a2", "b1", "b2", "alpha"),
    ("oft_blocks", "alpha"),
    ("weight", "on_input"),
    ("diff", "diff_b"),
    ("w_norm", "b_norm"),
    (),
)
METADATA: tuple[tuple[str, str], ...] = (
    ("format", "pt"),
    ("ss_base_model_version", "sdxl_base_v1-0"),
    ("ss_network_args", '{"rs_lora": true}'),
    ("lora_adapter_metadata", '{"unet.r": 4, "unet.lora_alpha": 8, "unet.rank_pattern": {".*to_q": 2}}'),
    ("lora_adapter_metadata", '{"unet.r": 5e-324, "unet.lora_alpha": 1e308, "unet.use_rslora": true}'),
    ("ss_output_name", "neon \u202e\x00 v1"),
    ("ss_tag_frequency", '{"10_neon": {"neon": 9, "night": 4}}'),
    ("ss_tag_frequency", "[" * 5000),
    ("sshs_model_hash", "ab" * 32),
    ("modelspec.architecture", "stable-diffusion-v1/lora"),
    ("modelspec.trigger_phrase", "neon, night"),
    ("modelspec.thumbnail", "data:image/png;base64," + "A" * 200),
)
SPELLED = {
    role: tuple(end for end, its in SUFFIXES.items() if its == role) for role in sorted({*SUFFIXES.values()})
}
"""Every suffix a role is written with."""
RANKS = (1, 2, 4)


def words(rng: Random) -> Draft:
    """Draw a file of zeros whose names are anything the tables know; no numbers worth computing with."""
    draft = Draft(drawn_metadata(rng))
    for _ in range(rng.choice((1, 1, 2))):
        path, (out, into, *kernel) = rng.choice(PATHS)
        start = spelled(rng, path, rng.choice(PREFIXES)[0])
        rank = rng.choice(RANKS)
        shapes: dict[str, Shape] = {
            "alpha": (),
            "on_input": (),
            "lora_up": (out, rank, *(1 for _ in kernel)),
            "lora_mid": (rank, rank, 3, 3),
            "oft_blocks": (2, out // 2, out // 2),
            "w_norm": (out,),
            "b_norm": (out,),
            "diff_b": (out,),
            "dora_scale": (out, 1),
        }
        for role in rng.choice(GROUPS) or rng.sample(list(SPELLED), 3):
            shape = shapes.get(role, (rank, into, *kernel))
            dtype = rng.choice(("F16", "F16", "F32", "BF16"))
            piece = Piece(start + rng.choice(SPELLED[role]), dtype, list(shape), b"")
            piece.data = bytes(piece.size)
            draft.pieces.append(piece)
    return draft


def spelled(rng: Random, path: str, prefix: str) -> str:
    """Write a module with dots or underscores."""
    joined = f"{prefix}.{path}" if prefix else path
    return joined.replace(".", "_") if prefix.startswith(("lora_", "oft_", "lycoris")) else joined


def drawn_metadata(rng: Random) -> dict[str, object] | None:
    """Draw none, some or strange metadata."""
    return dict(rng.sample(METADATA, rng.randint(0, 4))) if rng.random() < 0.6 else None


@dataclass(frozen=True)
class Sample:
    """One weight's tensors by role: shape, and the numbers in every type a file may have."""

    case: str
    kind: str
    tensors: tuple[tuple[str, Shape, dict[str, bytes]], ...]


@cache
def samples() -> tuple[Sample, ...]:
    """Draw every family of the table for every kind of weight of the toy; imports torch."""
    import torch

    from tests.adapters.table import CASES

    torch.manual_seed(31)
    types = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "F64": torch.float64}
    found = []
    for case in CASES:
        for kind in case.hosts:
            tensors = [
                (
                    role,
                    tuple(tensor.shape),
                    {name: _bytes(tensor.to(dtype)) for name, dtype in types.items()},
                )
                for role, tensor in case.draw(PLACES[kind][2]).items()
            ]
            found.append(Sample(case.name, kind, tuple(tensors)))
    return tuple(found)


def _bytes(tensor: object) -> bytes:
    import torch

    assert isinstance(tensor, torch.Tensor)
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def numbers(rng: Random) -> Draft:
    """Draw a file of one to three weights that a model can be changed by."""
    draft = Draft(drawn_metadata(rng))
    chosen = rng.sample(samples(), rng.choice((1, 1, 2, 3)))
    for sample in {sample.kind: sample for sample in chosen}.values():
        _, path, _ = PLACES[sample.kind]
        kohya = any(role.startswith("kohya_") for role, _, _ in sample.tensors)
        start = f"oft_{path}" if kohya else f"lora_{path}"
        if not kohya and sample.kind in DOTTED and rng.random() < 0.2:
            start = rng.choice(EXPORTS) + DOTTED[sample.kind]
        dtype = rng.choice(("F32", "F32", "F16", "BF16", "F64"))
        draft.pieces += _pieces(rng, sample, start, dtype)
    return draft


def _pieces(rng: Random, sample: Sample, start: str, dtype: str) -> Iterable[Piece]:
    for role, shape, data in sample.tensors:
        ends = SPELLED[role.removeprefix("kohya_")]
        assert dtype in BITS
        end = ends[0] if rng.random() < 0.9 else rng.choice(ends)
        yield Piece(start + end, dtype, list(shape), data[dtype])
