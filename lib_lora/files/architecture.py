"""Which base model a network was made for, told from names and shapes of its tensors.

Widths decide where they are those of the public models; else the tree of names does, which also holds for
smaller models of the same build. Names are compared with dots as underscores, so that all spellings are one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from .header import TensorInfo

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "sd1": "SD 1.x",
        "sd2": "SD 2.x",
        "sdxl": "SDXL",
        "refiner": "SDXL refiner",
        "flux": "Flux",
        "sd3": "SD 3",
        "cascade": "Stable Cascade",
    }
)
# What cross-attention reads from, as wide as the text encoder's output.
TEXT_WIDTHS: Mapping[int, str] = MappingProxyType({768: "sd1", 1024: "sd2", 2048: "sdxl", 1280: "refiner"})
_INPUT_SECOND = re.compile(
    r"(?:\.lora_down|\.lora_A(?:\.default)?|[._]lora\.down|\.lora_linear_layer\.down)\.weight$"
    r"|\.hada_w[12]_b$|\.diff$"
)
_KRONECKER = re.compile(r"(.*)\.lokr_(w[12])(?:_b)?$")
_TRANSFORMERS = (
    ("flux", ("double_blocks_", "single_blocks_", "single_transformer_blocks_")),
    ("sd3", ("joint_blocks_", "lora_te3_", "transformer_transformer_blocks_")),
    ("cascade", ("lora_prior_",)),
)
_DEEP = re.compile(r"_transformer_blocks_[2-9]_|lora_te2_|text_encoder_2_|label_emb_|add_embedding_")
_FOUR_LEVELS = re.compile(
    r"(?:down|up)_blocks_3_|(?:in|out)put_blocks_(?:9|1[01])_"
    r"|down_blocks_0_attentions_|input_blocks_[12]_1_"
)
_THREE_LEVELS = re.compile(r"down_blocks_2_attentions_|up_blocks_0_attentions_|(?:in|out)put_blocks_[78]_1_")
_PLAIN_TEXT_ENCODER = re.compile(r"(?m)^lora_te_")


def guess(tensors: Mapping[str, TensorInfo]) -> tuple[str, str]:
    """Return the architecture (a key of `LABELS`, or empty for unknown) and a note where the case is odd."""
    names = "\n".join(tensors).replace(".", "_")
    for architecture, marks in _TRANSFORMERS:
        if any(mark in names for mark in marks):
            return architecture, ""
    widths = _cross_attention_widths(tensors)
    for width in widths:
        if width in TEXT_WIDTHS:
            return TEXT_WIDTHS[width], ""
    note = f"Made for a model of another size (text width {widths[0]})." if widths else ""
    if _DEEP.search(names):
        return "sdxl", note
    text_width = _text_encoder_width(tensors)
    if _FOUR_LEVELS.search(names):
        return ("sd2" if text_width == 1024 or _linear_projections(tensors) else "sd1"), note
    if _THREE_LEVELS.search(names):
        return "sdxl", note
    if _PLAIN_TEXT_ENCODER.search(names):
        odd = (
            "" if text_width in (0, 768, 1024) else f"Made for a text encoder of another size ({text_width})."
        )
        return ("sd2" if text_width == 1024 else "sd1"), odd
    return "", "Only the text encoder is changed; it may be SD 1.x or SDXL." if text_width == 768 else ""


def from_metadata(metadata: Mapping[str, str]) -> str:
    """Return the architecture that the metadata claims, or an empty text; merges and renames make it lie."""
    base = metadata.get("ss_base_model_version", "").lower()
    spec = metadata.get("modelspec.architecture", "").lower()
    for prefix, architecture in (
        ("sdxl_refiner", "refiner"),
        ("sdxl", "sdxl"),
        ("sd_v1", "sd1"),
        ("sd_v2", "sd2"),
        ("flux", "flux"),
        ("sd3", "sd3"),
    ):
        if base.startswith(prefix):
            return architecture
    for prefix, architecture in (
        ("stable-diffusion-v1", "sd1"),
        ("stable-diffusion-v2", "sd2"),
        ("stable-diffusion-xl-v1-refiner", "refiner"),
        ("stable-diffusion-xl", "sdxl"),
        ("stable-diffusion-3", "sd3"),
        ("flux", "flux"),
    ):
        if spec.startswith(prefix):
            return architecture
    return "sd2" if metadata.get("ss_v2") == "True" else ""


def _cross_attention_widths(tensors: Mapping[str, TensorInfo]) -> list[int]:
    """Return the widths that cross-attention reads from, the commonest first."""
    counts: dict[int, int] = {}
    products: dict[str, dict[str, int]] = {}
    for name, info in tensors.items():
        if "attn2" not in name or ("to_k" not in name and "to_v" not in name) or len(info.shape) < 2:
            continue
        if _INPUT_SECOND.search(name):
            counts[info.shape[1]] = counts.get(info.shape[1], 0) + 1
        elif match := _KRONECKER.match(name):
            products.setdefault(match[1], {})[match[2]] = info.shape[1]
    for factors in products.values():
        if len(factors) == 2:
            width = factors["w1"] * factors["w2"]
            counts[width] = counts.get(width, 0) + 1
    return sorted(counts, key=lambda width: -counts[width])


def _text_encoder_width(tensors: Mapping[str, TensorInfo]) -> int:
    """Return the width of the text encoder's layers, or 0 where none is changed."""
    for name, info in tensors.items():
        if re.search(r"q_proj|mlp[_.]fc1", name) and _INPUT_SECOND.search(name) and len(info.shape) >= 2:
            return info.shape[1]
    return 0


def _linear_projections(tensors: Mapping[str, TensorInfo]) -> bool:
    """Return whether the transformers' proj_in are linear, as in SD 2, not 1×1 convolutions as in SD 1."""
    for name, info in tensors.items():
        if "proj_in" in name and _INPUT_SECOND.search(name):
            return len(info.shape) == 2
    return False
