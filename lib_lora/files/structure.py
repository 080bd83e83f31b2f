"""What names and shapes of tensors tell: families, ranks, parts. Names lie less than metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .architecture import Guesser, Shape
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


class Names:
    """What the names of a file's tensors tell: found once for all files whose tensors are called so."""

    def __init__(self, names: Sequence[str]) -> None:
        lines = "\n".join((*names, ""))
        self._found = {family for family, marks in _FAMILIES if any(mark in lines for mark in marks)}
        endings: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            endings.setdefault(name[-_ENDING:], []).append(place)
        lone = any(ending.endswith(".weight") and ending.count(".") == 1 for ending in endings)
        factors = [
            name.removesuffix(".weight")
            for name in (names if lone else ())
            if name.endswith(".weight") and name.count(".") == 1 and name.startswith(_LONE_FACTOR)
        ]
        if factors:
            self._found.add("ia3")
        self._rank_first = _places(endings, lambda ending: ending.endswith(_RANK_FIRST))
        self._rank_least = _places(endings, lambda ending: ending.endswith(".a1.weight"))
        self._kernels = _places(endings, lambda ending: ".lora_down." in ending or ".lora_mid." in ending)
        self._blocks = _places(endings, lambda ending: ending.endswith(".oft_blocks"))
        parts = {_part(beginning) for beginning in {name[:_PREFIX] for name in names}}
        self._parts = tuple(part for part in PARTS if part in parts)
        self._problem = _problem(names, self._found)
        self._remarks = _remarks(names, lines, factors)
        self._guesser = Guesser(names)

    def structure(self, shapes: Sequence[Shape]) -> Structure:
        """Return what the names tell together with the tensors' shapes, given in the same order."""
        found = set(self._found)
        ranks = {shape[0] for shape in {shapes[place] for place in self._rank_first} if shape}
        # [in, r], in old files [r, in]
        ranks |= {min(shapes[place][:2]) for place in self._rank_least if len(shapes[place]) >= 2}
        if "lora" in found and any(
            len(shape) == 4 and shape[2:] != (1, 1) for shape in {shapes[place] for place in self._kernels}
        ):
            found = (found - {"lora"}) | {"locon"}  # it has larger kernels
        if "oft" in found and any(len(shapes[place]) == 4 for place in self._blocks):
            found = (found - {"oft"}) | {"boft"}
        architecture, note = ("", "") if self._problem else self._guesser.guess(shapes)
        return Structure(
            architecture=architecture,
            note=note,
            families=tuple(name for name in _ORDER if name in found),
            ranks=tuple(sorted(ranks)),
            parts=self._parts,
            problem=self._problem,
            remarks=self._remarks,
        )


def read_structure(tensors: Mapping[str, TensorInfo]) -> Structure:
    """Return what the tensors' names and shapes tell."""
    return _names(tuple(tensors)).structure([info.shape for info in tensors.values()])


@lru_cache(8)  # the files of a stack were often made by one trainer
def _names(names: tuple[str, ...]) -> Names:
    return Names(names)


def family_text(families: Sequence[str]) -> str:
    """Return families in one text: `locon`, `lora+dora`."""
    return "+".join(families)


def rank_text(ranks: Sequence[int]) -> str:
    """Return ranks, the least first, in one text: `8`, `4–64`, or empty for families without rank."""
    if len(ranks) > 1:
        return f"{ranks[0]}–{ranks[-1]}"
    return str(ranks[0]) if ranks else ""


def _places(endings: Mapping[str, list[int]], wanted: Callable[[str], bool]) -> list[int]:
    return [place for ending, places in endings.items() if wanted(ending) for place in places]


def _remarks(names: Iterable[str], lines: str, factors: Sequence[str]) -> tuple[str, ...]:
    """Say what is unusual and still works."""
    replaced = lines.count(".set_weight\n")
    known = set(names) if factors else set()
    sideless = sum(f"{module}.on_input" not in known for module in factors)
    said = (
        (replaced, "Weights replaced, not changed: {}. A strength between 0 and 1 blends the two."),
        (sideless, "(IA)³ factors that do not say which side they scale: {}. It is told from their size."),
    )
    return tuple(text.format(count) for count, text in said if count)


def _part(beginning: str) -> str:
    if beginning.startswith(_EMBEDDING):
        return ""
    return next((part for part, prefixes in _PARTS if beginning.startswith(prefixes)), "unet")


def _problem(names: Sequence[str], families: set[str]) -> str:
    """Say why files with such names are no networks, or nothing."""
    if families and families != {"embedding"}:
        return ""
    if any(name.startswith(_CHECKPOINT) for name in names):
        return "This is a whole checkpoint, not a LoRA. Move it to the folder models/Stable-diffusion."
    if families or any("emb_params" in name or "string_to_param" in name for name in names):
        return "This is an embedding, not a LoRA. Move it to the folder embeddings."
    example = clean(names[0] if names else "", 60)
    return f"No LoRA is known that has tensors such as '{example}'. Use another file."
