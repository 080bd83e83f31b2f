"""What other programs did with the same tensors, executed once in 2026, and which version each was.

The numbers are the largest error of the change, relative to its largest number, on layers of 24 outputs and
16 inputs (BOFT: 32 outputs), against the formula of the kind's trainer. Nothing of those programs is here.
"""

from __future__ import annotations

from dataclasses import dataclass

YEAR = 2026
OK, ERROR, UNKNOWN, APART = "right", "error", "unknown", "not run"
"""Right; an error instead of a change; tensors the program does not know; read outside the code that ran."""

HOSTS: tuple[tuple[str, str], ...] = (
    ("A1111", "1.10.1"),
    ("Forge", "2.0.1v1.10.1 of 26 June 2025"),
    ("ComfyUI", "its adapter code as reForge ships it, 11 March 2026"),
    ("SD.Next", "2 March 2025"),
)
FORGE_LIMIT = 12
"""Forge refuses a whole file when it does not know more tensors than this."""

Answer = float | str


@dataclass(frozen=True)
class Record:
    """One way to write a kind, on one layer at one strength, and what each of HOSTS made of it.

    case: the row of tests/adapters/table.py that draws such tensors, or one of the page's own.
    """

    name: str
    case: str
    layer: str
    strength: float
    answers: tuple[Answer, Answer, Answer, Answer]


ALL = (OK, OK, OK, OK)

