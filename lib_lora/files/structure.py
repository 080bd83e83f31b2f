"""What names and shapes of tensors tell: families, ranks, parts. Names lie less than metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .architecture import guess
from .header import TensorInfo
from .text import clean

_EMBEDDING = "bundle_emb."

# Families by what their tensors' names contain, each name followed by a line break. Only for display: what is
# applied is decided by the adapters.
_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("lora", (".lora_down.", ".lora_A", "lora.down.", ".lora_linear_layer.down.")),
    ("loha", (".hada_w1_a\n",)),
    ("lokr", (".lokr_w1\n", ".lokr_w1_a\n")),
    ("glora", (".a1.weight\n",)),
    ("oft", (".oft_blocks", ".oft_diag", ".oft_R")),
    ("boft", (".boft_R",)),
    ("ia3", (".on_input\n", ".ia3_l")),
    ("full", (".diff\n", ".diff_b\n", ".set_weight\n")),
    ("norm", (".w_norm\n", ".b_norm\n")),
    ("tlora", (".lambda_layer\n",)),
    ("dora", (".dora_scale\n", ".lora_magnitude_vector")),
    ("embedding", (_EMBEDDING,)),
)
_ORDER = ("lora", "locon", *(name for name, _ in _FAMILIES[1:]))
_PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "te2",
        ("lora_te2_", "text_encoder_2.", "clip_g.", "text_encoders.clip_g.", "conditioner.embedders.1."),
    ),
    ("te3", ("lora_te3_", "text_encoder_3.", "text_encoders.t5xxl.")),
    (
        "te",
        (
            "lora_te_",
            "lora_te1_",
            "lora_prior_te_",
            "text_encoder.",
            "text_encoder_1.",
            "clip_l.",
            "clip_h.",
            "text_encoders.clip_",
            "cond_stage_model.",
            "conditioner.embedders.0.",
            "base_model.model.text_model.",
            "lycoris_text_model_",
            "text_model.",
        ),
    ),
)
_PREFIX = len("base_model.model.text_model.")  # characters that tell the part
_ENDING = len(".lora_A_1.default_0.weight")  # characters at the end that tell the rest; few differ
PARTS = ("unet", "te", "te2", "te3")
_RANK_FIRST = (
    ".lora_down.weight",
    ".lora_A.weight",
    ".lora_A.default.weight",
    ".lora_A_1.default_0.weight",
    ".lora_down",
    ".lora_A",
    ".q_layer.weight",
    ".hada_w1_b",
    ".lokr_w2_b",
    ".lokr_w1_b",
    "lora.down.weight",
)
# A kohya or LyCORIS name has no dot before its last: such a `weight` is a factor of (IA)³, not a model's own.
_LONE_FACTOR = ("lora_unet_", "lora_te", "lycoris_")
_CHECKPOINT = ("model.diffusion_model.", "first_stage_model.", "cond_stage_model.", "conditioner.embedders.")


@dataclass(frozen=True)
class Structure:
    """Facts told by names and shapes; `problem` says why the file cannot be a network.

    note: on the architecture. remarks: what the tensors leave open or do besides changing weights.
    """

    architecture: str
    note: str
    families: tuple[str, ...]
    ranks: tuple[int, ...]
    parts: tuple[str, ...]
    problem: str = ""
    remarks: tuple[str, ...] = ()


def read_structure(tensors: Mapping[str, TensorInfo]) -> Structure:
    """Return what the tensors' names and shapes tell."""
    names = "\n".join((*tensors, ""))
    found = {family for family, marks in _FAMILIES if any(mark in names for mark in marks)}
    endings = {(name[-_ENDING:], info.shape) for name, info in tensors.items()}
    lone = any(ending.endswith(".weight") and ending.count(".") == 1 for ending, _ in endings)
    factors = [
        name.removesuffix(".weight")
        for name in (tensors if lone else ())
        if name.endswith(".weight") and name.count(".") == 1 and name.startswith(_LONE_FACTOR)
    ]
    if factors:
        found.add("ia3")
    ranks: set[int] = set()
    for ending, shape in endings:
        if ending.endswith(_RANK_FIRST) and shape:
            ranks.add(shape[0])
        elif ending.endswith(".a1.weight") and len(shape) >= 2:
            ranks.add(min(shape[:2]))  # [in, r], in old files [r, in]
        if len(shape) == 4:
            found = _renamed(found, ending, shape)
    parts = {_part(beginning) for beginning in {name[:_PREFIX] for name in tensors}}
    architecture, note = guess(tensors)
    families = tuple(name for name in _ORDER if name in found)
    problem = _problem(tensors, families)
    return Structure(
        architecture="" if problem else architecture,
        note="" if problem else note,
        families=families,
        ranks=tuple(sorted(ranks)),
        parts=tuple(part for part in PARTS if part in parts),
        problem=problem,
        remarks=_remarks(tensors, names, factors),
    )


def family_text(families: Sequence[str]) -> str:
    """Return families in one text: `locon`, `lora+dora`."""
    return "+".join(families)


def rank_text(ranks: Sequence[int]) -> str:
    """Return ranks, the least first, in one text: `8`, `4–64`, or empty for families without rank."""
    if len(ranks) > 1:
        return f"{ranks[0]}–{ranks[-1]}"
    return str(ranks[0]) if ranks else ""


def _remarks(tensors: Mapping[str, TensorInfo], names: str, factors: Iterable[str]) -> tuple[str, ...]:
    """Say what is unusual and still works."""
    replaced = names.count(".set_weight\n")
    sideless = sum(f"{module}.on_input" not in tensors for module in factors)
    said = (
        (replaced, "Weights replaced, not changed: {}. A strength between 0 and 1 blends the two."),
        (sideless, "(IA)³ factors that do not say which side they scale: {}. It is told from their size."),
    )
    return tuple(text.format(count) for count, text in said if count)


def _part(beginning: str) -> str:
    if beginning.startswith(_EMBEDDING):
        return ""
    return next((part for part, prefixes in _PARTS if beginning.startswith(prefixes)), "unet")


def _renamed(found: set[str], name: str, shape: tuple[int, ...]) -> set[str]:
    """Return the families with LoRA called LoCon when it has larger kernels, and OFT called BOFT."""
    if "lora" in found and shape[2:] != (1, 1) and (".lora_down." in name or ".lora_mid." in name):
        return (found - {"lora"}) | {"locon"}
    return (found - {"oft"}) | {"boft"} if "oft" in found and name.endswith(".oft_blocks") else found


def _problem(tensors: Mapping[str, TensorInfo], families: tuple[str, ...]) -> str:
    if families and families != ("embedding",):
        return ""
    if any(name.startswith(_CHECKPOINT) for name in tensors):
        return "This is a whole checkpoint, not a LoRA. Move it to the folder models/Stable-diffusion."
    if families or any("emb_params" in name or "string_to_param" in name for name in tensors):
        return "This is an embedding, not a LoRA. Move it to the folder embeddings."
    example = clean(next(iter(tensors), ""), 60)
    return f"No LoRA is known that has tensors such as '{example}'. Use another file."