RECORDS: tuple[Record, ...] = (
    Record("LoRA", "LoRA", "linear", 1.0, ALL),
    Record("LoCon", "LoRA", "conv3x3", 1.0, ALL),
    Record("LoCon Tucker", "LoCon Tucker", "conv3x3", 1.0, ALL),
    Record("LoRA of a 1×1 convolution on a linear layer", "point file on linear", "linear", 1.0, ALL),
    Record("LoRA of a linear layer on a 1×1 convolution", "linear file on point", "conv1x1", 1.0, ALL),
    Record("LoRA with alpha 0", "LoRA with alpha 0", "linear", 1.0, (1.0, 1.0, 1.0, 1.0)),
    Record("LoRA with alpha of shape [1]", "LoRA with alpha of shape [1]", "linear", 1.0, ALL),
    Record("LoHa", "LoHa", "linear", 1.0, ALL),
    Record("LoHa of a 3×3 convolution", "LoHa", "conv3x3", 1.0, ALL),
    Record("LoHa Tucker", "LoHa Tucker", "conv3x3", 1.0, ALL),
    Record("LoKr, full ⊗ factors", "LoKr full ⊗ factors", "linear", 1.0, ALL),
    Record("LoKr, full ⊗ full", "LoKr full ⊗ full", "linear", 1.0, ALL),
    Record("LoKr, factors of two ranks", "LoKr factors of two ranks", "linear", 1.0, ALL),
    Record("LoKr of a 3×3 convolution", "LoKr full ⊗ factors", "conv3x3", 1.0, ALL),
    Record("LoKr of a 3×3 convolution, full ⊗ full", "LoKr full ⊗ full", "conv3x3", 1.0, ALL),
    Record(
        "LoKr with a spatial w2_b", "LoKr with a spatial w2_b", "conv3x3", 1.0, (ERROR, ERROR, ERROR, ERROR)
    ),
    Record("LoKr Tucker", "LoKr Tucker", "conv3x3", 1.0, (OK, ERROR, ERROR, OK)),
    Record("GLoRA", "GLoRA", "linear", 1.0, (ERROR, OK, OK, ERROR)),
    Record("GLoRA of a square layer", "GLoRA", "square", 1.0, (ERROR, OK, OK, ERROR)),
    Record("GLoRA of a 3×3 convolution", "GLoRA", "conv3x3", 1.0, (ERROR, OK, OK, ERROR)),
    Record("GLoRA, old layout", "GLoRA old", "linear", 1.0, (0.33, OK, OK, 0.33)),
    Record("(IA)³ on outputs", "(IA)³ on outputs", "linear", 1.0, (OK, UNKNOWN, UNKNOWN, OK)),
    Record("(IA)³ on inputs", "(IA)³ on inputs", "linear", 1.0, (OK, UNKNOWN, UNKNOWN, OK)),
    Record(
        "(IA)³ on outputs of a 3×3 convolution", "(IA)³ on outputs", "conv3x3", 1.0,
        (ERROR, UNKNOWN, UNKNOWN, ERROR),
    ),
    Record(
        "(IA)³ on inputs of a 3×3 convolution", "(IA)³ on inputs", "conv3x3", 1.0, (OK, UNKNOWN, UNKNOWN, OK)
    ),
    Record("full difference", "full", "linear", 1.0, (OK, OK, APART, OK)),
    Record("norm layer", "norm", "norm", 1.0, (OK, OK, APART, OK)),
    Record("norm layer without a bias", "norm alone", "norm", 1.0, (ERROR, OK, APART, ERROR)),
    Record("OFT", "OFT", "linear", 1.0, (OK, UNKNOWN, OK, 1.0)),
    Record("OFT", "OFT", "linear", 0.7, (OK, UNKNOWN, 0.30, 1.0)),
    Record("OFT without alpha", "OFT without alpha", "linear", 1.0, (OK, UNKNOWN, ERROR, ERROR)),
    Record("COFT", "COFT of 0.01", "linear", 1.0, (OK, UNKNOWN, 0.96, OK)),
    Record("COFT", "COFT of 0.01", "linear", 0.7, (OK, UNKNOWN, 0.97, OK)),
    Record("OFT with rescale", "OFT with rescale", "linear", 1.0, (OK, UNKNOWN, 0.20, 1.0)),
    Record("OFT of a 3×3 convolution", "OFT", "conv3x3", 1.0, (OK, UNKNOWN, OK, 1.0)),
    Record("OFT of a 3×3 convolution", "OFT", "conv3x3", 0.7, (OK, UNKNOWN, 0.30, 1.0)),
    Record(
        "OFT of a 3×3 convolution without alpha", "OFT without alpha", "conv3x3", 1.0,
        (OK, UNKNOWN, ERROR, ERROR),
    ),
    Record("COFT of a 3×3 convolution", "COFT of 0.01", "conv3x3", 1.0, (OK, UNKNOWN, 0.96, OK)),
    Record("COFT of a 3×3 convolution", "COFT of 0.01", "conv3x3", 0.7, (OK, UNKNOWN, 0.97, OK)),
    Record(
        "OFT of a 3×3 convolution with rescale", "OFT with rescale", "conv3x3", 1.0, (OK, UNKNOWN, 0.34, 1.0)
    ),
    Record("BOFT", "BOFT", "linear", 1.0, (OK, UNKNOWN, OK, ERROR)),
    Record("OFT of old LyCORIS, storing R", "OFT storing R", "linear", 1.0, (OK, UNKNOWN, UNKNOWN, ERROR)),
    Record("DoRA on outputs", "DoRA on outputs", "linear", 1.0, (0.73, 7.7, 7.7, 0.86)),
    Record(
        "DoRA on outputs of a 3×3 convolution", "DoRA on outputs", "conv3x3", 1.0, (0.43, 46.0, 46.0, 0.61)
    ),
    Record("DoRA on inputs", "DoRA on inputs", "linear", 1.0, (OK, OK, OK, 0.49)),
    Record("DoRA on inputs of a 3×3 convolution", "DoRA on inputs", "conv3x3", 1.0, (OK, OK, OK, 0.49)),
    Record("DoHa on outputs", "DoHa", "linear", 1.0, (0.56, 14.0, 14.0, 0.68)),
    Record("DoRA by a vector, square layer", "DoRA by a vector", "square", 1.0, (0.75, 9.5, 9.5, 0.87)),
)  # fmt: skip

LOST_IN_A1111 = (
    "conv_norm_out",
    "add_embedding.linear_1",
    "add_embedding.linear_2",
    "up_blocks.0.upsamplers.0.conv",
)
"""SDXL's layers that A1111 does not find under diffusers' names."""

DOTTED = (
    "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight",
    "base_model.model.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight",
    "diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q.lora_down.weight",
)
"""Spellings with dots, none of which A1111 finds in SD 1, SD 2 or SDXL."""

BETWEEN: tuple[Record, ...] = (
    Record("OFT with rescale", "OFT with rescale", "linear", 0.7, (0.068, UNKNOWN, 0.37, 1.0)),
    Record(
        "OFT of a 3×3 convolution with rescale",
        "OFT with rescale",
        "conv3x3",
        0.7,
        (0.11, UNKNOWN, 0.55, 1.0),
    ),
    Record("BOFT", "BOFT", "linear", 0.7, (0.52, UNKNOWN, 0.30, ERROR)),
)
"""Where the trainer's rule for strengths between 0 and 1 is not the one this project follows."""
